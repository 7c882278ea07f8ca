import type { DocumentSize } from '../document-size.ts';
import type { Marks } from './marks.ts';
import { resolvePlain, UNSURE } from './scalars.ts';

/** Unquoted text inside [] or {}: no indicator first, no flow indicator anywhere; ':' only inside a word. */
const PLAIN = /[\w/.~$^(+][^,[\]{}\n"'#:]*(?::[^\s,[\]{}"'#:][^,[\]{}\n"'#:]*)*/y;
/** A JSON number, which may begin with a minus. */
const NEGATIVE = /-[0-9][0-9.eE+-]*/y;
const KEY = /[A-Za-z_][\w./-]*/y;
const MAX_DEPTH = 64;

/** What was read and where it ended; undefined: not certain, leave it to the YAML library. */
export interface Read {
  readonly value: unknown;
  readonly end: number;
}

interface Source {
  readonly text: string;
  /** Line breaks are allowed between the parts, as in JSON. */
  readonly multiline: boolean;
  readonly marks: Marks | undefined;
  readonly size: DocumentSize;
}

const skipBlank = ({ text, multiline }: Source, from: number): number => {
  let at = from;
  while (text[at] === ' ' || (multiline && (text[at] === '\n' || text[at] === '\t' || text[at] === '\r')))
    at += 1;
  return at;
};

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** The offset behind a quoted scalar. Loops, not patterns: those run out of stack on megabytes. */
const endOfDouble = (text: string, start: number, size: DocumentSize): number => {
  let end = text.indexOf('"', start + 1);
  for (; end !== -1; end = text.indexOf('"', end + 1)) {
    size.value(); // each escaped quote costs what a value does
    let escapes = end;
    while (text[escapes - 1] === '\\') escapes -= 1;
    if ((end - escapes) % 2 === 0) return end + 1;
  }
  return -1;
};

const endOfSingle = (text: string, start: number, size: DocumentSize): number => {
  let end = text.indexOf("'", start + 1);
  for (; end !== -1 && text[end + 1] === "'"; end = text.indexOf("'", end + 2)) size.value();
  return end === -1 ? -1 : end + 1;
};

/** A quoted scalar on one line; escapes are JSON's (other YAML escapes: undefined). */
export const readQuoted = (text: string, at: number, size: DocumentSize): Read | undefined => {
  const end = text[at] === '"' ? endOfDouble(text, at, size) : endOfSingle(text, at, size);
  const literal = text.slice(at, end);
  if (end === -1 || literal.includes('\n')) return undefined;
  if (text[at] === "'") return { value: literal.slice(1, -1).replaceAll("''", "'"), end };
  try {
    return { value: JSON.parse(literal), end };
  } catch {
    return undefined; // an escape that only YAML has
  }
};

const readScalar = ({ text, size }: Source, at: number): Read | undefined => {
  if (text[at] === '"' || text[at] === "'") return readQuoted(text, at, size);
  const literal = matchAt(PLAIN, text, at) ?? matchAt(NEGATIVE, text, at);
  if (literal === undefined) return undefined;
  const value = resolvePlain(literal.trimEnd());
  return value === UNSURE ? undefined : { value, end: at + literal.length };
};

const readArray = (source: Source, start: number, depth: number): Read | undefined => {
  const items: unknown[] = [];
  let at = skipBlank(source, start + 1);
  if (source.text[at] === ']') return { value: items, end: at + 1 };
  for (;;) {
    const item = readFlow(source, at, depth + 1);
    if (item === undefined) return undefined;
    source.size.item(items.length);
    source.marks?.mark(items, items.length, at);
    items.push(item.value);
    at = skipBlank(source, item.end);
    if (source.text[at] === ']') return { value: items, end: at + 1 };
    if (source.text[at] !== ',') return undefined;
    at = skipBlank(source, at + 1);
  }
};

const readKey = ({ text, size }: Source, at: number): { key: string; end: number } | undefined => {
  if (text[at] === '"' || text[at] === "'") {
    const quoted = readQuoted(text, at, size);
    return quoted && { key: quoted.value as string, end: quoted.end };
  }
  const key = matchAt(KEY, text, at);
  return key === undefined || typeof resolvePlain(key) !== 'string'
    ? undefined
    : { key, end: at + key.length };
};

const readObject = (source: Source, start: number, depth: number): Read | undefined => {
  const object: Record<string, unknown> = {};
  let at = skipBlank(source, start + 1);
  if (source.text[at] === '}') return { value: object, end: at + 1 };
  for (let count = 0; ; count += 1) {
    const key = readKey(source, at);
    const colon = key === undefined ? -1 : skipBlank(source, key.end);
    if (key === undefined || source.text[colon] !== ':' || key.key === '__proto__') return undefined;
    if (Object.hasOwn(object, key.key) || !/[\s"'[{]/.test(source.text[colon + 1] ?? '')) {
      // JSON allows {"a":1} and repeated keys; only the library knows what YAML makes of them.
      if (!source.multiline) return undefined;
    }
    const value = readFlow(source, skipBlank(source, colon + 1), depth + 1);
    if (value === undefined) return undefined;
    source.size.field(count);
    source.size.name(key.key);
    source.marks?.mark(object, key.key, at);
    object[key.key] = value.value;
    at = skipBlank(source, value.end);
    if (source.text[at] === '}') return { value: object, end: at + 1 };
    if (source.text[at] !== ',') return undefined;
    at = skipBlank(source, at + 1);
  }
};

/** Reads `[…]`, `{…}` or a scalar from an offset of the text. */
export const readFlow = (source: Source, at: number, depth = 0): Read | undefined => {
  if (depth > MAX_DEPTH) return undefined;
  source.size.value();
  if (source.text[at] === '[') return readArray(source, at, depth);
  if (source.text[at] === '{') return readObject(source, at, depth);
  return readScalar(source, at);
};
