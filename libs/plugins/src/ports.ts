import type {
  GatewayError,
  HMAC_ALGORITHMS,
  Limit,
  Period,
  PromptFlag,
  QuotaState,
  WindowState,
} from '@sluice/contracts';
import type { Exchange, Identity } from './exchange.ts';
import type { LogRecord, LogSink, SinkEntry } from './log-sink.ts';
import type { ShadowPort } from './shadow-terms.ts';
import type { Instrument, Timeline } from './trace-timeline.ts';

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
      /** `lease`: from tokens that the limiter gave the edge in advance. */
      readonly source: 'service' | 'lease';
      readonly windows: readonly WindowState[];
    }
  /** The limiter or Redis is gone; decided by the edge's own share of the limit, without figures to show. */
  | { readonly outcome: 'allow' | 'deny'; readonly source: 'local'; readonly retryAfterSeconds: number };

/** An upstream's answer that may be given again. */
export interface StoredAnswer {
  readonly status: number;
  /** Name and value of each line, as the upstream sent them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Headers of the request that the answer depends on, and their values. */
  readonly asked: readonly (readonly [name: string, value: string])[];
  /** Unix time in ms. */
  readonly storedAt: number;
  /** How long it counts as fresh, in seconds. */
  readonly ttlSeconds: number;
}

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
   * answer in time the edge's local limiter decides and says so in `source`. `isExact`: the limiter itself counts
   * this request.
   */
  spendBudget(
    exchange: Exchange,
    key: string,
    limits: readonly Limit[],
    isExact?: boolean,
  ): Promise<BudgetVerdict> | BudgetVerdict;
  /** Reads a tenant's quota by its Redis key. `null`: the tenant has none; `undefined`: it cannot be read now. */
  readQuota(
    exchange: Exchange,
    quotaKey: string,
  ): Promise<QuotaState | null | undefined> | QuotaState | null | undefined;
  /** Counts what happened to requests; the edge exports it. Names are those of the edge's metrics. */
  count(
    metric:
      | 'quota_alerts'
      | 'quota_exceeded'
      | 'degraded_limits'
      | 'plugin_errors'
      | 'invalid_requests'
      | 'invalid_responses'
      | 'prompts_flagged'
      | 'shadow_refusals',
    labels?: Readonly<Record<string, string>>,
  ): void;
  /** Notes for the request's decision record what a guard saw in it. Where an edge does not offer it, nobody notes it. */
  flag?(exchange: Exchange, finding: PromptFlag): void;
  /** Writes a line in the edge's log, with request and trace ids added. Never a credential. */
  log(level: 'debug' | 'info' | 'warn', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The answer kept under a key by this edge, as long as it may be kept. */
  recallAnswer(key: string): StoredAnswer | undefined;
  /** Keeps an answer for `keepSeconds`, as far as there is room. */
  rememberAnswer(key: string, answer: StoredAnswer, keepSeconds: number): void;
  /** What this edge counted under a key in the current window of a period (calendar, UTC). */
  countedUnits(key: string, period: Period): number;
  /** Counts units under a key in the current window of each period. */
  countUnits(key: string, periods: readonly Period[], units: number): void;
  /** The log record of a finished request, without credentials; the same object for every plugin that asks. */
  logRecord(exchange: Exchange): LogRecord;
  /** Queues a record. `sinkKey` tells queues apart; a key with another sink than before starts a new queue. */
  writeLog(sinkKey: string, sink: LogSink, record: LogRecord): void;
  /** Queues one entry as it is; for sinks with a `compose` of their own. */
  send(sinkKey: string, sink: LogSink, entry: SinkEntry): void;
  /** What the process's settings say about tracing plugins. */
  readonly tracing: {
    /** Share of requests that are recorded where neither caller nor configuration decides, 0 to 1. */
    readonly samplingRate: number;
    readonly has: (instrument: Instrument) => boolean;
  };
  /**
   * A tracing plugin decided under which trace the request goes on and wrote the headers that say so: the edge's
   * own log and lookups follow it. `ids`: the trace id as each header format writes it.
   */
  adoptTrace(
    exchange: Exchange,
    trace: {
      readonly traceId: string;
      readonly spanId: string;
      readonly isSampled: boolean;
      readonly ids: Readonly<Record<string, string>>;
    },
  ): void;
  /** What took how long in a finished request. */
  timeline(exchange: Exchange): Timeline;
  /** Copies of requests for a second gateway. */
  readonly shadow: ShadowPort;
  /** A version 4 UUID. */
  uuid(): string;
}
