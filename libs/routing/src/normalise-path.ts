import { isUtf8 } from 'node:buffer';

/** A request target, read the way Kong reads it. */
export interface TargetParts {
  /** For matching: decoded but for reserved characters, dot segments resolved, slashes merged. */
  readonly path: string;
  /** Verbatim, without `?`. Empty: a bare trailing `?`. Undefined: there is none. */
  readonly query: string | undefined;
  /** The path as the client sent it; `X-Forwarded-Path`. */
  readonly rawPath: string;
  /** Host and port of an absolute-form target; the caller compares it with `Host`. */
  readonly authority: string | undefined;
  /** It has bytes by which an upstream could read another path out of it. */
  readonly isDoubtful: boolean;
}

const SPACE = 0x20;
const HASH = 0x23;
const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const LETTER_A = 0x41;
const LETTER_Z = 0x5a;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)/i;
/** RFC 3986 section 2.2 and `%`: decoding one of these would change what the path means. */
const RESERVED = new Set([..."!*'();:@&=+$,/?%#[]"].map((character) => character.charCodeAt(0)));

/**
 * Splits and normalises a raw request target (as `node:http` gives it: one character per byte). Undefined: it
 * cannot be read and the client gets 400. That is a broken percent triplet, an encoded NUL, a control
 * character, a fragment, bytes that are no UTF-8 (among them the overlong encodings of `.` and `/`), dot
 * segments that rise above the root, and a form that is neither origin nor absolute.
 */
export const normalisePath = (target: string): TargetParts | undefined => {
  if (target.charCodeAt(0) === SLASH) return readOrigin(target, undefined);
  const authority = ABSOLUTE_FORM.exec(target);
  if (authority === null) return undefined;
  const origin = target.slice(authority[0].length);
  return readOrigin(origin.startsWith('/') ? origin : `/${origin}`, authority[1]);
};

const readOrigin = (target: string, authority: string | undefined): TargetParts | undefined => {
  const question = target.indexOf('?');
  const end = question < 0 ? target.length : question;
  const rawPath = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? undefined : target.slice(question + 1);
  let isNormal = true;
  let isDoubtful = false;
  let before = 0;
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= SPACE || code === DELETE) return undefined;
    if (i >= end) continue;
    if (code === HASH) return undefined;
    if (code === PERCENT || code > DELETE || (before === SLASH && (code === DOT || code === SLASH)))
      isNormal = false;
    if (
      code === SEMICOLON ||
      code === BACKSLASH ||
      (code >= LETTER_A && code <= LETTER_Z) ||
      (code === SLASH && before === DOT)
    )
      isDoubtful = true;
    before = code;
  }
  const path = isNormal ? rawPath : resolve(rawPath);
  if (path === undefined) return undefined;
  return { path, query, rawPath, authority, isDoubtful: isDoubtful || !isNormal || before === DOT };
};

const resolve = (rawPath: string): string | undefined => {
  const decoded = decode(rawPath);
  if (decoded === undefined || risesAboveRoot(decoded)) return undefined;
  const segments: string[] = [];
  let last = '';
  for (last of decoded.slice(1).split('/')) {
    if (last === '..') segments.pop();
    else if (last !== '' && last !== '.') segments.push(last);
  }
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${segments.join('/')}${isFolder && segments.length > 0 ? '/' : ''}`;
};

/** Decodes every triplet but the reserved ones, which are kept with their digits in upper case. */
const decode = (rawPath: string): string | undefined => {
  const bytes = Buffer.allocUnsafe(rawPath.length);
  let length = 0;
  for (let i = 0; i < rawPath.length; i++) {
    const code = rawPath.charCodeAt(i);
    if (code > 0xff) return undefined;
    if (code !== PERCENT) {
      bytes[length++] = code;
      continue;
    }
    const triplet = rawPath.slice(i, i + 3).toUpperCase();
    if (!/^%[0-9A-F]{2}$/.test(triplet)) return undefined;
    const byte = Number.parseInt(triplet.slice(1), 16);
    if (byte === 0) return undefined;
    if (RESERVED.has(byte)) length += bytes.write(triplet, length, 'latin1');
    else bytes[length++] = byte;
    i += 2;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString() : undefined;
};

/** Counts an encoded slash as a slash: nginx does, and refuses such a target before Kong sees it. */
const risesAboveRoot = (decoded: string): boolean => {
  let depth = 0;
  for (const segment of decoded.slice(1).split(/\/|%2F/)) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
};

const UNSAFE = /[^!#$&'()*+,/:;=?@[\]A-Za-z0-9\-_.~%]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE, 'gu');
const percentOf = (character: string): string =>
  Buffer.from(character).reduce(
    (text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    '',
  );

/** The way back: encodes what may not stand in a request line or a header; triplets that are there stay. */
export const escapePath = (path: string): string =>
  UNSAFE.test(path) ? path.replace(EVERY_UNSAFE, percentOf) : path;
