const OPEN_AFTER_FAILURES = 5;
const PROBE_EVERY_MS = 1000;

export interface BreakerOptions {
  /**
   * The failures that open it lie at least so far apart, in ms: of one short stall all that were under way fail
   * together, and that says nothing about those that come after.
   */
  readonly spanMs?: number;
  /** Monotonic, in ms. */
  readonly now?: () => number;
}

/**
 * Stops asking somebody who hangs: five timeouts in a row open it, then one question a second is let through
 * until one is answered. Only timeouts count; "nobody there" answers at once and needs no protection.
 */
export class Breaker {
  #failures = 0;
  #failingSince = 0;
  #nextProbeAt = 0;
  #isOpen = false;
  readonly #spanMs: number;
  readonly #now: () => number;

  constructor({ spanMs = 0, now = () => performance.now() }: BreakerOptions = {}) {
    this.#spanMs = spanMs;
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** May a question be sent now? An open breaker grants one probe per second. */
  admits(): boolean {
    if (!this.#isOpen) return true;
    const now = this.#now();
    if (now < this.#nextProbeAt) return false;
    this.#nextProbeAt = now + PROBE_EVERY_MS;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isOpen = false;
  }

  timedOut(): void {
    const now = this.#now();
    if (this.#failures === 0) this.#failingSince = now;
    this.#failures += 1;
    if (this.#isOpen || this.#failures < OPEN_AFTER_FAILURES || now - this.#failingSince < this.#spanMs)
      return;
    this.#isOpen = true;
    this.#nextProbeAt = now + PROBE_EVERY_MS;
  }
}
