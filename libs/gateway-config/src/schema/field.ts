import type { Kind } from '@sluice/contracts';

/** What holds for every type of field. */
interface Rules {
  /** Null is refused unless there is a default. */
  readonly required?: boolean;
  readonly default?: unknown;
  readonly oneOf?: readonly (string | number)[];
  /** Inclusive. */
  readonly between?: readonly [number, number];
  readonly greaterThan?: number;
  /** Of a string or a list. */
  readonly lengthMin?: number;
  readonly uuid?: boolean;
  /** Returns Kong's message when the value is wrong. Called with a value of the field's type only. */
  readonly check?: (value: never) => string | undefined;
  /** Applied after the checks. */
  readonly normalize?: (value: never) => unknown;
}

/** One field of an entity, as data: the checker, the error suggestions and `GET /schemas/…` read it. */
export type Field = Rules &
  (
    | { readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'any' }
    | { readonly type: 'array' | 'set'; readonly elements: Field }
    | { readonly type: 'map'; readonly keys?: Field; readonly values: Field }
    | { readonly type: 'record'; readonly fields: Fields }
    | { readonly type: 'foreign'; readonly reference: Kind }
  );

export type Fields = Readonly<Record<string, Field>>;

/** Reports what is wrong with an entity; a path is relative to the entity, `[]` means the entity as a whole. */
export type Report = (path: readonly (string | number)[], message: string) => void;

/** A rule about several fields. It is skipped when one of `fields` is wrong by itself. */
export interface EntityCheck {
  readonly fields: readonly string[];
  readonly run: (entity: Readonly<Record<string, unknown>>, report: Report) => void;
}

type Options = Omit<Rules, 'check' | 'normalize'>;

export const string = (rules: Options & { check?: (value: string) => string | undefined } = {}): Field => ({
  type: 'string',
  lengthMin: 1,
  ...(rules as Rules),
});
export const integer = (rules: Options = {}): Field => ({ type: 'integer', ...rules });
export const number = (rules: Options = {}): Field => ({ type: 'number', ...rules });
export const boolean = (fallback?: boolean): Field => ({
  type: 'boolean',
  ...(fallback === undefined ? {} : { default: fallback }),
});
export const array = (elements: Field, rules: Options = {}): Field => ({ type: 'array', elements, ...rules });
export const set = (elements: Field, rules: Options = {}): Field => ({ type: 'set', elements, ...rules });
export const record = (fields: Fields, rules: Options = {}): Field => ({ type: 'record', fields, ...rules });
export const foreign = (reference: Kind, rules: Options = {}): Field => ({
  type: 'foreign',
  reference,
  ...rules,
});

/** Not null, not empty: what Kong's "at least one of" counts. */
export const isFilled = (value: unknown): boolean => {
  if (value === null || value === undefined || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return true;
};

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Kong's `at_least_one_of`; `message` gets the quoted names in place of `%s`. */
export const atLeastOneOf = (
  names: readonly string[],
  message = 'at least one of these fields must be non-empty: %s',
): EntityCheck => ({
  fields: [],
  run(entity, report) {
    if (!names.some((name) => isFilled(entity[name]))) report([], message.replace('%s', quoted(names)));
  },
});

/** Kong's `distinct`: of the fields that are set, no two are equal. */
export const distinct = (names: readonly string[]): EntityCheck => ({
  fields: names,
  run(entity, report) {
    const values = names.map((name) => entity[name]).filter((value) => value !== null);
    if (new Set(values).size < values.length)
      report([], `values of these fields must be distinct: ${quoted(names)}`);
  },
});

/** Kong's `conditional`: where `when` holds for one field, another one must satisfy `must` (a message if not). */
export const conditional = (rule: {
  readonly field: string;
  readonly when: (value: unknown) => boolean;
  readonly target: string;
  readonly must: (value: unknown) => string | undefined;
}): EntityCheck => ({
  fields: [rule.field, rule.target],
  run(entity, report) {
    if (!rule.when(entity[rule.field])) return;
    const message = rule.must(entity[rule.target]);
    if (message === undefined) return;
    report([rule.target], message);
    report([], `failed conditional validation given value of field '${rule.field}'`);
  },
});

export const mustBeNull = (value: unknown): string | undefined =>
  value === null ? undefined : 'value must be null';
export const mustBeSet = (value: unknown): string | undefined =>
  value === null ? 'required field missing' : undefined;
