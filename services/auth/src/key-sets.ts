import type { KeySource } from './fetch-keys.ts';
import { KeySet, type KeySetOptions } from './key-set.ts';

/** The key sets of the current configuration: made when a source appears, stopped when it goes. */
export class KeySets {
  readonly #options: KeySetOptions;
  #sources: readonly KeySource[] = [];
  #sets = new Map<string, KeySet>();

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Holds exactly these sources from now on; new ones are fetched at once, in the background. */
  follow(sources: readonly KeySource[]): void {
    if (sources === this.#sources) return; // most commits touch none
    this.#sources = sources;
    const sets = new Map<string, KeySet>();
    for (const source of sources) {
      const id = idOf(source);
      if (sets.has(id)) continue;
      const known = this.#sets.get(id);
      const set = known ?? new KeySet(source, this.#options);
      sets.set(id, set);
      if (known === undefined) void set.refresh();
    }
    for (const [id, set] of this.#sets) if (!sets.has(id)) set.stop();
    this.#sets = sets;
  }

  /** Undefined when the source is not one of the current configuration. */
  of(source: KeySource): KeySet | undefined {
    return this.#sets.get(idOf(source));
  }

  get all(): readonly KeySet[] {
    return [...this.#sets.values()];
  }

  /** Resolves when each set has been fetched, or could not be within a moment. */
  async settled(): Promise<void> {
    await Promise.all(this.all.map((set) => set.keys()));
  }

  stop(): void {
    for (const set of this.#sets.values()) set.stop();
  }
}

const idOf = ({ issuer, jwksUri }: KeySource): string => JSON.stringify([issuer, jwksUri]);
