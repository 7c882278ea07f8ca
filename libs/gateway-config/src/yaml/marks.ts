import type { Locate, Path, Position } from '../path.ts';

/** Remembers where the entries of each object and array begin, as offsets into the text. */
export interface Marks {
  readonly mark: (container: object, key: string | number, offset: number) => void;
}

/** Turns an offset into line and column. */
export const lineIndex = (text: string): ((offset: number) => Position) => {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
};

/** Collects marks while a reader runs, then answers where a path stands in the text. */
export const collectMarks = (text: string): Marks & { readonly locateIn: (value: unknown) => Locate } => {
  const marks = new WeakMap<object, Map<string | number, number>>();
  return {
    mark(container, key, offset) {
      const entries = marks.get(container) ?? new Map<string | number, number>();
      entries.set(key, offset);
      marks.set(container, entries);
    },
    locateIn(value) {
      const positionAt = lineIndex(text);
      return (path) => positionAt(offsetOf(marks, value, path));
    },
  };
};

const offsetOf = (
  marks: WeakMap<object, Map<string | number, number>>,
  root: unknown,
  path: Path,
): number => {
  let at: unknown = root;
  let offset = 0;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) break;
    const found = marks.get(at)?.get(step);
    if (found === undefined) break;
    offset = found;
    at = (at as Record<string | number, unknown>)[step];
  }
  return offset;
};
