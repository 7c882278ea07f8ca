const OPEN_AFTER_FAILURES = 5;
const PROBE_EVERY_MS = 1000;

/**
 * Stops asking somebody who hangs: five timeouts in a row open it, then one question a second is let through
 * until one is answered. Only timeouts count; "nobody there" answers at once and needs no protection.
 */
export class Breaker {
  #failures = 0;
  #nextProbeAt = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#failures >= OPEN_AFTER_FAILURES;
  }

  /** May a question be sent now? An open breaker grants one probe per second. */
  admits(): boolean {
    if (!this.isOpen) return true;
    const now = this.#now();
    if (now < this.#nextProbeAt) return false;
    this.#nextProbeAt = now + PROBE_EVERY_MS;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  timedOut(): void {
    this.#failures += 1;
    if (this.#failures === OPEN_AFTER_FAILURES) this.#nextProbeAt = this.#now() + PROBE_EVERY_MS;
  }
}
