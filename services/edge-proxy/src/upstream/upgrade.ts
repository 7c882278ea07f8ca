import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError } from '@sluice/contracts';
import type { Service } from '@sluice/gateway-config';
import type { Ports } from '@sluice/plugins';
import { withQuery } from '@sluice/routing';
import { createProxyServer } from 'http-proxy-3';
import type { ProxyExchange } from '../exchange.ts';
import type { Carry } from '../gateway.ts';
import { Headers } from '../header-list.ts';
import type { BalancedCall } from './balancing/balanced-call.ts';
import { NAME_ERRORS } from './engines/engine.ts';
import { MessageAnswer } from './engines/message-answer.ts';
import { openCall, pickTarget } from './pick-target.ts';
import { composeHead, relayAnswer } from './relay-answer.ts';
import { upstreamHeaders } from './request-head.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { ConnectTo, Target } from './target.ts';
import type { UpstreamTls } from './upstream-tls.ts';

const engine = createProxyServer({ toProxy: true, prependPath: false, ws: true });
engine.on('error', () => undefined); // every call has its own callback

const starters = new WeakMap<object, (request: ClientRequest) => void>();
engine.on('proxyReqWs', (request, source) => starters.get(source)?.(request));

/** What a handshake is made with, beside its target. */
interface Client {
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly ports: Ports;
  readonly call: BalancedCall | undefined;
  readonly tls: UpstreamTls | undefined;
  readonly retryBudget: RetryBudget;
}

/**
 * Carries a WebSocket handshake to the upstream and joins the two connections when it agrees. A connection that
 * fails before an answer is tried again as for any other GET.
 */
export const carryWebSocket =
  (socket: Duplex, head: Buffer): Carry =>
  async (gateway, exchange, compiled) => {
    const { service } = exchange;
    if (service === undefined) return new GatewayError('GW_NO_SERVICE');
    const call = await openCall(gateway, compiled, service, exchange);
    const tls = service.protocol === 'https' ? compiled.upstreamTls(service) : undefined;
    const client = { socket, head, ports: gateway.ports, call, tls, retryBudget: gateway.retryBudget };
    const answer = await tryTargets(exchange, service, gateway.connectTo, client);
    if (answer === 'joined') return undefined;
    if (answer instanceof GatewayError) return answer;
    const incoming = new MessageAnswer(answer);
    call?.answered(incoming);
    await relayAnswer(exchange, incoming, gateway.ports);
    return undefined;
  };

const tryTargets = async (
  exchange: ProxyExchange,
  service: Service,
  connectTo: ConnectTo,
  client: Client,
): Promise<'joined' | IncomingMessage | GatewayError> => {
  const { call, retryBudget } = client;
  retryBudget.began(service);
  const { timing } = exchange;
  for (let retriesLeft = service.retries; ; retriesLeft -= 1) {
    const target = pickTarget(call, service, connectTo);
    if (target instanceof GatewayError)
      return exchange.tries === 0 ? target : new GatewayError('GW_UPSTREAM_UNAVAILABLE');
    timing.forwardedAt ??= performance.now();
    exchange.target = target.label;
    exchange.tries += 1;
    call?.sent();
    // The library puts the head back into the socket, where the first attempt has left it for the next ones.
    const head = exchange.tries === 1 ? client.head : Buffer.alloc(0);
    const began = { startedAt: Date.now(), from: performance.now() };
    const answer = await shakeHands(exchange, target, { ...client, head });
    timing.answeredAt = performance.now();
    noteAttempt(exchange, target, {
      ...began,
      failure: answer instanceof GatewayError ? answer.code : undefined,
    });
    if (!(answer instanceof GatewayError)) return answer;
    const hasLeft = exchange.response.destroyed;
    const isLast = retriesLeft === 0 || hasLeft || !isRepeatable(answer) || !retryBudget.spend(service);
    call?.failed(hasLeft ? 'client' : answer.code === 'GW_UPSTREAM_TIMEOUT' ? 'timeout' : 'target', isLast);
    if (answer.code === 'GW_NAME_NOT_RESOLVED') timing.forwardedAt = undefined; // as for any other request
    if (isLast) return answer;
  }
};

type Noted = ProxyExchange['attempts'][number];
const noteAttempt = (
  exchange: ProxyExchange,
  { host, port }: Target,
  attempt: Pick<Noted, 'startedAt' | 'from' | 'failure'>,
): void => {
  const until = exchange.timing.answeredAt ?? attempt.from;
  exchange.attempts.push({ host, port, ip: undefined, until, ...attempt });
};

/** Not after an answer that cannot be read, and not for a name that nobody knows. */
const isRepeatable = ({ code, cause }: GatewayError): boolean =>
  code !== 'GW_NAME_NOT_RESOLVED' && (cause as NodeJS.ErrnoException).code?.startsWith('HPE_') !== true;

const shakeHands = (
  exchange: ProxyExchange,
  target: Target,
  client: Client,
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
          endTogether(client.socket, upstreamSocket);
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

/** As nginx: when one side is done and the other has what it said, both connections end. */
const endTogether = (client: Duplex, upstream: Duplex): void => {
  client.once('end', () => endAfterWriting(upstream));
  client.once('close', () => upstream.destroy());
  upstream.once('end', () => endAfterWriting(client));
  upstream.once('close', () => endAfterWriting(client));
};

const endAfterWriting = (socket: Duplex & { destroySoon?: () => void }): void => {
  if (socket.destroySoon === undefined) socket.end();
  else socket.destroySoon();
};

const refusalOf = (cause: NodeJS.ErrnoException): GatewayError => {
  const { code = '' } = cause;
  if (NAME_ERRORS.has(code)) return new GatewayError('GW_NAME_NOT_RESOLVED', { cause });
  const isTimeout = code === 'ETIMEDOUT' || code === 'ECONNECT_TIMEOUT';
  return new GatewayError(isTimeout ? 'GW_UPSTREAM_TIMEOUT' : 'GW_UPSTREAM_INVALID', { cause });
};

const handshakeFor = (exchange: ProxyExchange, target: Target): IncomingMessage => {
  const { Connection: _plain, ...headers } = upstreamHeaders(
    exchange,
    target,
    exchange.trace.traceparent,
  ).toNamedRecord();
  headers.connection = 'keep-alive, Upgrade'; // the library looks for both in lower case
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
