import { LRUCache } from 'lru-cache';

const PROBE_EVERY_MS = 1000;
const MAX_TARGETS = 10_000;

interface Failing {
  failures: number;
  nextProbeAt: number;
}

/**
 * Leaves a target alone that cannot be reached or does not answer in time: after so many failures in a row it gets
 * one request a second until one is answered. What it answers is not looked at; that is what Kong's passive checks
 * are for, and they go on beside it. Knows only targets that fail.
 */
export class TargetBreaker {
  readonly #failing = new LRUCache<string, Failing>({ max: MAX_TARGETS });
  readonly #limit: number;
  readonly #now: () => number;
  /** Attempts that were not made. */
  readonly #skipped: { value: number };

  /** `limit`: failures in a row that open it; 0: never. `now` is monotonic, in ms. */
  constructor(limit: number, skipped: { value: number }, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#skipped = skipped;
    this.#now = now;
  }

  /** May an attempt be made now? */
  admits(label: string): boolean {
    if (this.#failing.size === 0) return true;
    const failing = this.#failing.get(label);
    if (failing === undefined || failing.failures < this.#limit) return true;
    const now = this.#now();
    if (now < failing.nextProbeAt) {
      this.#skipped.value += 1;
      return false;
    }
    failing.nextProbeAt = now + PROBE_EVERY_MS;
    return true;
  }

  succeeded(label: string): void {
    if (this.#failing.size > 0) this.#failing.delete(label);
  }

  failed(label: string): void {
    if (this.#limit === 0) return;
    const failing = this.#failing.get(label) ?? { failures: 0, nextProbeAt: 0 };
    failing.failures += 1;
    if (failing.failures === this.#limit) failing.nextProbeAt = this.#now() + PROBE_EVERY_MS;
    this.#failing.set(label, failing);
  }

  /** Targets that are left alone. */
  get open(): number {
    let open = 0;
    for (const { failures } of this.#failing.values()) if (failures >= this.#limit) open += 1;
    return open;
  }
}
