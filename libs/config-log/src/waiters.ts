interface Waiter {
  readonly isMet: () => boolean;
  readonly settle: (met: boolean) => void;
}

/** Promises that come true when a condition does, or false when their time is up. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Looks at all conditions again. */
  check(): void {
    for (const waiter of this.#waiting) if (waiter.isMet()) waiter.settle(true);
  }

  /** Gives all up. */
  release(): void {
    for (const waiter of this.#waiting) waiter.settle(false);
  }

  wait(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isMet()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.settle(false), timeoutMs);
      const waiter: Waiter = {
        isMet,
        settle: (met) => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(met);
        },
      };
      this.#waiting.add(waiter);
    });
  }
}
