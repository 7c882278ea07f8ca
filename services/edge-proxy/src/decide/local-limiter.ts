import type { Limit, Period } from '@sluice/contracts';
import { LRUCache } from 'lru-cache';

const MAX_BUDGETS = 50_000;
const PERIOD_MS: Record<Exclude<Period, 'month' | 'year'>, number> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** End of the calendar window (UTC) that holds `now`; both in Unix ms. */
export const windowEnd = (period: Period, now: number): number => {
  const date = new Date(now);
  if (period === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  if (period === 'year') return Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  return (Math.floor(now / PERIOD_MS[period]) + 1) * PERIOD_MS[period];
};

interface Counter {
  readonly endsAt: number;
  used: number;
}

/**
 * Holds the line while the limiter cannot answer: this edge's share of each limit, counted from the moment the
 * outage was first felt until the window ends. All edges together then admit at most one more limit per window, also
 * where the limiter comes and goes: an answer from it says nothing of what was admitted without it.
 */
export class LocalLimiter {
  readonly #counters = new LRUCache<string, Counter>({ max: MAX_BUDGETS });
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Spends one unit in every window or in none. `edges` share the limits equally; each gets at least one. */
  spend(
    key: string,
    limits: readonly Limit[],
    edges: number,
  ): { isAdmitted: boolean; retryAfterSeconds: number } {
    const now = this.#now();
    const windows = limits.map(({ period, limit }) => ({
      share: Math.max(1, Math.floor(limit / Math.max(1, edges))),
      counter: this.#counterFor(`${key}:${period}`, period, now),
    }));
    const full = windows.find(({ share, counter }) => counter.used >= share);
    if (full !== undefined)
      return {
        isAdmitted: false,
        retryAfterSeconds: Math.max(1, Math.ceil((full.counter.endsAt - now) / 1000)),
      };
    for (const { counter } of windows) counter.used += 1;
    return { isAdmitted: true, retryAfterSeconds: 0 };
  }

  /** Counters held. */
  get size(): number {
    return this.#counters.size;
  }

  #counterFor(key: string, period: Period, now: number): Counter {
    const known = this.#counters.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const fresh = { endsAt: windowEnd(period, now), used: 0 };
    this.#counters.set(key, fresh);
    return fresh;
  }
}
