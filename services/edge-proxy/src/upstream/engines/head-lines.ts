/** A head that is spread over more than this is decoded line by line. */
const MAX_BLOCK_BYTES = 32 * 1024;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * The header lines of an answer, decoded. No array, on purpose: of each array of lines undici makes an object by
 * name, which costs as much again and which nobody here reads.
 */
export class HeadLines {
  readonly lines: string[];
  readonly length: number;

  constructor(raw: readonly Buffer[]) {
    this.lines = linesOf(raw);
    this.length = raw.length;
  }
}

/** Flat `[name, value, …]`, byte for byte, as Node has them; values without the white space that may follow them. */
export const linesOf = (raw: readonly Buffer[]): string[] => {
  const first = raw[0];
  const last = raw.at(-1);
  if (first === undefined || last === undefined) return [];
  const from = first.byteOffset;
  const bytes = last.byteOffset + last.length - from;
  if (!isOneBlock(raw) || bytes > MAX_BLOCK_BYTES) return raw.map(aloneOf);
  // A head mostly comes in one piece: one call for all of it, in place of one for each name and value.
  const text = Buffer.from(first.buffer, from, bytes).toString('latin1');
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i++) {
    const part = raw[i] as Buffer;
    const start = part.byteOffset - from;
    const end = start + part.length;
    lines.push(text.slice(start, i % 2 === 0 ? end : endOfValue(text, start, end)));
  }
  return lines;
};

/** One after the other in the same memory. */
const isOneBlock = (raw: readonly Buffer[]): boolean => {
  const buffer = raw[0]?.buffer;
  let at = 0;
  for (const part of raw) {
    if (part.buffer !== buffer || part.byteOffset < at) return false;
    at = part.byteOffset + part.length;
  }
  return true;
};

const aloneOf = (part: Buffer, index: number): string => {
  const text = part.toString('latin1');
  return index % 2 === 0 ? text : text.slice(0, endOfValue(text, 0, text.length));
};

/** RFC 9112 section 5. */
const endOfValue = (text: string, start: number, end: number): number => {
  let at = end;
  while (at > start && isBlank(text.charCodeAt(at - 1))) at -= 1;
  return at;
};

const isBlank = (code: number): boolean => code === SPACE || code === TAB;
