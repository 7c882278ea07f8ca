import { isRecord, type Locate, own, type Path, showPath } from '../path.ts';
import { fieldsOf } from './fields-tree.ts';
import { type FlattenedError, flattenErrors } from './flatten-errors.ts';
import { luaLiteral } from './lua-literal.ts';
import { suggestName } from './suggest.ts';
import type { Violation } from './violation.ts';

/** One thing to mend, with its place; line and column count from 1, null where the text is not known. */
export interface ConfigProblem {
  /** Such as `routes[3].paths[0]`; empty for the document as a whole. */
  readonly path: string;
  readonly file?: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  /** The name that was probably meant. */
  readonly suggestion?: string;
}

/** Kong's error body (kong-compat 1.5). */
export interface ConfigErrorBody {
  readonly code: 14;
  readonly name: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly flattened_errors?: readonly FlattenedError[];
}

/** Problems are listed up to this number: finding the place of each costs time. */
const MAX_PROBLEMS = 100;
const NAME = 'invalid declarative configuration';

/** Why a configuration was refused: for machines as Kong says it, for people with line and column. */
export class ConfigError extends Error {
  readonly code = 14;
  override readonly name = NAME;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The first 100. */
  readonly problems: readonly ConfigProblem[];
  readonly #violations: readonly Violation[];

  constructor(violations: readonly Violation[], document: unknown, locate: Locate) {
    const fields = fieldsOf(violations);
    super(`declarative config is invalid: ${luaLiteral(fields)}`);
    this.fields = fields;
    this.problems = violations.slice(0, MAX_PROBLEMS).map((one) => problemOf(one, document, locate));
    this.#violations = violations;
  }

  /** Kong's `flattened_errors`: one item for each entity that is wrong. */
  flattened(): FlattenedError[] {
    return flattenErrors(this.#violations);
  }

  /** The body of the 400 answer; with `flatten`, `fields` keeps only what belongs to no entity. */
  toBody({ flatten = false }: { flatten?: boolean } = {}): ConfigErrorBody {
    const { code, name, message, fields } = this;
    if (!flatten) return { code, name, message, fields };
    const rest = fieldsOf(this.#violations.filter(({ draft }) => draft === undefined));
    return { code, name, message, fields: rest, flattened_errors: this.flattened() };
  }
}

/** The error for a text that could not be read at all. */
export const unreadable = (message: string, position?: { line: number; column: number }): ConfigError => {
  const place = position === undefined ? '' : ` at line ${position.line}, column ${position.column}`;
  const text = `failed parsing declarative configuration: ${message}${place}`;
  return new ConfigError([{ path: ['error'], message: text, scope: 'field' }], undefined, () => position);
};

const problemOf = (violation: Violation, document: unknown, locate: Locate): ConfigProblem => {
  const { path, message } = violation;
  const position = locate(path);
  const suggestion = suggestionFor(violation, document);
  return {
    path: document === undefined ? '' : showPath(path),
    ...(position?.file === undefined ? {} : { file: position.file }),
    line: position?.line ?? null,
    column: position?.column ?? null,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
};

const suggestionFor = ({ path, message, candidates }: Violation, document: unknown): string | undefined => {
  if (candidates === undefined) return undefined;
  const written = message === 'unknown field' ? path.at(-1) : valueAt(document, path);
  return typeof written === 'string' ? suggestName(written, candidates) : undefined;
};

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return value[Number(step)];
    return isRecord(value) ? own(value, String(step)) : undefined;
  }, document);
