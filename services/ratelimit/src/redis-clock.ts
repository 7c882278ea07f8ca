/**
 * A sample that is this much earlier than the others means that the clock went back, or that another server
 * answers. Below it, a sample is early because its reply was slow: replies wait at most COMMAND_TIMEOUT_MS.
 */
const STEP_MS = 100;

/**
 * Tells Redis's time from our own monotonic clock. Every reply carries Redis's time of a moment before we
 * read it, so `redis time - our time` is never above the true difference, and the largest sample is the best.
 */
export class RedisClock {
  #offsetMs: number | undefined;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A reply has just come that says which time it is there, in Unix ms. */
  observe(redisNowMs: number): void {
    const sample = redisNowMs - this.#now();
    if (this.#offsetMs === undefined || sample > this.#offsetMs || sample < this.#offsetMs - STEP_MS)
      this.#offsetMs = sample;
  }

  /** Redis's time `aheadMs` from now, in Unix ms; undefined before the first reply. */
  timeIn(aheadMs: number): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#now() + this.#offsetMs + aheadMs;
  }
}
