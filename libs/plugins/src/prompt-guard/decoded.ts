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

/** Which kinds of runs a text has that are long enough. The expressions above cost more than this look. */
const runsIn = (text: string): number => {
  let base64 = 0;
  let hex = 0;
  let found = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const kind = code < 128 ? (RUN_KIND[code] as number) : 0;
    base64 = (kind & IS_BASE64) === 0 ? 0 : base64 + 1;
    hex = (kind & IS_HEX) === 0 ? 0 : hex + 1;
    if (base64 >= MIN_RUN) found |= IS_BASE64;
    if (hex >= MIN_RUN) found |= IS_HEX;
  }
  return found;
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
  const runs = runsIn(text);
  const found: string[] = [];
  if ((runs & IS_BASE64) !== 0)
    found.push(...pieces(text, BASE64, (piece) => Buffer.from(piece, 'base64').toString()));
  if ((runs & IS_HEX) !== 0) {
    found.push(
      ...pieces(text, HEX, (piece) => Buffer.from(piece.replaceAll(/[ :,]/g, ''), 'hex').toString()),
    );
    found.push(...pieces(text, BINARY, fromBinary));
  }
  const plain = unescaped(text);
  if (plain !== undefined) found.push(plain);
  return found;
};
