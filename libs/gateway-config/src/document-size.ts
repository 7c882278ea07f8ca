/*
 * How much one document may hold, counted before or while it is read. Without it 32 MiB of brackets, or of names
 * that are all different, keep a process busy for half a minute; see docs/adr/0049.
 */

/** Values and containers of one document. A dump of 32 MiB with every default in it has 1.8 million. */
export const MAX_VALUES = 2_000_000;
/** Items of one list; no document may have more entities. */
export const MAX_ITEMS = 100_000;
/** Fields of one map. */
export const MAX_FIELDS = 10_000;
/** Different names of fields in one document: an engine keeps a shape of objects for each. */
export const MAX_NAMES = 50_000;
/** Lines of one text, blank ones and comments too. */
export const MAX_LINES = 3_000_000;
/** Deeper than this is not even read; up to here the answer can say where it is too deep. */
const MAX_READ_DEPTH = 1000;

/** A document that is larger than any configuration; the message says in what. */
export class DocumentTooLarge extends Error {}

/** Counts what a reader finds; each call throws `DocumentTooLarge` where that is too much. */
export class DocumentSize {
  #values = 0;
  readonly #names = new Set<string>();

  value(): void {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw new DocumentTooLarge(`more than ${MAX_VALUES} values`);
  }

  /** One more in a list that has `before` already. */
  item(before: number): void {
    if (before >= MAX_ITEMS) throw new DocumentTooLarge(`more than ${MAX_ITEMS} items in one list`);
  }

  /** One more in a map that has `before` already. */
  field(before: number): void {
    if (before >= MAX_FIELDS) throw new DocumentTooLarge(`more than ${MAX_FIELDS} fields in one map`);
  }

  name(name: string): void {
    this.#names.add(name);
    if (this.#names.size > MAX_NAMES) throw new DocumentTooLarge(`more than ${MAX_NAMES} different names`);
  }
}

/** @throws DocumentTooLarge */
export const limitLines = (text: string): void => {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
    if (++lines > MAX_LINES) throw new DocumentTooLarge(`more than ${MAX_LINES} lines`);
};

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, OPEN_MAP, CLOSE_LIST, CLOSE_MAP] = [0x5b, 0x7b, 0x5d, 0x7d];

/**
 * Counts what a JSON text holds, without building any of it. JSON.parse needs seconds and gigabytes for millions of
 * brackets or names; this looks no further than the first that is too much.
 * @throws DocumentTooLarge
 */
export const limitJson = (json: string, maxDepth: number = MAX_READ_DEPTH): void => {
  const size = new DocumentSize();
  /** Commas so far, by level, and whether it is a list that is open there. */
  const commas = new Uint32Array(maxDepth + 1);
  const isList = new Uint8Array(maxDepth + 1);
  let depth = 0;
  let [nameStart, nameEnd] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      nameStart = at + 1;
      at = endOfText(json, at);
      nameEnd = at;
    } else if (code === COMMA) {
      size.value();
      const before = (commas[depth] ?? 0) + 1;
      commas[depth] = before;
      if (isList[depth] === 1) size.item(before);
      else size.field(before);
    } else if (code === COLON) size.name(json.slice(nameStart, nameEnd));
    else if (code === OPEN_LIST || code === OPEN_MAP) {
      size.value();
      depth += 1;
      if (depth > maxDepth) throw new DocumentTooLarge(`nested deeper than ${maxDepth} levels`);
      commas[depth] = 0;
      isList[depth] = code === OPEN_LIST ? 1 : 0;
    } else if ((code === CLOSE_LIST || code === CLOSE_MAP) && depth > 0) depth -= 1;
  }
};

/** Place of the quote that ends a text; the end where none does. */
const endOfText = (json: string, from: number): number => {
  for (let end = json.indexOf('"', from + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
};
