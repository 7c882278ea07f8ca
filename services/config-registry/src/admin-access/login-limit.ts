const WINDOW_MS = 60_000;
const MAX_PER_ADDRESS = 5;
const MAX_IN_ALL = 100; // of many addresses together
const MAX_ADDRESSES = 10_000;

/** Counts logins that failed; too many, from one address or from all, and the next has to wait. */
export class LoginLimit {
  readonly #failed = new Map<string, number>();
  readonly #now: () => number;
  #inAll = 0;
  #windowEndsMs = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Seconds to wait; undefined: it may try. */
  waitSeconds(address: string): number | undefined {
    this.#turn();
    const isOver = (this.#failed.get(address) ?? 0) >= MAX_PER_ADDRESS || this.#inAll >= MAX_IN_ALL;
    return isOver ? Math.max(1, Math.ceil((this.#windowEndsMs - this.#now()) / 1000)) : undefined;
  }

  failed(address: string): void {
    this.#turn();
    this.#inAll += 1;
    if (this.#failed.size < MAX_ADDRESSES || this.#failed.has(address))
      this.#failed.set(address, (this.#failed.get(address) ?? 0) + 1);
  }

  #turn(): void {
    if (this.#now() < this.#windowEndsMs) return;
    this.#windowEndsMs = this.#now() + WINDOW_MS;
    this.#failed.clear();
    this.#inAll = 0;
  }
}
