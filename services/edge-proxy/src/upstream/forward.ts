import { GatewayError } from '@sluice/contracts';
import type { Service } from '@sluice/gateway-config';
import { withQuery } from '@sluice/routing';
import { failSpan, traceparentOf } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { answerUpstreamSpan, beginUpstreamSpan } from '../observe/tracing.ts';
import type { CompiledConfig } from '../snapshot/compile.ts';
import type { BalancedCall, Blame } from './balancing/balanced-call.ts';
import type { AttemptFailure, AttemptOptions, Engine, IncomingAnswer } from './engines/engine.ts';
import type { Guards } from './open-guards.ts';
import { type Balancing, openCall, pickTarget } from './pick-target.ts';
import { upstreamHeaders } from './request-head.ts';
import type { Target } from './target.ts';

/** Methods that nginx does not repeat once the request was sent; a second POST could book twice. */
const NOT_REPEATABLE = new Set(['POST', 'LOCK', 'PATCH']);

/** What a request is forwarded with. */
export interface Forwarding extends Balancing, Guards {
  readonly engine: Engine;
  /** How long a client may take nothing of its answer, in ms. */
  readonly clientStallMs: number;
}

/**
 * Gets the upstream's answer, with Kong's retries (kong-compat 3.3): another attempt after a connection that
 * failed or died before any byte of an answer, never after an answer, and never a second POST once it was sent.
 * The body of the answer is still to be read.
 */
export const forward = (
  exchange: ProxyExchange,
  compiled: CompiledConfig,
  service: Service,
  forwarding: Forwarding,
): Promise<IncomingAnswer | GatewayError> => {
  exchange.timing.forwardedAt = performance.now();
  const call = openCall(forwarding, compiled, service, exchange);
  return call === undefined
    ? tryTargets(exchange, compiled, service, { call, forwarding })
    : forwardBalanced(exchange, compiled, service, { opened: call, forwarding });
};

const forwardBalanced = async (
  exchange: ProxyExchange,
  compiled: CompiledConfig,
  service: Service,
  { opened, forwarding }: { opened: BalancedCall | Promise<BalancedCall>; forwarding: Forwarding },
): Promise<IncomingAnswer | GatewayError> => {
  const call = opened instanceof Promise ? await opened : opened;
  const answer = await tryTargets(exchange, compiled, service, { call, forwarding });
  if (answer instanceof GatewayError && call.setCookie !== undefined)
    exchange.toClient.append('Set-Cookie', call.setCookie);
  return answer;
};

const tryTargets = async (
  exchange: ProxyExchange,
  compiled: CompiledConfig,
  service: Service,
  { call, forwarding }: { call: BalancedCall | undefined; forwarding: Forwarding },
): Promise<IncomingAnswer | GatewayError> => {
  const { retryBudget, targetBreaker } = forwarding;
  const tls = service.protocol === 'https' ? compiled.upstreamTls(service) : undefined;
  let onFreshConnection = false;
  let retriesLeft = service.retries;
  retryBudget.began(service);
  let target = nextTarget(call, service, forwarding);
  for (;;) {
    if (target instanceof GatewayError) {
      if (exchange.tries === 0) exchange.timing.forwardedAt = undefined;
      return exchange.tries === 0 ? target : new GatewayError('GW_UPSTREAM_UNAVAILABLE');
    }
    call?.sent();
    const begun = begin(exchange, target);
    const answer = await send(exchange, forwarding, service, { begun, tls, onFreshConnection });
    end(exchange, begun, answer);
    if (!('kind' in answer)) {
      targetBreaker.succeeded(target.label);
      call?.answered(answer);
      return answer;
    }
    const isStaleConnection = answer.kind === 'reset' && answer.wasReused && !onFreshConnection;
    const isLast =
      !mayRepeat(exchange, answer) ||
      (!isStaleConnection && (retriesLeft === 0 || !retryBudget.spend(service)));
    if (isStaleConnection && !isLast) {
      call?.abandoned(); // it was closed while idle: no fault of the target, which is asked again
      onFreshConnection = true;
      continue;
    }
    const blame = blameFor(exchange, answer);
    if (blame !== 'client') targetBreaker.failed(target.label);
    call?.failed(blame, isLast);
    if (isLast) return refusalFor(exchange, answer);
    retriesLeft -= 1;
    target = nextTarget(call, service, forwarding);
  }
};

/** So many choices are made to find a target that is not left alone. */
const MAX_CHOICES = 16;
const LEFT_ALONE_RETRY_AFTER_SECONDS = '1';

const nextTarget = (
  call: BalancedCall | undefined,
  service: Service,
  { connectTo, targetBreaker }: Forwarding,
): Target | GatewayError => {
  for (let choice = 0; choice < MAX_CHOICES; choice++) {
    const target = pickTarget(call, service, connectTo);
    if (target instanceof GatewayError || targetBreaker.admits(target.label)) return target;
    if (call === undefined) break;
  }
  return new GatewayError('GW_UPSTREAM_UNAVAILABLE', {
    headers: { 'Retry-After': LEFT_ALONE_RETRY_AFTER_SECONDS },
  });
};

/** An attempt under way, inside a client span of the request's trace where that is recorded. */
interface Begun {
  readonly target: Target;
  readonly startedAt: number;
  readonly from: number;
  readonly span: ReturnType<typeof beginUpstreamSpan>;
}

const begin = (exchange: ProxyExchange, target: Target): Begun => {
  exchange.target = target.label;
  exchange.tries += 1;
  const span = beginUpstreamSpan(exchange, target);
  return { target, startedAt: Date.now(), from: performance.now(), span };
};

const send = (
  exchange: ProxyExchange,
  forwarding: Forwarding,
  service: Service,
  { begun, tls, onFreshConnection }: Pick<AttemptOptions, 'tls' | 'onFreshConnection'> & { begun: Begun },
): Promise<IncomingAnswer | AttemptFailure> => {
  const { target, span } = begun;
  const traceparent = span === undefined ? exchange.trace.traceparent : traceparentOf(span);
  return forwarding.engine.send(exchange, {
    target,
    tls,
    onFreshConnection,
    headers: upstreamHeaders(exchange, target, traceparent),
    path: withQuery(exchange.upstreamPath, queryOf(exchange)),
    timeouts: {
      connect: service.connect_timeout,
      write: service.write_timeout,
      read: service.read_timeout,
      client: forwarding.clientStallMs,
    },
    verifyTls: service.tls_verify ?? false, // Kong's default
  });
};

const end = (
  exchange: ProxyExchange,
  { target: { host, port }, startedAt, from, span }: Begun,
  answer: IncomingAnswer | AttemptFailure,
): void => {
  const until = performance.now();
  exchange.timing.answeredAt = until;
  const failure = 'kind' in answer ? answer.kind : undefined;
  const ip = 'kind' in answer ? undefined : answer.remoteAddress;
  exchange.attempts.push({ host, port, ip, startedAt, from, until, failure });
  if (span === undefined) return;
  if ('kind' in answer) failSpan(span, answer.kind);
  else answerUpstreamSpan(span, answer.status);
  span.end();
};

/** What a failed attempt says about its target. */
const blameFor = ({ body }: ProxyExchange, { kind }: AttemptFailure): Blame =>
  kind === 'client-gone' || body.overrun !== undefined ? 'client' : kind === 'timeout' ? 'timeout' : 'target';

const queryOf = ({ upstreamQuery, hasBareQuestionMark }: ProxyExchange): string | undefined =>
  upstreamQuery === '' && !hasBareQuestionMark ? undefined : upstreamQuery;

const mayRepeat = ({ body, upstreamMethod, response }: ProxyExchange, failure: AttemptFailure): boolean => {
  if (
    response.destroyed ||
    failure.kind === 'invalid' ||
    failure.kind === 'client-gone' ||
    failure.kind === 'name'
  )
    return false;
  if (!body.canReplay) return false;
  return failure.isUnsent || !NOT_REPEATABLE.has(upstreamMethod);
};

const refusalFor = (exchange: ProxyExchange, { kind, cause }: AttemptFailure): GatewayError => {
  if (kind === 'timeout') return new GatewayError('GW_UPSTREAM_TIMEOUT', { cause });
  if (kind !== 'name') return new GatewayError('GW_UPSTREAM_INVALID', { cause });
  exchange.timing.forwardedAt = undefined; // Kong looks the name up before it counts a request as proxied
  return new GatewayError('GW_NAME_NOT_RESOLVED', { cause });
};
