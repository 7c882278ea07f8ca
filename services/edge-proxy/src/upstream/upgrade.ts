import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError } from '@sluice/contracts';
import type { Ports } from '@sluice/plugins';
import { createProxyServer } from 'http-proxy-3';
import type { ProxyExchange } from '../exchange.ts';
import type { Carry } from '../gateway.ts';
import { Headers } from '../header-list.ts';
import { withQuery } from '../routing/upstream-path.ts';
import type { BalancedCall } from './balancing/balanced-call.ts';
import { openCall, pickTarget } from './pick-target.ts';
import { composeHead, relayAnswer } from './relay-answer.ts';
import { upstreamHeaders } from './request-head.ts';
import type { Target } from './target.ts';
import type { UpstreamTls } from './upstream-tls.ts';

const engine = createProxyServer({ toProxy: true, prependPath: false, ws: true });
engine.on('error', () => undefined); // every call has its own callback

const starters = new WeakMap<object, (request: ClientRequest) => void>();
engine.on('proxyReqWs', (request, source) => starters.get(source)?.(request));

/** Carries a WebSocket handshake to the upstream and joins the two connections when it agrees. */
export const carryWebSocket =
  (socket: Duplex, head: Buffer): Carry =>
  async (gateway, exchange, compiled) => {
    const { service } = exchange;
    if (service === undefined) return new GatewayError('GW_NO_SERVICE');
    const call = await openCall(gateway, compiled, service, exchange);
    const target = pickTarget(call, service, gateway.connectTo);
    if (target instanceof GatewayError) return target;
    const tls = service.protocol === 'https' ? compiled.upstreamTls(service) : undefined;
    exchange.timing.forwardedAt = performance.now();
    exchange.target = target.label;
    exchange.tries = 1;
    call?.sent();
    const answer = await shakeHands(exchange, target, { socket, head, ports: gateway.ports, call, tls });
    exchange.timing.answeredAt ??= performance.now();
    if (answer === 'joined') return undefined;
    if (answer instanceof GatewayError) {
      call?.failed(answer.code === 'GW_UPSTREAM_TIMEOUT' ? 'timeout' : 'target', true);
      return answer;
    }
    call?.answered(answer);
    await relayAnswer(exchange, answer, gateway.ports);
    return undefined;
  };

const shakeHands = (
  exchange: ProxyExchange,
  target: Target,
  client: {
    socket: Duplex;
    head: Buffer;
    ports: Ports;
    call: BalancedCall | undefined;
    tls: UpstreamTls | undefined;
  },
): Promise<'joined' | IncomingMessage | GatewayError> =>
  new Promise((resolve) => {
    const { connect_timeout: connectTimeout = 60_000, read_timeout: readTimeout = 60_000 } =
      exchange.service ?? {};
    const source = handshakeFor(exchange, target);
    starters.set(source, (request) => {
      request.setTimeout(readTimeout, () =>
        request.destroy(Object.assign(new Error('no handshake'), { code: 'ETIMEDOUT' })),
      );
      request.on(
        'upgrade',
        (
          upstream: IncomingMessage,
          upstreamSocket: Duplex & { setTimeout?: (ms: number, done: () => void) => void },
        ) => {
          exchange.timing.answeredAt = performance.now();
          client.call?.joined(upstream, upstreamSocket);
          exchange.upstream = { status: 101 };
          upstream.headers = composeHead(
            exchange,
            Headers.fromRaw(upstream.rawHeaders),
            client.ports,
          ).toRecord() as never;
          // Both ends count as one line: frames in either direction keep it open.
          process.nextTick(() => upstreamSocket.setTimeout?.(readTimeout, () => upstreamSocket.destroy()));
          resolve('joined');
        },
      );
      // The library would write its own answer for a refused handshake, without our headers, and end the socket
      // before an error page is on it.
      process.nextTick(() => {
        request.removeAllListeners('response');
        request.removeAllListeners('error');
        request.on('response', resolve);
        request.on('error', (error: NodeJS.ErrnoException) => resolve(refusalOf(error)));
      });
    });
    const { protocol, host, port } = target;
    engine.ws(source, client.socket as never, client.head, {
      target: { protocol, host, hostname: host, port, ...client.tls?.options } as never,
      ...(client.tls === undefined ? {} : { ssl: { ...client.tls.options } }),
      secure: exchange.service?.tls_verify ?? false,
      connectTimeout,
    });
  });

const refusalOf = ({ code = '', ...error }: NodeJS.ErrnoException): GatewayError => {
  const isTimeout = code === 'ETIMEDOUT' || code === 'ECONNECT_TIMEOUT';
  return new GatewayError(isTimeout ? 'GW_UPSTREAM_TIMEOUT' : 'GW_UPSTREAM_INVALID', { cause: error });
};

const handshakeFor = (exchange: ProxyExchange, target: Target): IncomingMessage => {
  const headers = upstreamHeaders(exchange, target, exchange.trace.traceparent);
  headers.connection = 'keep-alive, Upgrade';
  headers.upgrade = 'websocket';
  const query =
    exchange.upstreamQuery === '' && !exchange.hasBareQuestionMark ? undefined : exchange.upstreamQuery;
  return {
    method: 'GET',
    url: withQuery(exchange.upstreamPath, query),
    headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    socket: exchange.request.socket,
    on: () => undefined,
  } as unknown as IncomingMessage;
};
