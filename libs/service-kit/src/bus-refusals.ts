import { MAX_REFUSALS_TOLD } from '@sluice/contracts';

/** One thing that the server does not let this login do. */
export interface BusRefusal {
  /** `publish` or `subscription`, as the server names it. */
  readonly operation: string;
  readonly subject: string;
  times: number;
  /** Unix ms of the last time. */
  lastAt: number;
}

/** What the server refused since the last connection; then everything is tried anew. */
export class BusRefusals {
  readonly #seen = new Map<string, BusRefusal>();

  /** Counts one, as the client reports it. */
  note({ operation, subject }: { operation: string; subject: string }): void {
    const key = `${operation} ${subject}`;
    const seen = this.#seen.get(key);
    const lastAt = Date.now();
    if (seen !== undefined) {
      seen.times += 1;
      seen.lastAt = lastAt;
    } else if (this.#seen.size < MAX_REFUSALS_TOLD)
      this.#seen.set(key, { operation, subject, times: 1, lastAt });
  }

  clear(): void {
    this.#seen.clear();
  }

  list(): readonly BusRefusal[] {
    return [...this.#seen.values()];
  }
}
