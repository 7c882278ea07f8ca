import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import type { Locate, Path, Position } from '../path.ts';
import { composeOne, YamlRefused } from './compose-one.ts';

/** Times an alias may be expanded, counted with the aliases inside it: the guard against YAML bombs. */
const MAX_ALIASES = 100;
const MAX_DEPTH = 100;
/** Characters of the library's messages, which may quote a name. */
const MAX_MESSAGE = 200;
/** Characters; the library reads about 600 kB a second, less than half of that where it is provoked. */
export const MAX_LIBRARY_LENGTH = 500_000;

export type LibraryRead =
  | { readonly ok: true; readonly value: unknown; readonly locate: Locate }
  | { readonly ok: false; readonly message: string; readonly position?: Position };

/** Reads any YAML with the yaml library: anchors, merge keys, block scalars, and every error with its place. */
export const readWithLibrary = (text: string): LibraryRead => {
  if (deepestFlow(text) > MAX_DEPTH) return { ok: false, message: `nested deeper than ${MAX_DEPTH} levels` };
  const counter = new LineCounter();
  const placeOf = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line, column: col };
  };
  try {
    const document = composeOne(text, counter);
    const repeated = findRepeatedKey(document.contents, 0);
    if (repeated) return { ok: false, message: repeated.message, position: placeOf(repeated.offset) };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { ok: true, value, locate: locateIn(document, placeOf) };
  } catch (error) {
    if (error instanceof YamlRefused)
      return { ok: false, message: error.message.slice(0, MAX_MESSAGE), position: placeOf(error.offset) };
    const message = error instanceof RangeError ? 'nested too deeply' : (error as Error).message;
    return { ok: false, message };
  }
};

/** An upper bound of the nesting of [] and {}: the library's time grows with its square. */
const deepestFlow = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length && deepest <= MAX_DEPTH; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 91 || char === 123) deepest = Math.max(deepest, ++depth);
    else if ((char === 93 || char === 125) && depth > 0) depth -= 1;
  }
  return deepest;
};

const findRepeatedKey = (node: unknown, depth: number): { message: string; offset: number } | undefined => {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply');
  if (isPair(node)) return findRepeatedKey(node.value, depth);
  if (!isMap(node) && !isSeq(node)) return undefined;
  const seen = new Set<string>();
  for (const item of node.items) {
    if (isPair(item) && isScalar(item.key)) {
      const key = String(item.key.value);
      if (seen.has(key) && key !== '<<')
        return { message: `key '${key.slice(0, 64)}' is written twice`, offset: item.key.range?.[0] ?? 0 };
      seen.add(key);
    }
    const inside = findRepeatedKey(item, depth + 1);
    if (inside) return inside;
  }
  return undefined;
};

const locateIn =
  (document: Document.Parsed, placeOf: (offset: number) => Position): Locate =>
  (path: Path) => {
    let node: unknown = document.contents;
    let offset = (node as Node | null)?.range?.[0] ?? 0;
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = (node as Node | undefined)?.range?.[0] ?? offset;
      } else break;
    }
    return placeOf(offset);
  };
