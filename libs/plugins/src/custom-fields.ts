import { z } from 'zod';
import { text } from './fields.ts';
import type { LogRecord } from './log-sink.ts';

type Constant = string | number | boolean | undefined;

const RETURN = /^\s*return\s+(.+?)\s*;?\s*$/s;
const NUMBER = /^-?\d+(?:\.\d+)?$/;
const QUOTED = /^(?:'([^'\\\n]*)'|"([^"\\\n]*)")$/;

/** The constant that a line of Lua returns; undefined inside for `nil`, undefined outside for any other Lua. */
const constantOf = (lua: string): { readonly value: Constant } | undefined => {
  const written = RETURN.exec(lua)?.[1];
  if (written === undefined) return undefined;
  if (written === 'nil') return { value: undefined };
  if (written === 'true' || written === 'false') return { value: written === 'true' };
  if (NUMBER.test(written)) return { value: Number(written) };
  const quoted = QUOTED.exec(written);
  return quoted === null ? undefined : { value: quoted[1] ?? quoted[2] };
};

/** Kong's `custom_fields_by_lua`, without running Lua: fields set to a constant, or taken away by `return nil`. */
export const customFields = () =>
  z
    .record(
      text(),
      text().refine((lua) => constantOf(lua) !== undefined, {
        error: ({ input }) =>
          `'${input}' is not supported; write 'return nil' or 'return' and a string, number or boolean`,
      }),
      { error: 'expected a map' },
    )
    .nullable()
    .default(null)
    .describe('Fields to set to a constant (`return "x"`) or to leave out (`return nil`).');

/** One change of a log record; `path` leads through nested objects. */
export interface FieldChange {
  readonly path: readonly string[];
  readonly value: Constant;
}

const DOT = /(?<!\\)\./; // runs over names from the configuration at start only
const pathOf = (name: string): string[] => name.split(DOT).map((part) => part.replaceAll('\\.', '.'));

/** The changes of a checked configuration. */
export const fieldChanges = (fields: Readonly<Record<string, string>> | null): readonly FieldChange[] =>
  Object.entries(fields ?? {}).map(([name, lua]) => ({ path: pathOf(name), value: constantOf(lua)?.value }));

const isRecord = (value: unknown): value is LogRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const changed = (record: LogRecord, [key = '', ...rest]: readonly string[], value: Constant): LogRecord => {
  const inner = record[key];
  if (rest.length === 0) {
    const { [key]: _dropped, ...others } = record;
    return value === undefined ? others : { ...others, [key]: value };
  }
  if (!isRecord(inner)) return value === undefined ? record : { ...record, [key]: changed({}, rest, value) };
  return { ...record, [key]: changed(inner, rest, value) };
};

/** The record after the changes; the one given stays as it is. */
export const withFields = (record: LogRecord, changes: readonly FieldChange[]): LogRecord =>
  changes.reduce((before, { path, value }) => changed(before, path, value), record);
