import type { Ignored } from './ignored.ts';
import { FACTOR_A, FACTOR_B, type Lanes, mix, START, take, takeAll } from './lanes.ts';

/** An object or a list that is open. */
interface Frame {
  readonly isObject: boolean;
  /** Of where it stands. */
  readonly path: Lanes;
  readonly ignored: readonly Ignored[];
  isSkipped: boolean;
  index: number;
}

type State = 'value' | 'first' | 'name' | 'colon' | 'next' | 'text' | 'word' | 'end' | 'broken';

const MAX_DEPTH = 64;
const MAX_WORD_CHARS = 64;
/** Longer names are in nobody's list of what to leave out. */
const MAX_NAME_BYTES = 256;
/** More digits than a double holds: such numbers are compared as they are written. */
const EXACT_DIGITS = 15;
/** What stands after a backslash, and what is meant by it. */
const ESCAPES = new Map(
  [...'"\\/bfnrt'].map((letter, i) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(i)]),
);
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LETTER_U = 0x75;
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 10 || byte === 13 || byte === 9;
const WORD = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)$/;

/**
 * A sum over what JSON says, taken while its bytes pass: nothing of it is kept but the path to the present place.
 * Each value adds a figure made of its path and itself, so neither blanks nor the order of members matter.
 */
export class JsonSum {
  readonly #stack: Frame[] = [];
  #state: State = 'value';
  #sumA = 0;
  #sumB = 0;
  #count = 0;
  /** Of the name or text that is being read. */
  #lanes: Lanes = { ...START };
  #isName = false;
  /** Some name is to be left out here. */
  #isNameRead = false;
  #name: number[] = [];
  /** Where the next value stands. */
  #path: Lanes = START;
  #ignored: readonly Ignored[];
  #isSkipped = false;
  #word = '';
  /** After a backslash: 0; hex digits of a `\u` still to come. */
  #escape: number | undefined;
  #unit = 0;
  #highHalf = 0;

  constructor(ignored: Ignored | undefined) {
    this.#ignored = ignored === undefined ? [] : [ignored];
  }

  update(chunk: Buffer): void {
    for (let i = 0; i < chunk.length && this.#state !== 'broken'; ) {
      if (this.#state === 'text' && this.#escape === undefined) i = this.#letters(chunk, i);
      if (i < chunk.length) this.#take(chunk[i++] as number);
    }
  }

  /** The sum, undefined for what is no JSON. */
  end(): string | undefined {
    if (this.#state === 'word') this.#endWord();
    if (this.#state !== 'end') return undefined;
    return `${this.#count}-${this.#sumA >>> 0}-${this.#sumB >>> 0}`;
  }

  #take(byte: number): void {
    if (this.#state === 'text') {
      this.#inText(byte);
      return;
    }
    if (this.#state === 'word') {
      if (!isBlank(byte) && byte !== COMMA && byte !== CLOSE_LIST && byte !== CLOSE_OBJECT) {
        this.#word += String.fromCharCode(byte);
        if (this.#word.length > MAX_WORD_CHARS) this.#state = 'broken';
        return;
      }
      this.#endWord();
    }
    if (!isBlank(byte) && this.#state !== ('broken' as State)) this.#between(byte);
  }

  /** A byte that is neither blank nor inside a text or a word. */
  #between(byte: number): void {
    const open = this.#stack.at(-1);
    if (this.#state === 'first' && byte === (open?.isObject === true ? CLOSE_OBJECT : CLOSE_LIST)) {
      this.#close();
    } else if (this.#state === 'name' || (this.#state === 'first' && open?.isObject === true)) {
      if (byte === QUOTE) this.#beginText(true);
      else this.#state = 'broken';
    } else if (this.#state === 'colon') this.#state = byte === COLON ? 'value' : 'broken';
    else if (this.#state === 'next' && open !== undefined) this.#afterValue(byte, open);
    else if (this.#state === 'value' || this.#state === 'first') this.#beginValue(byte, open);
    else this.#state = 'broken';
  }

  #afterValue(byte: number, open: Frame): void {
    if (byte === COMMA) this.#state = open.isObject ? 'name' : 'value';
    else if (byte === (open.isObject ? CLOSE_OBJECT : CLOSE_LIST)) this.#close();
    else this.#state = 'broken';
  }

  #beginValue(byte: number, open: Frame | undefined): void {
    if (open !== undefined && !open.isObject) this.#stepInto(open, `${open.index++}`);
    if (byte === QUOTE) this.#beginText(false);
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte === OPEN_OBJECT);
    else {
      this.#word = String.fromCharCode(byte);
      this.#state = 'word';
    }
  }

  /** The value to come stands at a name or index of an open object or list. */
  #stepInto(open: Frame, step: string): void {
    const path = { ...open.path };
    take(path, open.isObject ? OPEN_OBJECT : OPEN_LIST);
    takeAll(path, step);
    this.#at(open, mix(path), step);
  }

  #at(open: Frame, path: Lanes, step: string): void {
    this.#path = path;
    this.#isSkipped = open.isSkipped;
    this.#ignored = [];
    if (open.ignored.length === 0 || open.isSkipped) return;
    this.#ignored = open.ignored.flatMap(({ steps }) =>
      [steps.get(step), steps.get('*')].filter((next) => next !== undefined),
    );
    this.#isSkipped = this.#ignored.some(({ isEnd }) => isEnd);
  }

  #open(isObject: boolean): void {
    if (this.#stack.length === MAX_DEPTH) {
      this.#state = 'broken';
      return;
    }
    this.#add(isObject ? '{' : '['); // so that an empty one counts
    const [path, ignored, isSkipped] = [this.#path, this.#ignored, this.#isSkipped];
    this.#stack.push({ isObject, path, ignored, isSkipped, index: 0 });
    this.#state = 'first';
  }

  #close(): void {
    this.#stack.pop();
    this.#ended();
  }

  #ended(): void {
    this.#state = this.#stack.length === 0 ? 'end' : 'next';
  }

  #beginText(isName: boolean): void {
    this.#isName = isName;
    this.#isNameRead = isName && this.#stack.at(-1)?.ignored.length !== 0;
    this.#lanes = { ...START };
    this.#name = [];
    this.#escape = undefined;
    this.#highHalf = 0;
    this.#state = 'text';
  }

  #inText(byte: number): void {
    if (this.#escape !== undefined) this.#inEscape(byte);
    else if (byte === BACKSLASH) this.#escape = 0;
    else if (byte === QUOTE) this.#endText();
    else this.#letter(byte);
  }

  #inEscape(byte: number): void {
    if (this.#escape === 0) {
      const meant = ESCAPES.get(byte);
      if (byte === LETTER_U) {
        this.#escape = 4;
        this.#unit = 0;
        return;
      }
      this.#escape = undefined;
      if (meant === undefined) this.#state = 'broken';
      else this.#letter(meant);
      return;
    }
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(digit)) this.#state = 'broken';
    this.#unit = this.#unit * 16 + digit;
    this.#escape = (this.#escape as number) - 1;
    if (this.#escape > 0) return;
    this.#escape = undefined;
    this.#utf16(this.#unit);
  }

  /** A code unit of an escape, as the UTF-8 that others write. */
  #utf16(unit: number): void {
    if (unit >= 0xd800 && unit < 0xdc00) {
      this.#highHalf = unit;
      return;
    }
    const isPair = this.#highHalf !== 0 && unit >= 0xdc00 && unit < 0xe000;
    const text = isPair ? String.fromCharCode(this.#highHalf, unit) : String.fromCharCode(unit);
    this.#highHalf = 0;
    for (const byte of Buffer.from(text)) this.#letter(byte);
  }

  /** The letters from `from` on, without a step for each: most of a body is text. Returns where they end. */
  #letters(chunk: Buffer, from: number): number {
    let { a, b } = this.#lanes;
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === QUOTE || byte === BACKSLASH) break;
      a = Math.imul(a ^ byte, FACTOR_A);
      b = Math.imul(b ^ byte, FACTOR_B);
      if (this.#isNameRead && this.#name.length < MAX_NAME_BYTES) this.#name.push(byte);
    }
    this.#lanes.a = a;
    this.#lanes.b = b;
    return at;
  }

  #letter(byte: number): void {
    take(this.#lanes, byte);
    if (this.#isNameRead && this.#name.length < MAX_NAME_BYTES) this.#name.push(byte);
  }

  #endText(): void {
    if (!this.#isName) {
      this.#addLanes(QUOTE, this.#lanes);
      this.#ended();
      return;
    }
    const open = this.#stack.at(-1) as Frame;
    const path = { a: open.path.a ^ this.#lanes.a, b: Math.imul(open.path.b, 31) ^ this.#lanes.b };
    const step = open.ignored.length === 0 ? '' : Buffer.from(this.#name).toString();
    this.#at(open, mix(path), step);
    this.#state = 'colon';
  }

  #endWord(): void {
    const word = this.#word;
    if (!WORD.test(word)) {
      this.#state = 'broken';
      return;
    }
    const isAsWritten = word.length > EXACT_DIGITS || /[a-z]{4}/.test(word);
    this.#add(isAsWritten ? word : `${Number(word)}`);
    this.#ended();
  }

  #add(text: string): void {
    const lanes = { ...START };
    takeAll(lanes, text);
    this.#addLanes(0, lanes);
  }

  #addLanes(kind: number, lanes: Lanes): void {
    if (this.#isSkipped) return;
    const mixed = mix(lanes);
    const { a, b } = mix({ a: mixed.a ^ this.#path.a ^ kind, b: Math.imul(mixed.b, 31) ^ this.#path.b });
    this.#sumA = (this.#sumA + a) | 0;
    this.#sumB = (this.#sumB + b) | 0;
    this.#count += 1;
  }
}
