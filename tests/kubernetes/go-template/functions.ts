import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [name: string]: Value };

/** As `if` sees it: nothing, zero, and what is empty are false. */
export const isTrue = (value: Value): boolean => {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  return Boolean(value);
};

export const isMap = (value: Value): value is Readonly<Record<string, Value>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an action prints. Helm prints nothing for nothing, and Go's own form of a map: both are mistakes here. */
export const textOf = (value: Value): string => {
  if (typeof value === 'string') return value;
  // Beyond it, Helm prints numbers of values as 1e+06.
  if (typeof value === 'boolean' || (typeof value === 'number' && Math.abs(value) < 1e6)) return `${value}`;
  throw new Error(`cannot print ${JSON.stringify(value) ?? 'nothing'}`);
};

const numberOf = (value: Value): number => Math.trunc(Number(value));
const indent = (columns: Value, text: Value): string =>
  textOf(text).replaceAll(/^/gm, ' '.repeat(numberOf(columns)));

/** Keys in the order of the alphabet, as Go writes maps. */
const toYaml = (value: Value): string =>
  stringify(value, { sortMapEntries: true, lineWidth: 0, version: '1.1' }).trimEnd();

const dict = (pairs: readonly Value[]): Value =>
  Object.fromEntries(
    Array.from({ length: pairs.length / 2 }, (_, i) => [textOf(pairs[2 * i]), pairs[2 * i + 1]]),
  );

/** Functions of Go, Sprig and Helm that the chart calls; `and` and `or` end early and `include` renders: see evaluate.ts. */
export const FUNCTIONS: Readonly<Record<string, (...args: Value[]) => Value>> = {
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => other === first),
  ne: (first, second) => first !== second,
  gt: (first, second) => numberOf(first) > numberOf(second),
  index: (map, key) => (isMap(map) ? map[textOf(key)] : undefined),
  len: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value ?? {}).length),
  int: numberOf,
  add: (...terms) => terms.reduce<number>((sum, term) => sum + numberOf(term), 0),
  mul: (...factors) => factors.reduce<number>((product, factor) => product * numberOf(factor), 1),
  default: (otherwise, value) => (isTrue(value) ? value : otherwise),
  ternary: (yes, no, test) => (isTrue(test) ? yes : no),
  dict: (...pairs) => dict(pairs),
  list: (...items) => items,
  concat: (...lists) => lists.flat() as Value[],
  quote: (value) => JSON.stringify(textOf(value)),
  upper: (text) => textOf(text).toUpperCase(),
  replace: (from, to, text) => textOf(text).replaceAll(textOf(from), textOf(to)),
  printf: (format, ...args) => textOf(format).replaceAll('%s', () => textOf(args.shift())),
  nindent: (columns, text) => `\n${indent(columns, text)}`,
  toYaml,
  sha256sum: (text) => createHash('sha256').update(textOf(text)).digest('hex'),
  fail: (message) => {
    throw new Error(textOf(message));
  },
};
