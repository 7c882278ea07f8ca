import type { RevocationFollower } from '@sluice/config-log';
import { authVerify, GatewayError, type Limit, type QuotaState } from '@sluice/contracts';
import type { AuthVerdict, BudgetVerdict, Credential } from '@sluice/plugins';
import { type Bus, Lane } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { EdgeMetrics } from '../observe/metrics.ts';
import { withLaneSpan } from '../observe/tracing.ts';
import { Budgets } from './budgets.ts';
import type { DependencyHealth } from './dependency-health.ts';
import { failureKind } from './failure-kind.ts';
import { REVOKED, VerdictCache, verdictKey } from './verdict-cache.ts';

/** The commit the edge stands on, and how many edges share the limits. */
export interface Standing {
  readonly epoch: string;
  readonly version: number;
  readonly edges: number;
}

export interface DecisionOptions {
  readonly bus: Bus;
  readonly standing: () => Standing;
  readonly metrics: EdgeMetrics;
  readonly health: DependencyHealth;
  readonly cacheBytes: number;
  readonly cacheMaxMs: number;
  readonly revocations: Pick<RevocationFollower, 'list' | 'isRead'>;
  /** Off: the limiter is asked for every request. */
  readonly hasLeases: boolean;
  /** Longest wait for a verdict of auth, in ms. */
  readonly authTimeoutMs: number;
  /** Longest wait for the limiter, in ms. */
  readonly limitTimeoutMs: number;
}

const AUTH_RETRY_AFTER_SECONDS = '1';

/**
 * Where requests get their verdicts: from what the edge may remember, else from auth and ratelimit over their
 * lanes; and what happens when those cannot answer. Auth fails closed (503), limits and quotas fail open.
 */
export class Decisions {
  readonly cache: VerdictCache;
  readonly #auth: Lane<(typeof authVerify)['check']['shape'], (typeof authVerify)['verdict']['shape']>;
  readonly #budgets: Budgets;
  readonly #options: DecisionOptions;
  /** Credentials being verified right now: the same one is asked about once. */
  readonly #inFlight = new Map<string, Promise<AuthVerdict | GatewayError>>();

  constructor(options: DecisionOptions) {
    this.#options = options;
    this.cache = new VerdictCache({
      maxBytes: options.cacheBytes,
      maxMs: options.cacheMaxMs,
      revocations: options.revocations.list,
    });
    this.#auth = new Lane(
      options.bus,
      { ...authVerify, timeoutMs: options.authTimeoutMs },
      { isIdempotent: true },
    );
    this.#budgets = new Budgets(options);
  }

  verifyCredential(
    exchange: ProxyExchange,
    pluginId: string,
    credential: Credential,
  ): Promise<AuthVerdict | GatewayError> | AuthVerdict {
    const { scheme, token } = credential;
    // A signature is made over one request: its verdict says nothing about another.
    if (scheme === 'hmac') return this.#askAuth(exchange, pluginId, credential, undefined);
    const key = verdictKey(scheme, pluginId, token, exchange.chain?.signedBy);
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    // A new configuration asks anew, whatever is still being asked under the old one; the version alone does not
    // tell them apart: a candidate has the one it is built on, and a log that was made anew counts from the start.
    const question = `${this.cache.generation}\0${this.#options.standing().version}\0${key}`;
    const running = this.#inFlight.get(question);
    if (running !== undefined) return running;
    const asked = this.#askAuth(exchange, pluginId, credential, key).finally(() =>
      this.#inFlight.delete(question),
    );
    this.#inFlight.set(question, asked);
    return asked;
  }

  /** `key`: where the verdict may be kept. */
  async #askAuth(
    exchange: ProxyExchange,
    pluginId: string,
    credential: Credential,
    key: string | undefined,
  ): Promise<AuthVerdict | GatewayError> {
    const { epoch, version } = this.#options.standing();
    const { generation } = this.cache;
    const askedAt = performance.now();
    try {
      const verdict = await withLaneSpan(exchange.trace, authVerify.subject, (traceparent) =>
        this.#auth.ask(
          { pluginId, epoch, version, ...credential, signedBy: exchange.chain?.signedBy },
          traceparent,
        ),
      );
      this.#options.health.answered('auth');
      const { list } = this.#options.revocations;
      // Auth may have judged before it heard of a revocation that this edge has heard of.
      const isRevoked = verdict.token !== undefined && list.refuses(verdict.token);
      const answer = isRevoked ? REVOKED : identityOf(verdict);
      if (key !== undefined && generation === this.cache.generation && this.#mayRemember(answer, version)) {
        const leftMs = verdict.cacheMs - (performance.now() - askedAt); // of its life as auth knows it
        this.cache.put(key, answer, leftMs, verdict.token);
      }
      return answer;
    } catch (error) {
      this.#options.health.failed('auth', error);
      return new GatewayError('GW_AUTH_UNAVAILABLE', {
        cause: error,
        headers: { 'Retry-After': AUTH_RETRY_AFTER_SECONDS },
        facts: { failure: failureKind(error), timeout_ms: this.#options.authTimeoutMs },
      });
    }
  }

  /**
   * A verdict given under an older configuration may not outlive it; and who may not hear of revocations remembers
   * nobody.
   */
  #mayRemember({ outcome }: AuthVerdict, version: number): boolean {
    const { standing, revocations } = this.#options;
    return standing().version === version && (outcome === 'deny' || revocations.isRead);
  }

  /** As Budgets.spend. */
  spendBudget(
    exchange: ProxyExchange,
    key: string,
    limits: readonly Limit[],
    isExact: boolean,
  ): Promise<BudgetVerdict> | BudgetVerdict {
    return this.#budgets.spend(exchange, key, limits, isExact);
  }

  /** As Budgets.readQuota. */
  readQuota(
    exchange: ProxyExchange,
    quotaKey: string,
  ): Promise<QuotaState | null | undefined> | QuotaState | null | undefined {
    return this.#budgets.readQuota(exchange, quotaKey);
  }

  /** Why a service behind gives no answers now, by its name. */
  get problems(): Readonly<Record<string, string>> {
    return this.#options.health.problems;
  }

  /** Who is not asked for now, because it hangs. */
  get breakers(): Readonly<Record<'auth' | 'ratelimit', boolean>> {
    return { auth: this.#auth.breaker.isOpen, ratelimit: this.#budgets.isBreakerOpen };
  }

  /** Budgets that this edge holds leases of. */
  get leasedBudgets(): number {
    return this.#budgets.leased;
  }

  /** Entries of what it remembers about limits and quotas. */
  get held(): Budgets['held'] {
    return this.#budgets.held;
  }

  /** Gives back the leases that this edge holds. */
  close(): Promise<void> {
    return this.#budgets.close();
  }
}

type Verdict = (typeof authVerify)['verdict']['_zod']['output'];

const identityOf = (verdict: Verdict): AuthVerdict =>
  verdict.outcome === 'deny'
    ? {
        outcome: 'deny',
        body: verdict.body ?? { message: 'Unauthorized' },
        reason: verdict.reason ?? 'denied',
      }
    : {
        outcome: 'allow',
        identity: {
          consumer: verdict.consumer,
          credential: verdict.credential,
          tenantId: verdict.tenantId,
          platformId: verdict.platformId,
          userId: verdict.userId,
          claims: verdict.claims,
          groups: verdict.groups,
          signed: verdict.signedIdentity,
        },
      };
