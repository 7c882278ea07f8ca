import type { GatewayError, HMAC_ALGORITHMS, Limit, QuotaState, WindowState } from '@sluice/contracts';
import type { Exchange, Identity } from './exchange.ts';

/** What a request presents to say who it is, as the auth process judges it. */
export type Credential =
  | { readonly scheme: 'jwt' | 'key' | 'basic'; readonly token: string }
  | {
      readonly scheme: 'hmac';
      /** The signature, in base64. */
      readonly token: string;
      readonly hmac: {
        readonly username: string;
        readonly algorithm: (typeof HMAC_ALGORITHMS)[number];
        readonly signingString: string;
      };
    };

/** The answer about a credential: an identity, or the refusal to send. */
export type AuthVerdict =
  | { readonly outcome: 'allow'; readonly identity: Identity }
  | { readonly outcome: 'deny'; readonly body: Readonly<Record<string, unknown>>; readonly reason: string };

export type BudgetVerdict =
  | {
      readonly outcome: 'allow' | 'deny';
      readonly source: 'service';
      readonly windows: readonly WindowState[];
    }
  /** The limiter or Redis is gone; decided by the edge's own share of the limit, without figures to show. */
  | { readonly outcome: 'allow' | 'deny'; readonly source: 'local'; readonly retryAfterSeconds: number };

/** One plugin instance's access to the outside: everything a plugin may ask. Answered locally or over NATS. */
export interface Ports {
  /** Verifies a credential under the settings of a plugin instance. Returns a refusal when auth cannot answer. */
  verifyCredential(
    exchange: Exchange,
    pluginId: string,
    credential: Credential,
  ): Promise<AuthVerdict | GatewayError> | AuthVerdict;
  /**
   * The consumer with this id or username in the configuration that serves the request. Where an edge does not
   * offer it, `anonymous` has to be a consumer's id.
   */
  findConsumer?(idOrUsername: string): Identity['consumer'];
  /** The groups of a consumer in that configuration. Where an edge does not offer it, `anonymous` has none. */
  groupsOf?(consumerId: string): readonly string[];
  /**
   * Spends one unit of a budget (`key` as in the contract's `budgetKey`). Never throws; when the limiter cannot
   * answer in time the edge's local limiter decides and says so in `source`.
   */
  spendBudget(
    exchange: Exchange,
    key: string,
    limits: readonly Limit[],
  ): Promise<BudgetVerdict> | BudgetVerdict;
  /** Reads a tenant's quota by its Redis key. `null`: the tenant has none; `undefined`: it cannot be read now. */
  readQuota(
    exchange: Exchange,
    quotaKey: string,
  ): Promise<QuotaState | null | undefined> | QuotaState | null | undefined;
  /** Counts what happened to requests; the edge exports it. Names are those of the edge's metrics. */
  count(
    metric: 'quota_alerts' | 'quota_exceeded' | 'degraded_limits',
    labels?: Readonly<Record<string, string>>,
  ): void;
  /** Writes a line in the edge's log, with request and trace ids added. Never a credential. */
  log(level: 'debug' | 'info' | 'warn', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A version 4 UUID. */
  uuid(): string;
}
