import { LRUCache } from 'lru-cache';

const MAX_CALLERS = 10_000;
/** What a caller may save up while it is quiet, in ms of its allowance, and at least in requests. */
const BURST_MS = 250;
const MIN_BURST = 2;

interface Bucket {
  tokens: number;
  filledAt: number;
  asked: number;
}

/**
 * One allowance for every caller, and a bucket for each that fills at that rate. Lowered until all that is admitted
 * fits, it is max-min fair by itself: whoever asks for less gets everything, and those who ask for more get the same.
 * Nothing has to be known of demands or of how many callers there are.
 */
export class FairShare {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_CALLERS });
  #countedFrom = 0;
  /** Requests per ms that each caller may make. */
  allowance = Number.POSITIVE_INFINITY;

  /** Forgets who asked how often, and counts from `now` on. Times in ms, monotonic. */
  restart(now: number): void {
    this.#buckets.clear();
    this.#countedFrom = now;
    this.allowance = Number.POSITIVE_INFINITY;
  }

  /** Callers whose requests are counted. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Spends one request of a caller; false: it has had its share. */
  admits(caller: string, now: number): boolean {
    let bucket = this.#buckets.get(caller);
    if (bucket === undefined) {
      bucket = { tokens: Number.POSITIVE_INFINITY, filledAt: now, asked: 0 };
      this.#buckets.set(caller, bucket);
    }
    bucket.asked += 1;
    if (this.allowance === Number.POSITIVE_INFINITY) return true;
    const most = Math.max(MIN_BURST, this.allowance * BURST_MS);
    bucket.tokens = Math.min(most, bucket.tokens + this.allowance * Math.max(0, now - bucket.filledAt));
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** What the caller who asks most has asked for since `restart`, in requests per ms. */
  highestDemand(now: number): number {
    let most = 0;
    for (const { asked } of this.#buckets.values()) most = Math.max(most, asked);
    return most / Math.max(1, now - this.#countedFrom);
  }
}
