import {
  type Limit,
  type QuotaState,
  ratelimitCheck,
  ratelimitLease,
  ratelimitSettle,
} from '@sluice/contracts';
import { type BudgetVerdict, tenantOf } from '@sluice/plugins';
import { Lane } from '@sluice/service-kit';
import { LRUCache } from 'lru-cache';
import type { ProxyExchange } from '../exchange.ts';
import { withLaneSpan } from '../observe/tracing.ts';
import type { DecisionOptions } from './decisions.ts';
import { LeaseBook } from './lease-book.ts';
import { LocalLimiter } from './local-limiter.ts';

type Quota = QuotaState | null | undefined;

const QUOTA_MEMO = 'edge:quota';
/** Says to the client that its limits were judged by this edge alone. */
const DEGRADED = 'X-Sluice-Degraded';
/** A request that is not counted exactly shows a quota that may be so old. */
const QUOTA_MAX_AGE_MS = 1000;
/** From then on it is read again behind the requests that show it: in steady traffic none waits for it. */
const QUOTA_RENEW_AFTER_MS = 700;
const KNOWN_QUOTAS = 10_000;

/**
 * Limits and quotas: from a lease where the edge holds one, else exactly from the limiter, and while that is gone
 * from this edge's own share.
 */
export class Budgets {
  readonly #options: DecisionOptions;
  readonly #checks: Lane<
    (typeof ratelimitCheck)['check']['shape'],
    (typeof ratelimitCheck)['verdict']['shape']
  >;
  readonly #leases: LeaseBook | undefined;
  readonly #local = new LocalLimiter();
  readonly #quotas = new LRUCache<string, { readonly state: Quota; readonly at: number }>({
    max: KNOWN_QUOTAS,
  });
  /** Under way: requests that want the same share one question. */
  readonly #quotaQuestions = new Map<string, Promise<Quota>>();
  #isDegraded = false;

  constructor(options: DecisionOptions) {
    const { bus, limitTimeoutMs: timeoutMs } = options;
    this.#options = options;
    // Asked twice would count twice.
    this.#checks = new Lane(bus, { ...ratelimitCheck, timeoutMs }, { isIdempotent: false });
    if (!options.hasLeases) return;
    const leases = new Lane(bus, { ...ratelimitLease, timeoutMs }, { isIdempotent: false });
    const returns = new Lane(bus, { ...ratelimitSettle, timeoutMs }, { isIdempotent: true });
    this.#leases = new LeaseBook({
      ask: (question) => leases.ask(question),
      settle: (unspent) => returns.ask(unspent),
      edges: () => options.standing().edges,
    });
  }

  /** Spends one unit in every window or in none. `isExact`: never from a lease. Never throws. */
  spend(
    exchange: ProxyExchange,
    key: string,
    limits: readonly Limit[],
    isExact: boolean,
  ): Promise<BudgetVerdict> | BudgetVerdict {
    const book = isExact ? undefined : this.#leases;
    const held = book?.take(key, limits);
    if (held === undefined) return this.#ask(exchange, key, limits, book);
    this.#options.metrics.limitDecided('lease');
    const quotaKey = quotaKeyOf(exchange);
    const known = quotaKey === undefined ? undefined : this.#knownQuota(exchange, quotaKey);
    if (quotaKey !== undefined && known !== undefined)
      exchange.memo.set(QUOTA_MEMO, { key: quotaKey, state: known.state });
    return held;
  }

  async #ask(
    exchange: ProxyExchange,
    key: string,
    limits: readonly Limit[],
    book: LeaseBook | undefined,
  ): Promise<BudgetVerdict> {
    const quotaKey = quotaKeyOf(exchange);
    const sentAt = book?.now() ?? 0;
    try {
      const verdict = await withLaneSpan(exchange.trace, ratelimitCheck.subject, (traceparent) =>
        this.#checks.ask(
          { key, limits: [...limits], ...(quotaKey === undefined ? {} : { quotaKey }) },
          traceparent,
        ),
      );
      this.#recovered();
      this.#options.metrics.limitDecided('service');
      if (quotaKey !== undefined) this.#rememberQuota(exchange, quotaKey, verdict.quota);
      book?.observe(key, limits, verdict, sentAt);
      return { outcome: verdict.outcome, source: 'service', windows: verdict.windows };
    } catch (error) {
      this.#degraded(error);
      exchange.toClient.set(DEGRADED, 'ratelimit');
      if (quotaKey !== undefined) exchange.memo.set(QUOTA_MEMO, { key: quotaKey, state: undefined });
      const { edges } = this.#options.standing();
      const { isAdmitted, retryAfterSeconds } = this.#local.spend(key, limits, edges);
      return { outcome: isAdmitted ? 'allow' : 'deny', source: 'local', retryAfterSeconds };
    }
  }

  /** What came with this request's own check, else what is known of the last second, else what the limiter reads now. */
  readQuota(exchange: ProxyExchange, quotaKey: string): Promise<Quota> | Quota {
    const seen = exchange.memo.get(QUOTA_MEMO) as { key: string; state: Quota } | undefined;
    if (seen?.key === quotaKey) return seen.state;
    const known = this.#knownQuota(exchange, quotaKey);
    return known === undefined ? this.#askQuota(exchange, quotaKey) : known.state;
  }

  #knownQuota(exchange: ProxyExchange, quotaKey: string): { readonly state: Quota } | undefined {
    const known = this.#quotas.get(quotaKey);
    if (known === undefined) return undefined;
    const age = performance.now() - known.at;
    if (age > QUOTA_MAX_AGE_MS) return undefined;
    if (age > QUOTA_RENEW_AFTER_MS) void this.#askQuota(exchange, quotaKey);
    return known;
  }

  #askQuota(exchange: ProxyExchange, quotaKey: string): Promise<Quota> {
    let asked = this.#quotaQuestions.get(quotaKey);
    if (asked === undefined) {
      asked = this.#askLimiterForQuota(exchange, quotaKey).finally(() =>
        this.#quotaQuestions.delete(quotaKey),
      );
      this.#quotaQuestions.set(quotaKey, asked);
    }
    return asked;
  }

  /** Never rejects. */
  async #askLimiterForQuota(exchange: ProxyExchange, quotaKey: string): Promise<Quota> {
    try {
      const verdict = await withLaneSpan(exchange.trace, ratelimitCheck.subject, (traceparent) =>
        this.#checks.ask({ key: 'quota', limits: [], quotaKey }, traceparent),
      );
      this.#recovered();
      this.#quotas.set(quotaKey, { state: verdict.quota, at: performance.now() });
      return verdict.quota;
    } catch (error) {
      this.#degraded(error);
      return undefined;
    }
  }

  get isBreakerOpen(): boolean {
    return this.#checks.breaker.isOpen;
  }

  /** Budgets with leases. */
  get leased(): number {
    return this.#leases?.leased ?? 0;
  }

  /** Entries of what it remembers. */
  get held(): Readonly<Record<'budgets' | 'local_counters' | 'quotas', number>> {
    return {
      budgets: this.#leases?.size ?? 0,
      local_counters: this.#local.size,
      quotas: this.#quotas.size,
    };
  }

  /** Gives back what is leased. */
  close(): Promise<void> {
    return this.#leases?.close() ?? Promise.resolve();
  }

  #rememberQuota(exchange: ProxyExchange, key: string, state: Quota): void {
    exchange.memo.set(QUOTA_MEMO, { key, state });
    this.#quotas.set(key, { state, at: performance.now() });
  }

  #degraded(error: unknown): void {
    this.#isDegraded = true;
    this.#options.health.failed('ratelimit', error);
    this.#options.metrics.limitDecided('local');
  }

  #recovered(): void {
    if (!this.#isDegraded) return;
    this.#isDegraded = false;
    this.#options.health.answered('ratelimit');
  }
}

/** The quota that this request's chain will ask for, so that it can travel with the limit check. */
const quotaKeyOf = (exchange: ProxyExchange): string | undefined => {
  const prefix = exchange.chain?.quotaKeyPrefix;
  const tenant = prefix === undefined ? undefined : tenantOf(exchange);
  return tenant === undefined ? undefined : `${prefix}${tenant}`.slice(0, 1024);
};
