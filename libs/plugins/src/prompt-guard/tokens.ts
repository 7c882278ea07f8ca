import { latinised, unleeted } from './fold.ts';
import { type Meaning, meaningOf, wordsInside } from './vocabulary.ts';

/** The words of a text that mean something to a rule are kept with their place among all words. */
export interface Tokens {
  /** Known words: what they mean. The other lists run in step with it. */
  readonly meanings: Meaning[];
  /** Number of the word in the text, unknown ones counted. */
  readonly places: number[];
  /** Where the word begins, in characters. */
  readonly starts: number[];
  /** The word begins a sentence, or follows one that asks for something. */
  readonly isLead: boolean[];
  readonly isQuoted: boolean[];
  /** A dot stands right before the word, as in the name of a host. */
  readonly isDotted: boolean[];
  /** Number of all words. */
  count: number;
  /** Words that were only known after letters were put in the place of look-alikes, digits or gaps. */
  disguised: number;
}

const LETTER = 1;
const LEET = 2;
const QUOTE = 3;
const END = 4;
const OTHER = 0;

const KIND = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[a-z0-9_'-]/.test(char)) KIND[code] = LETTER;
  else if (/[@$|+]/.test(char)) KIND[code] = LEET;
  else if (/["`]/.test(char)) KIND[code] = QUOTE;
  else if (/[.!?\n:;,>*#]/.test(char)) KIND[code] = END;
}

const kindOf = (code: number): number => {
  if (code < 128) return KIND[code] ?? OTHER;
  if (code === 0x3002 || code === 0xff01 || code === 0xff1f) return END;
  if (code === 0x201c || code === 0x201d || code === 0xab || code === 0xbb || code === 0x201e) return QUOTE;
  if (code === 0x2019) return LETTER;
  if ((code >= 0x2000 && code < 0x2c00) || (code >= 0x3000 && code < 0x3040) || code < 0xc0) return OTHER;
  return LETTER;
};

/** Words after which a verb is an order. */
const LEADS = new Set(
  `please now and then must you should just simply kindly first also you immediately instead so pls plz por favor bitte veuillez`.split(
    /\s+/,
  ),
);

const DIGIT_OR_SIGN = /[0-9@$|+!]/;
const HAS_LETTER = /[^0-9@$|+!_'-]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is meant.
const BEYOND_ASCII = /[^\x00-\x7f]/;
/** Scripts that write without blanks, or add to words at their end. */
const CONNECTED = /[\u0590-\u06ff\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

const MIN_GLUED = 12;
const MAX_GLUED = 160;

interface Read {
  readonly meanings: readonly Meaning[];
  readonly isDisguised: boolean;
  /** What follows it is an order. */
  readonly isLeading?: boolean;
}
const NOTHING: Read = { meanings: [], isDisguised: false };

const glued = (run: string): Read => {
  const { words, covered } = wordsInside(run, 3);
  if (words.length < 2 || covered < run.length * 0.8) return NOTHING;
  return { meanings: words.flatMap((word) => [meaningOf(word) ?? []]), isDisguised: true };
};

const ADDRESS = /^[a-z0-9_-]+@[a-z0-9-]+$/;

const disguised = (word: string): Read => {
  for (const one of ['i', 'l'] as const) {
    const plain = unleeted(word, one);
    const meaning = meaningOf(plain) ?? meaningOf(plain.replaceAll(/['_-]/g, ''));
    if (meaning !== undefined) return { meanings: [meaning], isDisguised: true };
  }
  return ADDRESS.test(word) ? { meanings: [meaningOf('mailto') ?? []], isDisguised: false } : NOTHING;
};

/** What a word means, as it stands or under its disguise. */
const readWord = (word: string): Read => {
  const meaning = meaningOf(word);
  if (meaning !== undefined) return { meanings: [meaning], isDisguised: false };
  if (CONNECTED.test(word)) {
    const { words } = wordsInside(word.slice(0, MAX_GLUED), 1);
    return { meanings: words.flatMap((one) => [meaningOf(one) ?? []]), isDisguised: false };
  }
  if (BEYOND_ASCII.test(word)) {
    const latin = latinised(word);
    const hidden = latin === word ? undefined : meaningOf(latin);
    if (hidden !== undefined) return { meanings: [hidden], isDisguised: true };
  }
  if (DIGIT_OR_SIGN.test(word) && HAS_LETTER.test(word)) return disguised(latinised(word));
  if (/['_-]/.test(word)) {
    const parts = word.split(/['_-]+/);
    if (parts.length >= MIN_SPACED && parts.every(({ length }) => length < 2)) return disguised(word);
    const meanings = parts.flatMap((part) => [meaningOf(part) ?? []]).filter(({ length }) => length > 0);
    if (meanings.length > 0) return { meanings, isDisguised: false };
    return disguised(word);
  }
  return word.length >= MIN_GLUED && word.length <= MAX_GLUED ? glued(word) : NOTHING;
};

interface Slot {
  readonly word: string;
  readonly read: Read;
}
/**
 * Words seen before, by a hash: most of a text is. A word that lands on another one's place takes it, so that
 * strangers cannot fill the memory; and the word itself is compared, so that they cannot hide one behind another.
 */
const slots: (Slot | undefined)[] = new Array(16_384).fill(undefined);
const MAX_KNOWN_CHARS = 24;
/** A slice up to here is a copy, in V8. */
const MAX_COPIED_CHARS = 12;
const NO_HASH = 0x81_1c_9d_c5;
const nextHash = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01_00_01_93);

/** What the word between two places means. */
const readAt = (text: string, start: number, end: number, hash: number): Read => {
  const at = (hash ^ (hash >>> 15)) & (slots.length - 1);
  const slot = slots[at];
  if (slot !== undefined && slot.word.length === end - start && text.startsWith(slot.word, start))
    return slot.read;
  const word = text.slice(start, end);
  const made = { ...readWord(word), isLeading: LEADS.has(word) };
  // A longer slice would hold on to all of its text.
  if (word.length <= MAX_KNOWN_CHARS)
    slots[at] = { word: word.length > MAX_COPIED_CHARS ? Buffer.from(word).toString() : word, read: made };
  return made;
};

const MIN_SPACED = 4;

/** Gathers words while a text is read. */
class Reader {
  readonly tokens: Tokens = {
    ...{
      meanings: [],
      places: [],
      starts: [],
      isLead: [],
      isQuoted: [],
      isDotted: [],
      count: 0,
      disguised: 0,
    },
  };
  readonly #text: string;
  isLead = true;
  #isQuoted = false;
  /** Letters that stand alone, one after the other. */
  #singles = '';
  #singlesFrom = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** A character that is part of no word. */
  sign(kind: number, at: number): void {
    if (kind === QUOTE) {
      this.#isQuoted = !this.#isQuoted;
      this.isLead = true;
    } else if (kind === END) {
      this.isLead = true;
      if (this.#text.charCodeAt(at) === 0x0a) this.#isQuoted = false;
    }
  }

  word(start: number, end: number, hash: number): void {
    if (end - start === 1) {
      if (this.#singles === '') this.#singlesFrom = start;
      this.#singles += this.#text.charAt(start);
    } else if (this.#singles !== '') this.endSingles();
    const one = readAt(this.#text, start, end, hash);
    if (one.meanings.length > 0) this.#addAll(one, start);
    this.tokens.count += 1;
    this.isLead = one.isLeading === true;
  }

  endSingles(): void {
    if (this.#singles.length >= MIN_SPACED) {
      const run = unleeted(latinised(this.#singles), 'i');
      const { words } = wordsInside(run.slice(0, 4 * MAX_GLUED), MIN_SPACED);
      this.isLead = true;
      const meanings = words.flatMap((one) => [meaningOf(one) ?? []]);
      this.#addAll({ meanings, isDisguised: words.length > 0 }, this.#singlesFrom);
    }
    this.#singles = '';
  }

  #addAll({ meanings, isDisguised }: Read, start: number): void {
    const { tokens } = this;
    for (const meaning of meanings) {
      tokens.meanings.push(meaning);
      tokens.places.push(tokens.count);
      tokens.starts.push(start);
      tokens.isLead.push(this.isLead);
      tokens.isQuoted.push(this.#isQuoted);
      tokens.isDotted.push(start > 0 && this.#text.charCodeAt(start - 1) === 0x2e);
      if (meanings.length > 1) tokens.count += 1;
    }
    if (isDisguised) tokens.disguised += 1;
  }
}

/** Reads folded text as words, in one pass. */
export const tokensOf = (text: string): Tokens => {
  const reader = new Reader(text);
  const end = text.length;
  let at = 0;
  while (at < end) {
    const kind = kindOf(text.charCodeAt(at));
    if (!isWordPart(kind) && !opensWithBang(text, at)) {
      reader.sign(kind, at);
      at += 1;
      continue;
    }
    const start = at;
    let hasLetter = false;
    let hash = NO_HASH;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      const inner = code < 128 ? (KIND[code] as number) : kindOf(code);
      if (inner === LETTER) hasLetter = true;
      else if (inner !== LEET && !isInnerBang(text, at)) break;
      hash = nextHash(hash, code);
    }
    if (hasLetter) reader.word(start, at, hash);
  }
  reader.endSingles();
  return reader.tokens;
};

const isWordPart = (kind: number): boolean => kind === LETTER || kind === LEET;

/** An exclamation mark between letters stands for one. */
const isInnerBang = (text: string, at: number): boolean =>
  text.charCodeAt(at) === 0x21 && at + 1 < text.length && isWordPart(kindOf(text.charCodeAt(at + 1)));

/** The same at the start of a word: `!gn0re`. */
const opensWithBang = (text: string, at: number): boolean =>
  isInnerBang(text, at) && (at === 0 || text.charCodeAt(at - 1) === 0x20);
