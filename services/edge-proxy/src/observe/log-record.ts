import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Consumer } from '@sluice/gateway-config';
import type { LogRecord } from '@sluice/plugins';
import { withQuery } from '@sluice/routing';
import type { ProxyExchange } from '../exchange.ts';
import type { Headers } from '../header-list.ts';
import { type Redaction, redactionFor } from './redaction.ts';
import { requestBytes } from './request-bytes.ts';

/** Kong's only workspace where there are none; its id is the same in every Kong without a database. */
const WORKSPACE_ID = '0dc6f45b-8f8d-40d2-a504-473544ee190b';
const WORKSPACE_NAME = 'default';
const MEMO = 'edge:log-record';

/** The record of a finished request, made once. `consumer` is the caller's entity. */
export const logRecordOf = (exchange: ProxyExchange, consumer: Consumer | undefined): LogRecord => {
  const known = exchange.memo.get(MEMO) as LogRecord | undefined;
  if (known !== undefined) return known;
  const record = buildRecord(exchange, consumer);
  exchange.memo.set(MEMO, record);
  return record;
};

const buildRecord = (exchange: ProxyExchange, consumer: Consumer | undefined): LogRecord => {
  const redaction = redactionFor(exchange.chain);
  const { identity, upstream, route, service } = exchange;
  const correlationId = [...exchange.memo].find(([key]) => key.startsWith('correlation-id:'))?.[1];
  return {
    request: requestOf(exchange, redaction),
    response: {
      status: exchange.status,
      headers: redaction.headers(valuesOf(exchange.toClient)),
      size: exchange.bytesWritten,
    },
    upstream_uri:
      exchange.tries === 0
        ? ''
        : redaction.target(withQuery(exchange.upstreamPath, exchange.upstreamQuery || undefined)),
    upstream_status: upstream === undefined ? '' : `${upstream.status}`,
    latencies: latenciesOf(exchange),
    tries: exchange.attempts.map(tryOf),
    ...(route === undefined ? {} : { route }),
    ...(service === undefined ? {} : { service }),
    ...(consumer === undefined ? {} : { consumer }),
    ...(identity?.credential === undefined
      ? {}
      : { authenticated_entity: { id: identity.credential.id, consumer_id: identity.consumer?.id } }),
    client_ip: exchange.clientIp,
    started_at: exchange.startedAt,
    source: upstream === undefined ? 'kong' : 'upstream',
    workspace: WORKSPACE_ID,
    workspace_name: WORKSPACE_NAME,
    ...(typeof correlationId === 'string' ? { correlation_id: correlationId } : {}),
    trace_id: exchange.adoptedTraceIds ?? { w3c: exchange.traceId },
  };
};

/** Values by lower-case name; of a name with several lines, all. */
const valuesOf = (headers: Headers): Record<string, string | string[]> => headers.toRecord();

const requestOf = (exchange: ProxyExchange, redaction: Redaction): LogRecord => {
  const { request, fromClient, scheme, hostName, port, rawTarget } = exchange;
  const uri = redaction.target(rawTarget);
  return {
    id: exchange.id,
    method: exchange.method,
    uri,
    url: `${scheme}://${hostName}:${port}${uri}`,
    querystring: redaction.query(exchange.query),
    headers: redaction.headers(valuesOf(fromClient)),
    size: requestBytes(exchange),
    ...('encrypted' in request.socket ? { tls: tlsOf(request.socket as TLSSocket) } : {}),
  };
};

const tlsOf = (socket: TLSSocket): LogRecord => ({
  version: socket.getProtocol?.() ?? '',
  cipher: socket.getCipher?.()?.name ?? '',
  client_verify: 'NONE',
});

const latenciesOf = ({ timing }: ProxyExchange): LogRecord => {
  const now = performance.now();
  const { startedAt, forwardedAt, answeredAt } = timing;
  const ms = (from: number, to: number): number => Math.max(0, Math.round(to - from));
  return {
    request: ms(startedAt, now),
    kong: ms(startedAt, forwardedAt ?? now),
    proxy: forwardedAt === undefined || answeredAt === undefined ? -1 : ms(forwardedAt, answeredAt),
    receive: forwardedAt === undefined || answeredAt === undefined ? 0 : ms(answeredAt, now),
  };
};

/** What nginx calls the failure of a try. */
const TIMED_OUT = 504;
const BROKEN = 502;

const tryOf = ({ host, ip, port, startedAt, failure }: ProxyExchange['attempts'][number]): LogRecord => ({
  ip: isIP(host) === 0 ? (ip ?? '') : host,
  port,
  balancer_start: startedAt,
  balancer_start_ns: startedAt * 1_000_000,
  balancer_latency: 0,
  balancer_latency_ns: 0,
  ...(failure === undefined ? {} : { state: 'failed', code: failure === 'timeout' ? TIMED_OUT : BROKEN }),
});
