import type { Limit } from '@sluice/contracts';
import {
  LeaseBook,
  type LeaseQuestion,
  type LeaseReturn,
} from '../../services/edge-proxy/src/decide/lease-book.ts';
import { LocalLimiter } from '../../services/edge-proxy/src/decide/local-limiter.ts';
import type { Ledger } from './ledger.ts';
import type { Limiter } from './limiter.ts';
import { promisesSettled, type Timeline } from './timeline.ts';

export const KEY = 'ratelimit:bench:bench:tenant-1';
export const EDGES = 8;
const SWEEP_EVERY_MS = 250;
/** After so long a check or a lease question without an answer has failed: the contracts' own patience. */
const PATIENCE_MS = 50;

/** What all edges of a scenario share. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly limiter: Limiter;
  readonly ledger: Ledger;
  readonly limits: readonly Limit[];
  readonly random: () => number;
  readonly lostReturns: number;
  readonly lostGrants: number;
  /** Tokens that all living edges hold. */
  readonly heldByAll: () => number;
}

/** One way, in ms: mostly below one, now and then the network or a process is slow. */
const delayMs = (random: () => number): number => (random() < 0.01 ? 20 * random() : 0.2 + 0.6 * random());

interface Held {
  tokens: number;
  readonly grantedAt: number;
}

/** One edge: the product's lease book and local limiter, its own clock, and a network between it and the limiter. */
export class SimulatedEdge {
  isAlive = true;
  readonly #around: Surroundings;
  readonly #book: LeaseBook;
  readonly #local: LocalLimiter;
  /** Every process counts its monotonic clock from another instant. */
  readonly #clockOffset: number;
  readonly #held = new Map<string, Held>();
  #spent = 0;

  constructor(around: Surroundings) {
    const { timeline, random } = around;
    this.#around = around;
    this.#clockOffset = random() * 1e9;
    this.#local = new LocalLimiter(() => timeline.now);
    this.#book = new LeaseBook({
      ask: (question) => this.#askLease(question),
      settle: (unspent) => this.#settle(unspent),
      edges: () => EDGES,
      now: () => timeline.now + this.#clockOffset,
    });
    this.#sweep();
  }

  /** Tokens granted to it that it can still spend. */
  get held(): number {
    let granted = 0;
    for (const { tokens } of this.#held.values()) granted += tokens;
    return granted - this.#spent;
  }

  request(): void {
    const { ledger, timeline, limits } = this.#around;
    ledger.offered(timeline.now);
    const verdict = this.#book.take(KEY, limits);
    if (verdict === undefined) this.#check();
    else if (verdict.outcome === 'allow') {
      this.#spent += 1;
      ledger.admitted(timeline.now);
    } else ledger.refused(timeline.now, this.#around.heldByAll());
  }

  kill(): void {
    const { ledger, timeline } = this.#around;
    this.isAlive = false;
    const newest = [...this.#held.values()].at(-1);
    if (newest !== undefined) ledger.lost(this.held, newest.grantedAt, timeline.now);
    this.#held.clear();
    this.#spent = 0;
  }

  /** Ends the book's own timer. What it has asked stays without an answer: time stands still from now on. */
  close(): void {
    this.isAlive = false;
    void this.#book.close();
  }

  #check(): void {
    const { limiter, ledger, timeline, limits, random } = this.#around;
    const sentAt = this.#book.now();
    timeline.after(delayMs(random), async () => {
      if (limiter.isAway) {
        timeline.after(PATIENCE_MS, () => this.#decideAlone());
        return;
      }
      const decidedAt = timeline.now;
      const verdict = await limiter.check({ key: KEY, cost: 1, limits: [...limits] }, Math.floor(decidedAt));
      if (verdict.outcome === 'allow') ledger.admitted(decidedAt);
      else ledger.refused(decidedAt, this.#around.heldByAll());
      timeline.after(delayMs(random), () => {
        if (this.isAlive) this.#book.observe(KEY, limits, verdict, sentAt);
      });
    });
  }

  #decideAlone(): void {
    const { ledger, timeline, limits } = this.#around;
    const { isAdmitted } = this.#local.spend(KEY, limits, EDGES);
    if (isAdmitted) ledger.admitted(timeline.now, true);
  }

  #askLease(question: LeaseQuestion): ReturnType<ConstructorParameters<typeof LeaseBook>[0]['ask']> {
    const { limiter, ledger, timeline, random, lostGrants } = this.#around;
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Limiter['lease']>>>();
    const failed = new Error('no answer in time');
    const settled = (work: () => void) => async () => {
      work();
      await promisesSettled();
    };
    timeline.after(delayMs(random), async () => {
      if (limiter.isAway) {
        timeline.after(
          PATIENCE_MS,
          settled(() => reject(failed)),
        );
        return;
      }
      const grantedAt = timeline.now;
      const grant = await limiter.lease(question, Math.floor(grantedAt));
      if (random() < lostGrants) {
        timeline.after(
          PATIENCE_MS,
          settled(() => reject(failed)),
        );
        return;
      }
      timeline.after(
        delayMs(random),
        settled(() => {
          if (!this.isAlive) ledger.lost(grant.granted, grantedAt, timeline.now);
          else if (grant.granted > 0) this.#held.set(question.leaseId, { tokens: grant.granted, grantedAt });
          resolve(grant);
        }),
      );
    });
    return promise;
  }

  /** Of a lease that is over all but the unspent tokens were spent. */
  #settle({ leaseId, unused, ...rest }: LeaseReturn): Promise<unknown> {
    const { limiter, ledger, timeline, random, lostReturns } = this.#around;
    const lease = this.#held.get(leaseId);
    if (!this.isAlive) return Promise.resolve();
    if (lease !== undefined) {
      this.#held.delete(leaseId);
      this.#spent -= lease.tokens - unused;
    }
    const isLost = random() < lostReturns || limiter.isAway;
    if (isLost && lease !== undefined) ledger.lost(unused, lease.grantedAt, timeline.now);
    if (!isLost)
      timeline.after(delayMs(random), async () => {
        const { returned } = await limiter.settle({ ...rest, leaseId, unused }, Math.floor(timeline.now));
        if (lease !== undefined) ledger.lost(unused - returned, lease.grantedAt, timeline.now);
      });
    return Promise.resolve();
  }

  #sweep(): void {
    this.#around.timeline.after(SWEEP_EVERY_MS, async () => {
      if (!this.isAlive) return;
      this.#book.sweep();
      await promisesSettled();
      this.#sweep();
    });
  }
}
