import type { Limit, WindowState } from '@sluice/contracts';
import type { BudgetVerdict } from '@sluice/plugins';
import { LRUCache } from 'lru-cache';
import { leaseTerms } from './lease-terms.ts';

const MAX_BUDGETS = 50_000;
/** Asked again in the background when less than this share of the last grant, or of its life, is left. */
const RENEW_AT = 0.3;
/** A grant of fewer tokens saves nothing: near the limit every request is counted exactly. */
const MIN_TOKENS = 4;
/** The limiter grants an edge at most this share of what is left, divided among the edges. */
const GRANT_SHARE = 0.2;
/** Wants for a lease's life and half as much again: demand jumps. */
const HEADROOM = 1.5;
const REFUSED_FOR_MS = 250;
const SWEEP_EVERY_MS = 250;

export interface LeaseQuestion {
  readonly key: string;
  readonly leaseId: string;
  readonly wants: number;
  readonly edges: number;
  readonly ttlMs: number;
  readonly limits: Limit[];
}
export interface LeaseGrant {
  readonly granted: number;
  readonly ttlMs: number;
  readonly windows: readonly WindowState[];
}
export interface LeaseReturn {
  readonly key: string;
  readonly leaseId: string;
  readonly unused: number;
}

export interface LeaseBookOptions {
  readonly ask: (question: LeaseQuestion) => Promise<LeaseGrant>;
  readonly settle: (unspent: LeaseReturn) => Promise<unknown>;
  /** Edges that share the limits now. */
  readonly edges: () => number;
  /** Monotonic, in ms. */
  readonly now?: () => number;
}

interface Lease {
  readonly id: string;
  readonly granted: number;
  /** On our own monotonic clock, counted from before the question left: never past the window's true end. */
  readonly endsAt: number;
  balance: number;
}

interface Budget {
  readonly key: string;
  readonly limits: readonly Limit[];
  /** The first is spent, the others wait. */
  readonly leases: Lease[];
  windows: readonly WindowState[];
  /** When `windows` were true, at the latest. */
  seenAt: number;
  refusedUntil: number;
  isAsking: boolean;
  /** Requests since `countedFrom`, and per ms before that. */
  count: number;
  countedFrom: number;
  rate: number;
}

type Verdict = Extract<BudgetVerdict, { source: 'service' | 'lease' }>;

/**
 * Counted tokens that the limiter gave this edge in advance: with them a request is admitted without asking anyone.
 * They count as used from the moment they are granted, so all edges together never admit more than the limit; what
 * is not spent goes back. Budgets whose limits are small, or nearly used up, are not leased: there every request is
 * counted exactly, and Kong's headers are right where somebody can see them.
 */
export class LeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #now: () => number;
  readonly #budgets: LRUCache<string, Budget>;
  /** Those with leases: what the sweep looks at. */
  readonly #leased = new Set<Budget>();
  /** Questions to the limiter: what they bring after the end goes back, too. */
  readonly #asked = new Set<Promise<void>>();
  readonly #sweep: NodeJS.Timeout;
  readonly #prefix = crypto.randomUUID().slice(0, 13);
  #serial = 0;
  #isClosed = false;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#budgets = new LRUCache({ max: MAX_BUDGETS, dispose: (budget) => void this.#giveBack(budget) });
    this.#sweep = setInterval(() => this.sweep(), SWEEP_EVERY_MS);
    this.#sweep.unref();
  }

  /** A verdict from what is held; undefined: the limiter has to be asked. */
  take(key: string, limits: readonly Limit[]): Verdict | undefined {
    const terms = leaseTerms(limits);
    const edges = Math.max(1, this.#options.edges());
    if (terms.tokensPerLife < MIN_TOKENS * edges) return undefined;
    const now = this.#now();
    const budget = this.#budgetOf(key, limits, now);
    measure(budget, now, terms.lifeMs);
    const lease = this.#current(budget, now);
    if (lease === undefined) {
      if (budget.refusedUntil <= now) return undefined;
      return { outcome: 'deny', source: 'lease', windows: windowsAt(budget, now) };
    }
    lease.balance -= 1;
    const isNearlyOver =
      lease.balance < lease.granted * RENEW_AT || lease.endsAt - now < terms.lifeMs * RENEW_AT;
    if (isNearlyOver && budget.leases.length === 1) this.#renew(budget, edges, now);
    return { outcome: 'allow', source: 'lease', windows: windowsAt(budget, now) };
  }

  /** Learns from an exact verdict, whose question left at `sentAt`: leases when the demand is worth it. */
  observe(key: string, limits: readonly Limit[], verdict: Omit<Verdict, 'source'>, sentAt: number): void {
    const budget = this.#budgets.peek(key);
    if (budget?.limits !== limits || sentAt < budget.seenAt) return; // what is known is newer
    const now = this.#now();
    // Of a request beside the lease's own question: it may have been counted before the lease was or after it.
    const isHeld = budget.leases.some(({ balance, endsAt }) => balance > 0 && endsAt > now);
    budget.windows = isHeld ? leastOf(verdict.windows, budget.windows) : verdict.windows;
    budget.seenAt = sentAt;
    if (verdict.outcome === 'deny') refuse(budget, sentAt);
    else if (budget.leases.length === 0) this.#renew(budget, Math.max(1, this.#options.edges()), now);
  }

  /** Budgets with leases. */
  get leased(): number {
    return this.#leased.size;
  }

  /** Budgets it knows, leased or not. */
  get size(): number {
    return this.#budgets.size;
  }

  /** The present on the clock that `observe` wants. */
  now(): number {
    return this.#now();
  }

  /** Gives back what has run out unspent. */
  sweep(): void {
    const now = this.#now();
    for (const budget of this.#leased) this.#current(budget, now);
  }

  /** Gives everything back, also what is on its way here; nothing is leased from now on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    const returned = [...this.#leased].map((budget) => this.#giveBack(budget));
    this.#budgets.clear();
    await Promise.allSettled([...returned, ...this.#asked]);
  }

  #budgetOf(key: string, limits: readonly Limit[], now: number): Budget {
    const known = this.#budgets.get(key);
    if (known?.limits === limits) return known;
    const fresh: Budget = {
      ...{ key, limits, leases: [], windows: [], seenAt: now, refusedUntil: 0, isAsking: false },
      ...{ count: 0, countedFrom: now, rate: 0 },
    };
    this.#budgets.set(key, fresh); // the leases of other limits go back
    return fresh;
  }

  /** The lease to spend from; those that are over or empty leave the book. */
  #current(budget: Budget, now: number): Lease | undefined {
    for (;;) {
      const lease = budget.leases[0];
      if (lease === undefined) {
        this.#leased.delete(budget);
        return undefined;
      }
      if (lease.balance > 0 && lease.endsAt > now) return lease;
      budget.leases.shift();
      budget.windows = withBack(budget.windows, lease.balance);
      void this.#settle(budget.key, lease);
    }
  }

  #renew(budget: Budget, edges: number, now: number): void {
    const { lifeMs } = leaseTerms(budget.limits);
    const demand = Math.max(budget.rate * lifeMs, budget.count);
    const wants = Math.ceil(demand * HEADROOM);
    const grantable = Math.floor((roomAt(budget, now) * GRANT_SHARE) / edges);
    if (this.#isClosed || budget.isAsking || wants < MIN_TOKENS || grantable < MIN_TOKENS) return;
    budget.isAsking = true;
    const leaseId = `${this.#prefix}-${++this.#serial}`;
    const { key, limits } = budget;
    const question = { key, leaseId, wants, edges, ttlMs: lifeMs, limits: [...limits] };
    const asked: Promise<void> = this.#options
      .ask(question)
      .then(
        (grant) => this.#keep(budget, leaseId, grant, now),
        // It may have been granted all the same: nobody spends it, so it goes back.
        () => this.#return({ key, leaseId, unused: wants }),
      )
      .finally(() => {
        budget.isAsking = false;
        this.#asked.delete(asked);
      });
    this.#asked.add(asked);
  }

  async #keep(budget: Budget, leaseId: string, grant: LeaseGrant, sentAt: number): Promise<void> {
    budget.windows = grant.windows;
    budget.seenAt = sentAt;
    if (grant.granted === 0) {
      refuse(budget, sentAt);
      return;
    }
    const { granted, ttlMs } = grant;
    const lease = { id: leaseId, granted, endsAt: sentAt + ttlMs, balance: granted };
    if (this.#budgets.peek(budget.key) === budget) {
      budget.leases.push(lease);
      this.#leased.add(budget);
    } else await this.#settle(budget.key, lease); // forgotten while the limiter was asked
  }

  async #giveBack(budget: Budget): Promise<void> {
    const { key } = budget;
    this.#leased.delete(budget);
    await Promise.all(budget.leases.splice(0).map((lease) => this.#settle(key, lease)));
  }

  async #settle(key: string, { id: leaseId, balance: unused }: Lease): Promise<void> {
    if (unused > 0) await this.#return({ key, leaseId, unused });
  }

  /** One that is lost costs some tokens until the window ends, and nothing else. */
  async #return(unspent: LeaseReturn): Promise<void> {
    await this.#options.settle(unspent).catch(() => undefined);
  }
}

const measure = (budget: Budget, now: number, lifeMs: number): void => {
  budget.count += 1;
  const elapsed = now - budget.countedFrom;
  if (elapsed < lifeMs) return;
  const rate = budget.count / elapsed;
  budget.rate = elapsed > 2 * lifeMs ? rate : (budget.rate + rate) / 2;
  budget.count = 0;
  budget.countedFrom = now;
};

/** What is left in the tightest window, as far as is known; a window that ended since has everything. */
const roomAt = ({ windows, seenAt }: Budget, now: number): number => {
  let room = Number.POSITIVE_INFINITY;
  for (const { limit, remaining, resetMs } of windows)
    room = Math.min(room, now - seenAt >= resetMs ? limit : remaining);
  return room;
};

/** No longer than the first window that ends: from then on the answer may be another. */
const refuse = (budget: Budget, sentAt: number): void => {
  let forMs = REFUSED_FOR_MS;
  for (const { resetMs } of budget.windows) forMs = Math.min(forMs, resetMs);
  budget.refusedUntil = sentAt + forMs;
};

/** Of each window what is told in `windows`, with no more left than the other says. */
const leastOf = (windows: readonly WindowState[], other: readonly WindowState[]): readonly WindowState[] =>
  windows.map((window, at) => ({
    ...window,
    remaining: Math.min(window.remaining, other[at]?.remaining ?? window.remaining),
  }));

/** What goes back is free again. */
const withBack = (windows: readonly WindowState[], unused: number): readonly WindowState[] =>
  unused === 0 ? windows : windows.map((window) => ({ ...window, remaining: window.remaining + unused }));

/** As Kong would show them: tokens that this edge still holds are not used yet. */
const windowsAt = ({ windows, leases, seenAt }: Budget, now: number): WindowState[] => {
  let held = 0;
  for (const { balance } of leases) held += balance;
  const passed = now - seenAt;
  return windows.map(({ period, limit, remaining, resetMs }) => {
    const left = resetMs - passed;
    return { period, limit, remaining: remaining + held, resetMs: Math.max(0, left) };
  });
};
