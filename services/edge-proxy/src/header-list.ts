import type { HeaderList } from '@sluice/plugins';

const NONE: readonly string[] = [];

/** The same hundred names come again and again. More of them are somebody's invention, and not remembered. */
const MAX_KEYS = 1024;
/** What clients and upstreams may add: the gateway's own names always find a place. */
const MAX_KEYS_OF_PEERS = 512;
const MAX_KEY_CHARS = 64;
const keys = new Map<string, string>();

/**
 * A name in lower case. One object for each name: looking it up costs a third of writing it in lower case anew, and
 * equal names are then told by their address.
 */
const keyOf = (name: string): string => keys.get(name) ?? learn(name, MAX_KEYS);
/** The same for names that clients and upstreams choose. */
export const keyOfPeers = (name: string): string => keys.get(name) ?? learn(name, MAX_KEYS_OF_PEERS);

const learn = (name: string, limit: number): string => {
  const key = name.toLowerCase();
  if (keys.size >= limit || name.length > MAX_KEY_CHARS) return key;
  const first = keys.get(key) ?? key;
  keys.set(key, first).set(name, first);
  return first;
};

/**
 * Header lines in order, as written, looked up without regard to case. Most requests read and write some dozen
 * lines several times each, so every step is one pass over short lists, without closures.
 */
export class Headers implements HeaderList {
  readonly #names: string[];
  readonly #keys: string[];
  readonly #values: string[];

  private constructor(names: string[], keys: string[], values: string[]) {
    this.#names = names;
    this.#keys = keys;
    this.#values = values;
  }

  /** From Node's flat `[name, value, name, value, …]`. */
  static fromRaw(raw: readonly string[]): Headers {
    const count = raw.length >> 1;
    const [names, keys, values] = [
      new Array<string>(count),
      new Array<string>(count),
      new Array<string>(count),
    ];
    for (let i = 0; i < count; i++) {
      const name = raw[2 * i] as string;
      names[i] = name;
      keys[i] = keyOfPeers(name);
      values[i] = raw[2 * i + 1] as string;
    }
    return new Headers(names, keys, values);
  }

  /** The lines whose lower-case name is not to be dropped. */
  without(isDropped: (key: string) => boolean): Headers {
    const kept = Headers.empty();
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (isDropped(key)) continue;
      kept.#names.push(this.#names[i] as string);
      kept.#keys.push(key);
      kept.#values.push(this.#values[i] as string);
    }
    return kept;
  }

  static empty(): Headers {
    return new Headers([], [], []);
  }

  copy(): Headers {
    return new Headers(this.#names.slice(), this.#keys.slice(), this.#values.slice());
  }

  get(name: string): string | undefined {
    const at = this.#keys.indexOf(keyOf(name));
    return at === -1 ? undefined : this.#values[at];
  }

  getAll(name: string): readonly string[] {
    const key = keyOf(name);
    const first = this.#keys.indexOf(key);
    if (first === -1) return NONE;
    const values = [this.#values[first] as string];
    for (let i = this.#keys.indexOf(key, first + 1); i !== -1; i = this.#keys.indexOf(key, i + 1))
      values.push(this.#values[i] as string);
    return values;
  }

  has(name: string): boolean {
    return this.#keys.includes(keyOf(name));
  }

  isRepeated(name: string): boolean {
    const key = name.toLowerCase();
    const at = this.#keys.indexOf(key);
    return at !== -1 && this.#keys.indexOf(key, at + 1) !== -1;
  }

  set(name: string, value: string): void {
    const key = keyOf(name);
    const at = this.#keys.indexOf(key);
    if (at === -1) {
      this.#names.push(name);
      this.#keys.push(key);
      this.#values.push(value);
      return;
    }
    if (this.#keys.indexOf(key, at + 1) !== -1) this.#removeFrom(at + 1, key);
    this.#names[at] = name;
    this.#values[at] = value;
  }

  append(name: string, value: string): void {
    this.#names.push(name);
    this.#keys.push(keyOf(name));
    this.#values.push(value);
  }

  delete(name: string): void {
    const key = keyOf(name);
    if (this.#keys.includes(key)) this.#removeFrom(0, key);
  }

  *entries(): Generator<readonly [string, string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i] as string, this.#values[i] as string];
  }

  /** Puts `over`'s lines in place of every line of the same names. */
  overlay(over: Headers): void {
    const count = over.#keys.length;
    for (let i = 0; i < count; i++) {
      const key = over.#keys[i] as string;
      if (this.#keys.includes(key)) this.#removeFrom(0, key);
    }
    for (let i = 0; i < count; i++) {
      this.#names.push(over.#names[i] as string);
      this.#keys.push(over.#keys[i] as string);
      this.#values.push(over.#values[i] as string);
    }
  }

  /** Node's flat form, for `writeHead`; without the lines of some names, given in lower case. */
  toRaw(without?: ReadonlySet<string>): string[] {
    const raw = new Array<string>(2 * this.#names.length);
    let at = 0;
    for (let i = 0; i < this.#names.length; i++) {
      if (without?.has(this.#keys[i] as string) === true) continue;
      raw[at++] = this.#names[i] as string;
      raw[at++] = this.#values[i] as string;
    }
    raw.length = at;
    return raw;
  }

  /** Values by lower-case name; names sent several times keep each line, as an array. */
  toRecord(): Record<string, string | string[]> {
    return this.#recordBy(this.#keys);
  }

  /** As `toRecord`, by the name as it was written first: there are upstreams that care. */
  toNamedRecord(): Record<string, string | string[]> {
    const first = new Map<string, string>();
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!first.has(key)) first.set(key, this.#names[i] as string);
    }
    return this.#recordBy(this.#keys.map((key) => first.get(key) ?? key));
  }

  #recordBy(names: readonly string[]): Record<string, string | string[]> {
    const record: Record<string, string | string[]> = Object.create(null);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = this.#values[i] as string;
      const before = record[name];
      if (before === undefined) record[name] = value;
      else if (Array.isArray(before)) before.push(value);
      else record[name] = [before, value];
    }
    return record;
  }

  #removeFrom(start: number, key: string): void {
    for (let i = this.#keys.length - 1; i >= start; i--) {
      if (this.#keys[i] !== key) continue;
      this.#names.splice(i, 1);
      this.#keys.splice(i, 1);
      this.#values.splice(i, 1);
    }
  }
}
