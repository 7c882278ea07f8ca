/*
 * Texts inside a text: what a model would read out of base64, hex, percent signs and the like. Each pass is
 * linear, and what is decoded is never longer than what it was decoded from.
 */

const BASE64 = /[A-Za-z0-9+/_-]{20,}={0,2}/g;
const HEX = /(?:[0-9A-Fa-f]{2}[ :,]?){10,}/g;
const BINARY = /(?:[01]{8} ?){5,}/g;
const MAX_PIECES = 20;

/** Shortest run that can be base64 or hex. */
const MIN_RUN = 20;
const IS_BASE64 = 1;
const IS_HEX = 2;
const RUN_KIND = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[A-Za-z0-9+/_-]/.test(char)) RUN_KIND[code] = IS_BASE64;
  if (/[0-9A-Fa-f :,]/.test(char)) RUN_KIND[code] = (RUN_KIND[code] ?? 0) | IS_HEX;
}

const isOf = (text: string, at: number, kind: number): boolean => {
  const code = text.charCodeAt(at);
  return code < 128 && ((RUN_KIND[code] as number) & kind) !== 0;
};

/** Whether a run is long enough. One of that length covers a character of every twentieth. */
const hasRun = (text: string, kind: number): boolean => {
  for (let at = MIN_RUN - 1; at < text.length; at += MIN_RUN) {
    if (!isOf(text, at, kind)) continue;
    let from = at;
    while (from > 0 && at - from < MIN_RUN && isOf(text, from - 1, kind)) from -= 1;
    let until = at + 1;
    while (until < text.length && until - from < MIN_RUN && isOf(text, until, kind)) until += 1;
    if (until - from >= MIN_RUN) return true;
  }
  return false;
};

const isText = (text: string): boolean => {
  if (text.length < 8) return false;
  let odd = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 10 && code !== 13 && code !== 9) || code === 0xfffd || code === 127) odd += 1;
  }
  return odd === 0 && /[a-z]/i.test(text);
};

const pieces = (text: string, pattern: RegExp, decode: (piece: string) => string): string[] => {
  const found: string[] = [];
  for (const [piece] of text.matchAll(pattern)) {
    if (found.length >= MAX_PIECES) break;
    const plain = decode(piece);
    if (isText(plain)) found.push(plain);
  }
  return found;
};

const fromBinary = (piece: string): string =>
  (piece.match(/[01]{8}/g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join('');

const codePoint = (digits: string, radix: number): string => {
  const code = Number.parseInt(digits, radix);
  return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : ' ';
};

/** Escapes within text: `%69`, `\x69`, `\u0069`, `&#105;`. Undefined where there are too few to hide anything. */
const unescaped = (text: string): string | undefined => {
  if (!text.includes('%') && !text.includes('\\') && !text.includes('&#')) return undefined;
  let count = 0;
  const plain = text.replace(
    /%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#(\d{2,6});?|&#x([0-9A-Fa-f]{2,5});?/g,
    (_, percent?: string, x?: string, u?: string, decimal?: string, hex?: string) => {
      count += 1;
      const digits = percent ?? x ?? u ?? hex;
      return digits === undefined ? codePoint(decimal ?? '', 10) : codePoint(digits, 16);
    },
  );
  return count >= 6 ? plain : undefined;
};

/** The texts that are written inside a text in another form. */
export const decodedTexts = (text: string): string[] => {
  const found: string[] = [];
  if (hasRun(text, IS_BASE64))
    found.push(...pieces(text, BASE64, (piece) => Buffer.from(piece, 'base64').toString()));
  if (hasRun(text, IS_HEX)) {
    found.push(
      ...pieces(text, HEX, (piece) => Buffer.from(piece.replaceAll(/[ :,]/g, ''), 'hex').toString()),
    );
    found.push(...pieces(text, BINARY, fromBinary));
  }
  const plain = unescaped(text);
  if (plain !== undefined) found.push(plain);
  return found;
};
