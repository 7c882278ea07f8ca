/** A way into a document: keys of objects, indexes (from 0) of arrays. */
export type Path = readonly (string | number)[];

/** Where something stands in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
  /** Set when the document was merged from several files. */
  readonly file?: string;
}

/** The place of a path; of its nearest parent where the path itself is not written. */
export type Locate = (path: Path) => Position | undefined;

/** `routes[3].paths[0]`, for people. */
export const showPath = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );

/** An object (not an array), whatever its prototype. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The own property of that name; never one of the prototype. */
export const own = (value: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;
