import type { HeaderList } from '@sluice/plugins';

/** Header lines in order, as written, looked up without regard to case. */
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
    const headers = Headers.empty();
    for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i] as string, raw[i + 1] as string);
    return headers;
  }

  static empty(): Headers {
    return new Headers([], [], []);
  }

  copy(): Headers {
    return new Headers(this.#names.slice(), this.#keys.slice(), this.#values.slice());
  }

  get(name: string): string | undefined {
    const at = this.#keys.indexOf(name.toLowerCase());
    return at === -1 ? undefined : this.#values[at];
  }

  getAll(name: string): readonly string[] {
    const key = name.toLowerCase();
    return this.#values.filter((_value, i) => this.#keys[i] === key);
  }

  has(name: string): boolean {
    return this.#keys.includes(name.toLowerCase());
  }

  set(name: string, value: string): void {
    const at = this.#keys.indexOf(name.toLowerCase());
    if (at === -1) {
      this.append(name, value);
      return;
    }
    this.#removeFrom(at + 1, name.toLowerCase());
    this.#names[at] = name;
    this.#values[at] = value;
  }

  append(name: string, value: string): void {
    this.#names.push(name);
    this.#keys.push(name.toLowerCase());
    this.#values.push(value);
  }

  delete(name: string): void {
    this.#removeFrom(0, name.toLowerCase());
  }

  *entries(): Generator<readonly [string, string]> {
    for (let i = 0; i < this.#names.length; i++) yield [this.#names[i] as string, this.#values[i] as string];
  }

  /** Puts `over`'s lines in place of every line of the same names. */
  overlay(over: Headers): void {
    for (const key of new Set(over.#keys)) this.delete(key);
    for (const [name, value] of over.entries()) this.append(name, value);
  }

  /** Node's flat form, for `writeHead`; without the lines of some names, given in lower case. */
  toRaw(without?: ReadonlySet<string>): string[] {
    const raw: string[] = [];
    for (let i = 0; i < this.#names.length; i++)
      if (without === undefined || !without.has(this.#keys[i] as string))
        raw.push(this.#names[i] as string, this.#values[i] as string);
    return raw;
  }

  /** Values by lower-case name; names sent several times keep each line, as an array. */
  toRecord(): Record<string, string | string[]> {
    return this.#recordBy(this.#keys);
  }

  /** As `toRecord`, by the name as it was written first: there are upstreams that care. */
  toNamedRecord(): Record<string, string | string[]> {
    return this.#recordBy(this.#keys.map((key) => this.#names[this.#keys.indexOf(key)] ?? key));
  }

  #recordBy(names: readonly string[]): Record<string, string | string[]> {
    const record: Record<string, string | string[]> = Object.create(null);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = this.#values[i] as string;
      const before = record[name];
      record[name] =
        before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
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
