import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@sluice/contracts';
import type { Service } from '@sluice/gateway-config';
import { failSpan, traceparentOf } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { beginUpstreamSpan } from '../observe/tracing.ts';
import { withQuery } from '../routing/upstream-path.ts';
import type { CompiledConfig } from '../snapshot/compile.ts';
import { type AttemptFailure, attemptOnce } from './attempt.ts';
import { type ConnectTo, pickTarget } from './pick-target.ts';
import { upstreamHeaders } from './request-head.ts';

/** Methods that nginx does not repeat once the request was sent; a second POST could book twice. */
const NOT_REPEATABLE = new Set(['POST', 'LOCK', 'PATCH']);

/**
 * Gets the upstream's answer, with Kong's retries (kong-compat 3.3): another attempt after a connection that
 * failed or died before any byte of an answer, never after an answer, and never a second POST once it was sent.
 * The body of the answer is still to be read.
 */
export const forward = async (
  exchange: ProxyExchange,
  compiled: CompiledConfig,
  service: Service,
  connectTo: ConnectTo,
): Promise<IncomingMessage | GatewayError> => {
  exchange.timing.forwardedAt = performance.now();
  let onFreshConnection = false;
  let retriesLeft = service.retries;
  for (;;) {
    const target = pickTarget(compiled, service, connectTo);
    if (target instanceof GatewayError) {
      if (exchange.tries === 0) exchange.timing.forwardedAt = undefined;
      return exchange.tries === 0 ? target : new GatewayError('GW_UPSTREAM_UNAVAILABLE');
    }
    exchange.target = target.label;
    exchange.tries += 1;
    const span = beginUpstreamSpan(exchange.trace, exchange.upstreamMethod, target);
    const answer = await attemptOnce(exchange, {
      target,
      headers: upstreamHeaders(
        exchange,
        target,
        span === undefined ? exchange.trace.traceparent : traceparentOf(span),
      ),
      path: withQuery(exchange.upstreamPath, queryOf(exchange)),
      timeouts: {
        connect: service.connect_timeout,
        write: service.write_timeout,
        read: service.read_timeout,
      },
      verifyTls: service.tls_verify ?? false, // Kong's default
      onFreshConnection,
    });
    exchange.timing.answeredAt = performance.now();
    if (!('kind' in answer)) {
      span?.setAttribute('http.response.status_code', answer.statusCode ?? 0);
      span?.end();
      return answer;
    }
    if (span !== undefined) {
      failSpan(span, answer.kind);
      span.end();
    }
    const isStaleConnection = answer.kind === 'reset' && answer.wasReused && !onFreshConnection;
    if (!mayRepeat(exchange, answer) || (!isStaleConnection && retriesLeft === 0))
      return refusalFor(exchange, answer);
    if (isStaleConnection) onFreshConnection = true;
    else retriesLeft -= 1;
  }
};

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
