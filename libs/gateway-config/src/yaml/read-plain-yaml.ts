/*
 * A reader for the plain block YAML that configurations are written in: mappings, sequences, one-line scalars
 * and flow collections. The yaml library needs 2 s for a file of 10,000 routes, this one 0.1 s. It never
 * guesses: on anything else (anchors, tags, block scalars, repeated keys, …) it says where it stopped
 * and the library reads the text; a test compares the two on many documents.
 */
import { DocumentSize } from '../document-size.ts';
import type { Marks } from './marks.ts';
import { readFlow, readQuoted } from './read-flow.ts';
import { resolvePlain, UNSURE } from './scalars.ts';

const SAFE_TEXT = /^[\n\x20-\x7e\xa0-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;
/** By character code: 1 where a plain key may begin, 2 where it may only go on. */
const KEY_CODES = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[A-Za-z_]/.test(char)) return 1;
  return /[\w./-]/.test(char) ? 2 : 0;
});
const [SPACE, LINE_FEED, COLON, HASH, DASH] = [32, 10, 58, 35, 45];
/** What a plain scalar may not begin with, besides `-`, `?` and `:` before a blank; by character code. */
const INDICATORS = Uint8Array.from({ length: 128 }, (_, code) =>
  Number('&*!|>%@`"\'[]{},#?:'.includes(String.fromCharCode(code))),
);
const MAX_DEPTH = 64;

/** The line that is read next: nothing is kept of the others, a large text has a hundred thousand. */
interface Cursor {
  readonly text: string;
  readonly marks: Marks | undefined;
  readonly size: DocumentSize;
  /** Column of the line's content, from 0; NO_LINE behind the last one. */
  indent: number;
  /** Offset of its content in the text, and of the end of that. */
  start: number;
  end: number;
  /** Offset of the line behind it. */
  nextLine: number;
  /** Offset of what stands behind the colon of the key that was read last. */
  behindKey: number;
}

const NO_LINE = -1;

/** Thrown inside this file only, where the text needs the library. */
class Unsure extends Error {}

const unsure = (): never => {
  throw new Unsure();
};

/** On to the next line that has content. */
const advance = (cursor: Cursor): void => {
  const { text } = cursor;
  while (cursor.nextLine < text.length) {
    const lineStart = cursor.nextLine;
    const newline = text.indexOf('\n', lineStart);
    let end = newline === -1 ? text.length : newline;
    cursor.nextLine = end + 1;
    let start = lineStart;
    while (text.charCodeAt(start) === SPACE) start += 1;
    while (end > start && text.charCodeAt(end - 1) === SPACE) end -= 1;
    if (end <= start || text.charCodeAt(start) === HASH) continue;
    cursor.indent = start - lineStart;
    cursor.start = start;
    cursor.end = end;
    return;
  }
  cursor.indent = NO_LINE;
};

const isDash = ({ text, start, end }: Cursor): boolean =>
  text.charCodeAt(start) === DASH && (start + 1 === end || text.charCodeAt(start + 1) === SPACE);

/** The key at the line's start; `behindKey` is then the offset behind its colon. */
const keyOf = (cursor: Cursor): string | undefined => {
  const { text, start, end, size } = cursor;
  if (text[start] === '"' || text[start] === "'") {
    const quoted = readQuoted(text, start, size) ?? unsure();
    if (text[quoted.end] !== ':') return undefined;
    if (quoted.end + 1 < end && text[quoted.end + 1] !== ' ') return unsure();
    cursor.behindKey = quoted.end + 1;
    return quoted.value as string;
  }
  let at = start;
  if (KEY_CODES[text.charCodeAt(at)] !== 1) return undefined;
  while ((KEY_CODES[text.charCodeAt(at)] ?? 0) > 0) at += 1;
  const keyEnd = at;
  while (text.charCodeAt(at) === SPACE) at += 1;
  if (!isColon(text, at)) return undefined;
  const key = text.slice(start, keyEnd); // only now: most that stands behind a dash is no key
  if (typeof resolvePlain(key) !== 'string') return unsure();
  cursor.behindKey = at + 1;
  return key;
};

/** A colon that ends a key. */
const isColon = (text: string, at: number): boolean => {
  if (text.charCodeAt(at) !== COLON) return false;
  const behind = text.charCodeAt(at + 1);
  return behind === SPACE || behind === LINE_FEED || at + 1 >= text.length;
};

/** Whether `keyOf` would answer this key, which it answered for a line before; `behindKey` is then set. */
const isKey = (cursor: Cursor, key: string): boolean => {
  const { text, start } = cursor;
  if (!text.startsWith(key, start) || !isColon(text, start + key.length)) return false;
  cursor.behindKey = start + key.length + 1;
  return true;
};

/** The rest of the line, from an offset: one value. The line is consumed. */
const readInline = (cursor: Cursor, from: number, indent: number): unknown => {
  const { text, marks, size, end } = cursor;
  const first = text[from] ?? '';
  if (first === '|') return readLiteral(cursor, from, indent);
  advance(cursor);
  if (cursor.indent > indent) return unsure(); // a value of several lines
  if (first === '"' || first === "'" || first === '[' || first === '{') {
    const read = readFlow({ text, multiline: false, marks, size }, from) ?? unsure();
    return read.end === end || /^ +#/.test(text.slice(read.end, end)) ? read.value : unsure();
  }
  if (INDICATORS[text.charCodeAt(from)] === 1) return unsure();
  const plain = text.slice(from, endOfPlain(text, from, end));
  if (first === '-' && (plain.length === 1 || plain[1] === ' ')) return unsure();
  const value = resolvePlain(plain);
  return value === UNSURE ? unsure() : value;
};

/** Where a plain scalar ends: before a comment, without the blanks there. A colon like that of a key: not certain. */
const endOfPlain = (text: string, from: number, end: number): number => {
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON && (at + 1 === end || text.charCodeAt(at + 1) === SPACE)) return unsure();
    if (code !== HASH || text.charCodeAt(at - 1) !== SPACE) continue;
    let last = at;
    while (text.charCodeAt(last - 1) === SPACE) last -= 1;
    return last;
  }
  return end;
};

const TRAILING_BREAKS = /\n+$/;
const chomp = (content: string, mode: string): string => {
  if (mode === '+') return content;
  return content.replace(TRAILING_BREAKS, mode === '-' ? '' : '\n');
};

/** A block scalar `|`, as PEM keys are written; its lines are taken from the text, blanks and `#` included. */
const readLiteral = (cursor: Cursor, from: number, indent: number): string => {
  const { text, end: headEnd } = cursor;
  const [, mode] = /^\|([-+]?)$/.exec(text.slice(from, headEnd)) ?? [];
  const lineBreak = text.indexOf('\n', headEnd);
  advance(cursor);
  if (mode === undefined || cursor.indent <= Math.max(indent, 0)) return unsure();
  if (cursor.start - cursor.indent !== lineBreak + 1) return unsure(); // begins with blank or comment lines
  const content: string[] = [];
  let at = lineBreak + 1;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const raw = text.slice(at, end);
    if (raw.trim() !== '' && raw.search(/[^ ]/) < cursor.indent) break;
    content.push(raw.slice(cursor.indent));
    at = end + 1;
  }
  cursor.nextLine = at;
  advance(cursor);
  if (cursor.indent > indent) return unsure();
  return chomp(`${content.join('\n')}\n`, mode);
};

const skipSpaces = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && text.charCodeAt(at) === SPACE) at += 1;
  return at;
};

/** What follows `key:` or `-` where nothing stands on the same line. */
const readBelow = (cursor: Cursor, indent: number, depth: number, dashesBelong: boolean): unknown => {
  advance(cursor);
  if (cursor.indent < indent) return null;
  if (cursor.indent > indent) return readBlock(cursor, cursor.indent, depth);
  return dashesBelong && isDash(cursor) ? readSequence(cursor, indent, depth) : null;
};

/**
 * `row` holds the keys of the mapping before it in the same sequence, in their order, and afterwards those of this
 * one: as a rule they are the same, and a key that is expected need not be cut out or looked for among the others.
 */
const readMapping = (
  cursor: Cursor,
  indent: number,
  depth: number,
  row: string[] = [],
): Record<string, unknown> => {
  const object: Record<string, unknown> = {};
  for (let place = 0; ; place += 1) {
    if (cursor.indent < indent) return object;
    if (cursor.indent > indent || isDash(cursor)) return unsure();
    const expected = row[place];
    cursor.size.field(place);
    cursor.size.value();
    const isExpected = expected !== undefined && isKey(cursor, expected);
    const key = isExpected ? expected : newKey(cursor, object, row, place);
    cursor.marks?.mark(object, key, cursor.start);
    const from = skipSpaces(cursor.text, cursor.behindKey, cursor.end);
    object[key] =
      from === cursor.end || cursor.text.charCodeAt(from) === HASH
        ? readBelow(cursor, indent, depth, true)
        : readInline(cursor, from, indent);
  }
};

/** A key that was not expected at its place of the row; from there on the row is that of this mapping. */
const newKey = (cursor: Cursor, object: object, row: string[], place: number): string => {
  const key = keyOf(cursor) ?? unsure();
  if (key === '__proto__' || Object.hasOwn(object, key)) return unsure();
  cursor.size.name(key);
  row.length = Math.min(row.length, place);
  // Behind a quoted key nothing is expected: what it says may mean something else without quotes.
  if (row.length === place && KEY_CODES[cursor.text.charCodeAt(cursor.start)] === 1) row.push(key);
  return key;
};

const readSequence = (cursor: Cursor, indent: number, depth: number): unknown[] => {
  const items: unknown[] = [];
  const row: string[] = [];
  for (;;) {
    if (cursor.indent < indent) return items;
    if (cursor.indent > indent) return unsure();
    // At the indent of its parent key a sequence ends where the next key begins.
    if (!isDash(cursor)) return items;
    cursor.size.item(items.length);
    cursor.size.value();
    const from = skipSpaces(cursor.text, cursor.start + 1, cursor.end);
    cursor.marks?.mark(items, items.length, from === cursor.end ? cursor.start : from);
    if (from === cursor.end || cursor.text.charCodeAt(from) === HASH) {
      items.push(readBelow(cursor, indent, depth, false));
      continue;
    }
    cursor.indent += from - cursor.start; // `- key: value`: the mapping starts behind the dash
    cursor.start = from;
    const isKeyed = row[0] !== undefined && isKey(cursor, row[0]);
    if (isKeyed || isDash(cursor) || keyOf(cursor) !== undefined)
      items.push(readBlock(cursor, cursor.indent, depth, row));
    else items.push(readInline(cursor, from, indent));
  }
};

const readBlock = (cursor: Cursor, indent: number, depth: number, row: string[] = []): unknown => {
  if (cursor.indent === NO_LINE || depth > MAX_DEPTH) return unsure();
  if (isDash(cursor)) return readSequence(cursor, indent, depth + 1);
  const isKeyed = (row[0] !== undefined && isKey(cursor, row[0])) || keyOf(cursor) !== undefined;
  return isKeyed ? readMapping(cursor, indent, depth + 1, row) : unsure();
};

/** The document, or the offset of the line from which on it is not certain what YAML makes of the text. */
export type PlainRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly stoppedAt: number };

/**
 * Reads plain YAML; see the head of this file.
 * @throws DocumentTooLarge
 */
export const readPlainYaml = (text: string, marks?: Marks): PlainRead => {
  const size = new DocumentSize();
  const cursor: Cursor = { text, marks, size, indent: NO_LINE, start: 0, end: 0, nextLine: 0, behindKey: 0 };
  if (!SAFE_TEXT.test(text)) return { ok: false, stoppedAt: 0 };
  advance(cursor);
  if (cursor.indent === 0 && text.slice(cursor.start, cursor.end) === '---') advance(cursor);
  if (cursor.indent === NO_LINE) return { ok: false, stoppedAt: 0 };
  try {
    const value = readBlock(cursor, cursor.indent, 0);
    if (cursor.indent === NO_LINE) return { ok: true, value };
  } catch (error) {
    // A RangeError: too deep, or too much for a pattern. The library then says what is wrong.
    if (!(error instanceof Unsure || error instanceof RangeError)) throw error;
  }
  return { ok: false, stoppedAt: cursor.start };
};
