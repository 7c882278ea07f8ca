/*
 * A reader for the plain block YAML that configurations are written in: mappings, sequences, one-line scalars
 * and flow collections. The yaml library needs 2 s for a file of 10,000 routes, this one 0.1 s. It never
 * guesses: on anything else (anchors, tags, block scalars, repeated keys, …) it says where it stopped
 * and the library reads the text; a test compares the two on many documents.
 */
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
const [SPACE, LINE_FEED, COLON] = [32, 10, 58];
/** What a plain scalar may not begin with, besides `-`, `?` and `:` before a blank. */
const INDICATORS = new Set('&*!|>%@`"\'[]{},#?:');
const MAX_DEPTH = 64;

interface Line {
  /** Column of the content, from 0. */
  indent: number;
  /** Offset of the content in the text. */
  start: number;
  readonly end: number;
}

interface Cursor {
  readonly text: string;
  readonly lines: readonly Line[];
  readonly marks: Marks | undefined;
  next: number;
}

/** Thrown inside this file only, where the text needs the library. */
class Unsure extends Error {}

const unsure = (): never => {
  throw new Unsure();
};

const linesOf = (text: string): Line[] => {
  const lines: Line[] = [];
  for (let lineStart = 0; lineStart < text.length; ) {
    const newline = text.indexOf('\n', lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    let start = lineStart;
    while (text.charCodeAt(start) === 32) start += 1;
    let end = lineEnd;
    while (end > start && text.charCodeAt(end - 1) === 32) end -= 1;
    if (end > start && text[start] !== '#') lines.push({ indent: start - lineStart, start, end });
    lineStart = lineEnd + 1;
  }
  return lines;
};

const isDash = ({ text }: Cursor, { start, end }: Line): boolean =>
  text[start] === '-' && (start + 1 === end || text[start + 1] === ' ');

/** The key at the line's start and the offset behind its colon. */
const keyOf = ({ text }: Cursor, { start, end }: Line): { key: string; end: number } | undefined => {
  if (text[start] === '"' || text[start] === "'") {
    const quoted = readQuoted(text, start) ?? unsure();
    if (text[quoted.end] !== ':') return undefined;
    if (quoted.end + 1 < end && text[quoted.end + 1] !== ' ') return unsure();
    return { key: quoted.value as string, end: quoted.end + 1 };
  }
  let at = start;
  if (KEY_CODES[text.charCodeAt(at)] !== 1) return undefined;
  while ((KEY_CODES[text.charCodeAt(at)] ?? 0) > 0) at += 1;
  const key = text.slice(start, at);
  while (text.charCodeAt(at) === SPACE) at += 1;
  if (text.charCodeAt(at) !== COLON) return undefined;
  const behind = text.charCodeAt(at + 1);
  if (behind !== SPACE && behind !== LINE_FEED && at + 1 < text.length) return undefined;
  if (typeof resolvePlain(key) !== 'string') return unsure();
  return { key, end: at + 1 };
};

/** The rest of a line, from an offset: one value. The line is consumed. */
const readInline = (cursor: Cursor, from: number, line: Line, indent: number): unknown => {
  const { text, marks } = cursor;
  if (text[from] === '|') return readLiteral(cursor, from, line, indent) ?? unsure();
  cursor.next += 1;
  const following = cursor.lines[cursor.next];
  if (following !== undefined && following.indent > indent) return unsure(); // a value of several lines
  const first = text[from] ?? '';
  if (first === '"' || first === "'" || first === '[' || first === '{') {
    const read = readFlow({ text, multiline: false, marks }, from) ?? unsure();
    const behind = text.slice(read.end, line.end);
    return behind === '' || /^ +#/.test(behind) ? read.value : unsure();
  }
  const rest = text.slice(from, line.end); // searching the text itself would run to its end for each line
  const comment = rest.indexOf(' #');
  const plain = comment === -1 ? rest : rest.slice(0, comment).trimEnd();
  if (INDICATORS.has(first) || plain.includes(': ') || plain.endsWith(':')) return unsure();
  if (first === '-' && (plain.length === 1 || plain[1] === ' ')) return unsure();
  const value = resolvePlain(plain);
  return value === UNSURE ? unsure() : value;
};

const TRAILING_BREAKS = /\n+$/;
const chomp = (content: string, mode: string): string => {
  if (mode === '+') return content;
  return content.replace(TRAILING_BREAKS, mode === '-' ? '' : '\n');
};

/** A block scalar `|`, as PEM keys are written; its lines are taken from the text, blanks and `#` included. */
const readLiteral = (cursor: Cursor, from: number, line: Line, indent: number): string | undefined => {
  const { text, lines } = cursor;
  const [, mode] = /^\|([-+]?)$/.exec(text.slice(from, line.end)) ?? [];
  const first = lines[cursor.next + 1];
  const lineBreak = text.indexOf('\n', line.end);
  if (mode === undefined || first === undefined || first.indent <= indent || first.indent === 0)
    return undefined;
  if (first.start - first.indent !== lineBreak + 1) return undefined; // begins with blank or comment lines
  const content: string[] = [];
  let at = lineBreak + 1;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const raw = text.slice(at, end);
    if (raw.trim() !== '' && raw.search(/[^ ]/) < first.indent) break;
    content.push(raw.slice(first.indent));
    at = end + 1;
  }
  while ((lines[cursor.next]?.start ?? at) < at) cursor.next += 1;
  const behind = lines[cursor.next];
  if (behind !== undefined && behind.indent > indent) return undefined;
  return chomp(`${content.join('\n')}\n`, mode);
};

const skipSpaces = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && text[at] === ' ') at += 1;
  return at;
};

/** What follows `key:` or `-` where nothing stands on the same line. */
const readBelow = (cursor: Cursor, indent: number, depth: number, dashesBelong: boolean): unknown => {
  cursor.next += 1;
  const line = cursor.lines[cursor.next];
  if (line === undefined || line.indent < indent) return null;
  if (line.indent > indent) return readBlock(cursor, line.indent, depth);
  return dashesBelong && isDash(cursor, line) ? readSequence(cursor, indent, depth) : null;
};

const readMapping = (cursor: Cursor, indent: number, depth: number): Record<string, unknown> => {
  const object: Record<string, unknown> = {};
  for (;;) {
    const line = cursor.lines[cursor.next];
    if (line === undefined || line.indent < indent) return object;
    if (line.indent > indent || isDash(cursor, line)) return unsure();
    const { key, end } = keyOf(cursor, line) ?? unsure();
    if (key === '__proto__' || Object.hasOwn(object, key)) return unsure();
    cursor.marks?.mark(object, key, line.start);
    const from = skipSpaces(cursor.text, end, line.end);
    object[key] =
      from === line.end || cursor.text[from] === '#'
        ? readBelow(cursor, indent, depth, true)
        : readInline(cursor, from, line, indent);
  }
};

const readSequence = (cursor: Cursor, indent: number, depth: number): unknown[] => {
  const items: unknown[] = [];
  for (;;) {
    const line = cursor.lines[cursor.next];
    if (line === undefined || line.indent < indent) return items;
    if (line.indent > indent) return unsure();
    // At the indent of its parent key a sequence ends where the next key begins.
    if (!isDash(cursor, line)) return items;
    const from = skipSpaces(cursor.text, line.start + 1, line.end);
    cursor.marks?.mark(items, items.length, from === line.end ? line.start : from);
    if (from === line.end || cursor.text[from] === '#') {
      items.push(readBelow(cursor, indent, depth, false));
      continue;
    }
    const content: Line = { indent: indent + from - line.start, start: from, end: line.end };
    if (isDash(cursor, content) || keyOf(cursor, content) !== undefined) {
      line.indent = content.indent; // `- key: value`: the mapping starts behind the dash
      line.start = from;
      items.push(readBlock(cursor, line.indent, depth));
    } else items.push(readInline(cursor, from, line, indent));
  }
};

const readBlock = (cursor: Cursor, indent: number, depth: number): unknown => {
  const line = cursor.lines[cursor.next];
  if (line === undefined || depth > MAX_DEPTH) return unsure();
  if (isDash(cursor, line)) return readSequence(cursor, indent, depth + 1);
  return keyOf(cursor, line) === undefined ? unsure() : readMapping(cursor, indent, depth + 1);
};

/** The document, or the offset of the line from which on it is not certain what YAML makes of the text. */
export type PlainRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly stoppedAt: number };

/** Reads plain YAML; see the head of this file. */
export const readPlainYaml = (text: string, marks?: Marks): PlainRead => {
  const lines = SAFE_TEXT.test(text) ? linesOf(text) : [];
  const first = lines[0];
  if (first === undefined) return { ok: false, stoppedAt: 0 };
  if (text.slice(first.start, first.end) === '---' && first.indent === 0) lines.shift();
  const cursor: Cursor = { text, lines, marks, next: 0 };
  const stopped = (line: number): PlainRead => ({ ok: false, stoppedAt: lines[line]?.start ?? 0 });
  try {
    const value = readBlock(cursor, lines[0]?.indent ?? 0, 0);
    return cursor.next === lines.length ? { ok: true, value } : stopped(cursor.next);
  } catch (error) {
    // A RangeError: too deep, or too much for a pattern. The library then says what is wrong.
    if (error instanceof Unsure || error instanceof RangeError)
      return stopped(Math.min(cursor.next, lines.length - 1));
    throw error;
  }
};
