import type { IncomingMessage } from 'node:http';
import {
  ERRORS,
  type GatewayError,
  type Period,
  type PromptFlag,
  type QuotaState,
  type WindowState,
} from '@sluice/contracts';
import type { Route, Service } from '@sluice/gateway-config';
import type { Identity } from '@sluice/plugins';
import type { Chain, PluginInstance } from '@sluice/routing';
import type { Attempted, ProxyExchange } from '../exchange.ts';
import { AskedSlot } from './asked-facts.ts';
import { loggedPath } from './logged-path.ts';
import { bodyBytes } from './request-bytes.ts';

const MAX_PATH_CHARS = 1024;
const MAX_NAME_CHARS = 256;
/** A text cut out of one longer than this is copied: otherwise the whole of it would be kept alive. */
const MAX_PARENT_CHARS = 2048;
/** A policy has at most one window of each of Kong's periods. */
const MAX_WINDOWS = 6;

interface MutableWindow {
  period: Period;
  limit: number;
  remaining: number;
  resetMs: number;
}

/**
 * One place in the ring of decision records, written over and over. It takes over what the exchange holds anyway:
 * nothing is allocated, put together or looked up, and nothing that is large (bodies, headers, sockets, errors with
 * their stacks) is kept alive by it. What people see of it is made by `recordOf`, when somebody asks.
 */
export class DecisionSlot {
  /** 0: not written yet. */
  seq = 0;
  /** Requests that this one is a sample of, itself included. */
  standsFor = 1;
  id = '';
  traceId = '';
  correlationId: unknown;
  /** Unix ms. */
  at = 0;
  method = '';
  path = '';
  host = '';
  status = 0;
  version = 0;
  claimedTenant: string | undefined;
  identity: Identity | undefined;
  route: Route | undefined;
  service: Service | undefined;
  chain: Chain | undefined;
  steps: ProxyExchange['steps'];
  /** Who refused, where a plugin did in its turn. */
  refusedBy: PluginInstance | undefined;
  code: string | undefined;
  message = '';
  body: unknown;
  facts: GatewayError['facts'];
  isAnswered = false;
  shadowed: ReadonlyMap<string, string> | undefined;
  flagged: ReadonlyMap<string, PromptFlag> | undefined;
  upstreamStatus = 0;
  target: string | undefined;
  tries = 0;
  attempts: readonly Attempted[] | undefined;
  totalMs = 0;
  /** Negative: no attempt, no answer. */
  gatewayMs = -1;
  upstreamMs = -1;
  bytesIn = 0;
  bytesOut = 0;

  authBy: PluginInstance | undefined;
  authSource: 'cache' | 'service' | undefined;
  authReason: string | undefined;
  authMs = 0;
  isAuthDegraded = false;
  limitBy: PluginInstance | undefined;
  limitKey = '';
  limitSource: 'lease' | 'service' | 'local' | undefined;
  limitMs = 0;
  windowCount = 0;
  readonly windows: readonly MutableWindow[] = Array.from({ length: MAX_WINDOWS }, () => ({
    ...{ period: 'minute' as const, limit: 0, remaining: 0, resetMs: 0 },
  }));
  quotaBy: PluginInstance | undefined;
  quotaKey = '';
  quotaSource: 'cache' | 'service' | undefined;
  quotaState: QuotaState | null | undefined;
  quotaMs = 0;
  /** What routes and policies go by. */
  readonly asked = new AskedSlot();

  /** Takes over a finished exchange. `now` by `performance.now()`; `routeHeaders`: those that routes match by. */
  fill(exchange: ProxyExchange, seq: number, now: number, routeHeaders: readonly string[]): void {
    const { upstream, timing, identity, rawTarget } = exchange;
    this.seq = seq;
    this.standsFor = 1;
    this.id = exchange.id;
    this.traceId = exchange.trace.traceId;
    const key = exchange.chain?.correlationKey;
    this.correlationId = key === undefined ? undefined : exchange.memo.get(key);
    this.at = exchange.startedAt;
    this.method = exchange.method;
    this.path = rawTarget.length > MAX_PARENT_CHARS ? copied(exchange.loggedPath) : exchange.loggedPath;
    this.host = exchange.hostName.length > MAX_NAME_CHARS ? '' : exchange.hostName;
    this.status = exchange.status;
    this.version = exchange.configVersion;
    this.identity = identity;
    const claimed = identity?.tenantId === undefined ? exchange.fromClient.get('x-tenant-id') : undefined;
    this.claimedTenant = claimed !== undefined && claimed.length > MAX_NAME_CHARS ? undefined : claimed;
    this.route = exchange.matched?.route;
    this.service = exchange.service;
    this.chain = exchange.chain;
    this.steps = exchange.steps;
    this.upstreamStatus = upstream?.status ?? 0;
    this.target = exchange.target;
    this.tries = exchange.tries;
    this.totalMs = now - timing.startedAt;
    const { forwardedAt, answeredAt } = timing;
    this.gatewayMs = forwardedAt === undefined ? -1 : forwardedAt - timing.startedAt;
    this.upstreamMs = forwardedAt === undefined || answeredAt === undefined ? -1 : answeredAt - forwardedAt;
    this.asked.fill(exchange, routeHeaders);
    this.#fillBytes(exchange);
    this.#fillRefusal(exchange);
    this.#fillVerdicts(exchange);
  }

  /** Takes down a request that was refused before an exchange was made of it. `at` in Unix ms. */
  shed(id: string, { method = 'GET', url = '/', headers }: IncomingMessage, seq: number, at: number): void {
    Object.assign(this, EMPTY);
    this.asked.isFilled = false;
    this.seq = seq;
    this.id = id;
    this.at = at;
    this.method = method;
    const path = loggedPath(url);
    this.path = url.length > MAX_PARENT_CHARS ? copied(path) : path;
    const claimed = headers['x-tenant-id'];
    this.claimedTenant =
      typeof claimed === 'string' && claimed.length <= MAX_NAME_CHARS ? claimed : undefined;
    this.code = 'GW_OVERLOADED';
    this.status = ERRORS.GW_OVERLOADED.status;
    this.message = ERRORS.GW_OVERLOADED.message;
  }

  #fillBytes(exchange: ProxyExchange): void {
    this.bytesIn = bodyBytes(exchange);
    this.bytesOut = exchange.bytesWritten;
  }

  #fillRefusal(exchange: ProxyExchange): void {
    const { refusal } = exchange;
    this.refusedBy = refusal === undefined ? undefined : exchange.running;
    this.isAnswered = refusal?.code === 'GW_ANSWERED';
    this.code = exchange.errorCode;
    this.message = refusal?.message ?? '';
    // What a plugin answers in the upstream's place may be a whole page.
    this.body = exchange.errorCode === undefined ? undefined : refusal?.body;
    this.facts = refusal?.facts;
    this.shadowed = exchange.shadowed;
    this.flagged = exchange.flagged;
    this.attempts = exchange.errorCode !== undefined || exchange.tries > 1 ? exchange.attempts : undefined;
  }

  #fillVerdicts(exchange: ProxyExchange): void {
    this.authBy = exchange.authBy;
    this.authSource = exchange.authSource;
    this.authReason = exchange.authReason;
    this.authMs = exchange.authMs;
    this.isAuthDegraded = exchange.isAuthDegraded;
    this.limitBy = exchange.limitBy;
    this.limitKey = exchange.limitKey;
    this.limitMs = exchange.limitMs;
    const verdict = exchange.limitVerdict;
    this.limitSource = verdict?.source;
    this.#fillWindows(verdict === undefined || verdict.source === 'local' ? NO_WINDOWS : verdict.windows);
    this.quotaBy = exchange.quotaBy;
    this.quotaKey = exchange.quotaKey;
    this.quotaSource = exchange.quotaSource;
    this.quotaState = exchange.quotaState;
    this.quotaMs = exchange.quotaMs;
  }

  /** Copied: the book of leases may go on with its own. */
  #fillWindows(windows: readonly WindowState[]): void {
    const count = Math.min(windows.length, MAX_WINDOWS);
    for (let i = 0; i < count; i++) {
      const from = windows[i] as WindowState;
      const to = this.windows[i] as MutableWindow;
      to.period = from.period;
      to.limit = from.limit;
      to.remaining = from.remaining;
      to.resetMs = from.resetMs;
    }
    this.windowCount = count;
  }
}

/** A slot that tells of nothing, but for its windows, which are counted, and what was asked. */
const { windows: _, asked: __, ...EMPTY } = new DecisionSlot();

const NO_WINDOWS: readonly WindowState[] = [];

const copied = (path: string): string =>
  Buffer.from(path.slice(0, MAX_PATH_CHARS), 'latin1').toString('latin1');
