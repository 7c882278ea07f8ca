import type { Service } from '@sluice/gateway-config';

/** What is counted is forgotten at this rate each second: about the last ten seconds stay. */
const KEPT_EACH_SECOND = 0.9;
const SECOND_MS = 1000;
/** Repetitions that a quiet service may make in those ten seconds whatever its share: Kong's `retries` in full. */
const ALWAYS = 100;

interface Counts {
  requests: number;
  repeats: number;
  countedAt: number;
}

export interface RetryBudgetOptions {
  /** Repetitions for each request, 0 to 1; undefined: no bound but each service's `retries`. */
  readonly share: number | undefined;
  /** Counted for the metrics: repetitions that were made and those there was no budget for. */
  readonly made: { value: number };
  readonly refused: { value: number };
  /** Monotonic, in ms. */
  readonly now?: () => number;
}

/**
 * Bounds how often requests of a service are repeated. `retries: 5` for each request of an upstream that is down
 * makes six times the load in the moment it can bear none; with a budget of 20 % it makes 1.2 times.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  readonly #now: () => number;
  readonly #counts = new WeakMap<Service, Counts>();

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A request is forwarded. */
  began(service: Service): void {
    if (this.#options.share === undefined) return;
    const counts = this.#counts.get(service);
    if (counts !== undefined) counts.requests += 1;
    else this.#counts.set(service, { requests: 1, repeats: 0, countedAt: this.#now() });
  }

  /** Spends one repetition; false: there is none left, and the first failure is the answer. */
  spend(service: Service): boolean {
    const { share, made, refused } = this.#options;
    const counts = this.#counts.get(service);
    if (share !== undefined && counts !== undefined) {
      forget(counts, this.#now());
      if (counts.repeats + 1 > Math.max(ALWAYS, counts.requests * share)) {
        refused.value += 1;
        return false;
      }
      counts.repeats += 1;
    }
    made.value += 1;
    return true;
  }
}

const forget = (counts: Counts, now: number): void => {
  const seconds = Math.floor((now - counts.countedAt) / SECOND_MS);
  if (seconds === 0) return;
  const kept = KEPT_EACH_SECOND ** seconds;
  counts.requests *= kept;
  counts.repeats *= kept;
  counts.countedAt += seconds * SECOND_MS;
};
