import type { HeaderList } from '@sluice/plugins';

/** A handler goes by something that no record has: what it would have decided cannot be told. */
export class NotRecorded extends Error {
  /** `what`: as in "the header cookie". */
  constructor(what: string) {
    super(what);
    this.name = 'NotRecorded';
  }
}

/**
 * The headers of a recorded request: which there were is known, the values only of some. What a handler sets or
 * removes is seen by those after it.
 */
export class RecordedHeaders implements HeaderList {
  readonly #names: readonly string[] | undefined;
  readonly #values: ReadonlyMap<string, string>;
  readonly #changed = new Map<string, readonly string[]>();
  /** Given for a value that is not known, to a handler that decides by none. */
  standIn: string | undefined;

  /** @param names in lower case, one for each line; undefined: not known. */
  constructor(names: readonly string[] | undefined, values: ReadonlyMap<string, string>) {
    this.#names = names;
    this.#values = values;
  }

  get(name: string): string | undefined {
    const key = name.toLowerCase();
    const changed = this.#changed.get(key);
    if (changed !== undefined) return changed[0];
    if (this.#lines(key) === 0) return undefined;
    return this.#valueOf(key);
  }

  getAll(name: string): readonly string[] {
    const key = name.toLowerCase();
    const changed = this.#changed.get(key);
    if (changed !== undefined) return changed;
    const lines = this.#lines(key);
    if (lines === 0) return [];
    if (lines > 1 && this.standIn === undefined) throw new NotRecorded(`the values of the header ${key}`);
    return Array.from({ length: lines }, () => this.#valueOf(key));
  }

  has(name: string): boolean {
    const key = name.toLowerCase();
    const changed = this.#changed.get(key);
    return changed === undefined ? this.#lines(key) > 0 : changed.length > 0;
  }

  isRepeated(name: string): boolean {
    const key = name.toLowerCase();
    return (this.#changed.get(key)?.length ?? this.#lines(key)) > 1;
  }

  set(name: string, value: string): void {
    this.#changed.set(name.toLowerCase(), [value]);
  }

  append(name: string, value: string): void {
    this.#changed.set(name.toLowerCase(), [...this.getAll(name), value]);
  }

  delete(name: string): void {
    this.#changed.set(name.toLowerCase(), []);
  }

  entries(): never {
    throw new NotRecorded('its headers');
  }

  #lines(key: string): number {
    if (this.#names === undefined) throw new NotRecorded('the names of its headers');
    let lines = 0;
    for (const name of this.#names) if (name === key) lines += 1;
    return lines;
  }

  #valueOf(key: string): string {
    const value = this.#values.get(key) ?? this.standIn;
    if (value === undefined) throw new NotRecorded(`the value of the header ${key}`);
    return value;
  }
}
