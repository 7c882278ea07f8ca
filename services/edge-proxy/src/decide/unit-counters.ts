import type { Period } from '@sluice/contracts';
import { LRUCache } from 'lru-cache';
import { windowEnd } from './local-limiter.ts';

const MAX_COUNTERS = 50_000;

/** Units counted by this edge in calendar windows (UTC), for limits that are known only from answers. */
export class UnitCounters {
  readonly #counters = new LRUCache<string, { readonly endsAt: number; units: number }>({
    max: MAX_COUNTERS,
  });
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Counters held. */
  get size(): number {
    return this.#counters.size;
  }

  counted(key: string, period: Period): number {
    const counter = this.#counters.get(`${key}:${period}`);
    return counter === undefined || counter.endsAt <= this.#now() ? 0 : counter.units;
  }

  count(key: string, periods: readonly Period[], units: number): void {
    for (const period of periods) {
      const before = this.counted(key, period);
      this.#counters.set(`${key}:${period}`, {
        endsAt: windowEnd(period, this.#now()),
        units: before + units,
      });
    }
  }
}
