/**
 * The building blocks of plugin schemas. Each one answers a wrong value in Kong's own words (kong-compat 1.6),
 * so that a configuration refused here reads as one refused there. Fields that may be unset are `null`, as
 * Kong stores them.
 */
import { z } from 'zod';
import { compileSearchRegex } from './linear-regex.ts';

type Issue = { readonly code?: string; readonly input?: unknown };
const expected = (what: string) => ({
  error: (issue: Issue) => (issue.input === undefined ? 'required field missing' : `expected ${what}`),
});

/** Any text. */
export const text = () => z.string(expected('a string'));
/** Text of at least one character. */
export const filled = () => text().min(1, 'length must be at least 1');
export const decimal = () => z.number(expected('a number'));
export const integer = () => z.int(expected('an integer'));
export const flag = () => z.boolean(expected('a boolean'));
export const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, {
    error: (issue: Issue) =>
      expected(typeof issue.input === 'string' ? `one of: ${values.join(', ')}` : 'a string').error(issue),
  });
export const listOf = <T extends z.ZodType>(element: T) => z.array(element, expected('an array'));

/** A list without repetitions; Kong calls it a set. */
export const setOf = <T extends z.ZodType>(element: T) =>
  z.array(element, expected('a set')).overwrite((values) => [...new Set(values)]);

/** An object with any keys that the first schema takes; its message is the one shown. */
export const mapOf = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(key: K, value: V) =>
  z.record(key, value, {
    error: (issue) =>
      issue.code === 'invalid_key'
        ? (issue as { issues?: readonly { message: string }[] }).issues?.[0]?.message
        : 'expected a map',
  });

/** An object with these keys and no other. */
export const record = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? 'unknown field' : 'expected a record'),
  });

/** May be left out; then it is `null`. */
export const unset = <T extends z.ZodType>(schema: T) => schema.nullable().default(null as never);

/** An integer between two bounds, both included. */
export const between = (low: number, high: number) => {
  const message = `value should be between ${low} and ${high}`;
  return integer().min(low, message).max(high, message);
};

/** A share of a whole, 0 to 1. */
export const fraction = () => {
  const message = 'value should be between 0 and 1';
  return decimal().min(0, message).max(1, message);
};

const HEADER_NAME = /^[A-Za-z0-9_-]+$/;
/** True for the names Kong accepts for headers; fewer than RFC 9110 does. */
export const isHeaderName = (name: string): boolean => HEADER_NAME.test(name);

/** A header's name, in Kong's alphabet. */
export const headerName = () =>
  text().refine(isHeaderName, {
    error: (issue) => `bad header name '${issue.input}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`,
  });

/** Text that becomes part of a header's value: a line break in it would end the header. */
export const headerText = () =>
  text().refine((value) => !/\p{Cc}/u.test(value), 'must not contain control characters');

const problemOfUrl = (value: string): string | undefined => {
  if (value.startsWith('{vault://')) return undefined; // read where it is used
  const url = URL.parse(value);
  if (url === null) return /^https?:/i.test(value) ? 'missing host in url' : 'missing scheme in url';
  return /^https?:$/.test(url.protocol) ? undefined : 'missing scheme in url';
};

/** An address of an HTTP server. */
export const httpUrl = () =>
  text().superRefine((value, context) => {
    const message = problemOfUrl(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** A plain path. */
export const httpPath = () =>
  text()
    .startsWith('/', 'should start with: /')
    .refine((path) => !path.includes('//'), 'must not have empty segments');

/** The place of a message about the whole configuration, not one field; Kong shows it as `@entity`. */
export const WHOLE: readonly never[] = [];

/**
 * One finding of a check over several fields; `path` counts from the configuration. `of` names the fields that were
 * looked at, where these are not all: a check of what is wrong in itself says nothing, as in Kong.
 */
export type Finding = {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly of?: readonly string[];
};

/** Adds checks over several fields to a record. */
export const checked = <T extends z.ZodType>(
  schema: T,
  findings: (config: z.output<T>) => Iterable<Finding>,
): T =>
  schema.superRefine((config, context) => {
    const wrong = new Set(context.issues.map(({ path }) => path?.[0]));
    const isMoot = (of: readonly string[] | undefined) =>
      of === undefined ? wrong.size > 0 : of.some((field) => wrong.has(field));
    for (const { path, message, of } of [...findings(config)])
      if (!isMoot(of)) context.addIssue({ code: 'custom', path: [...path], message });
  }) as T;

/** Kong's pair of messages when one field's value makes another one necessary. */
export const needs = (because: string, path: readonly string[], message: string): readonly Finding[] => {
  const of = [because, path[0] ?? ''];
  return [
    { path: WHOLE, message: `failed conditional validation given value of field 'config.${because}'`, of },
    { path, message, of },
  ];
};

/** A regular expression, found anywhere in a text, that V8 can run in linear time. */
export const pattern = () =>
  text().superRefine((source, context) => {
    try {
      compileSearchRegex(source);
    } catch (error) {
      // Kong's words, and a reason: PCRE takes what the linear engine does not.
      const message = `not a valid regex: ${source} (${(error as Error).message})`;
      context.addIssue({ code: 'custom', message });
    }
  });

/** The value of a pattern in a configuration, or the reason why it cannot be used. */
export const compilePattern = (source: string): RegExp => {
  // V8's linear-time engine, which can take over on excessive backtracking, knows neither.
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(source))
    throw new Error(`'${source}' uses look-around or a back-reference; write the pattern without it`);
  return new RegExp(source);
};
