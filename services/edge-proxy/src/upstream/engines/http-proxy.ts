import type { ClientRequest, IncomingMessage } from 'node:http';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { ProxyExchange } from '../../exchange.ts';
import { agents, closeAgents, countSockets, freshAgents, questionMarkAgents } from '../agents.ts';
import { stalledFor } from '../client-stall.ts';
import {
  type AttemptFailure,
  type AttemptOptions,
  type Engine,
  endlessInterim,
  type IncomingAnswer,
  isTimeout,
  MAX_INTERIM,
  NAME_ERRORS,
  upstreamTimeout,
} from './engine.ts';
import { MessageAnswer } from './message-answer.ts';

interface Running {
  readonly exchange: ProxyExchange;
  readonly options: AttemptOptions;
  readonly onResponse: (upstream: IncomingMessage) => void;
  readonly fail: (error: NodeJS.ErrnoException) => void;
  request: ClientRequest | undefined;
  isConnected: boolean;
  hasTimedOut: boolean;
}

const running = new WeakMap<object, Running>();

/**
 * http-proxy-3 with its known faults closed (research: sixteen, each with a test): the pass that lets a second
 * request be smuggled is gone, headers are set before `web`, the path passes byte for byte, the answer is written
 * by us, and a timeout can be told from a reset.
 */
const createProxy = (): ProxyServer => {
  const proxy = createProxyServer({ toProxy: true, prependPath: false, selfHandleResponse: true });
  const internals = proxy as unknown as { webPasses: { name: string }[] };
  internals.webPasses = internals.webPasses.filter((pass) => pass.name === 'stream');
  if (internals.webPasses.length !== 1)
    throw new Error('http-proxy-3 changed its passes; read upstream/engines/http-proxy.ts');
  proxy.on('proxyReq', (request, source) => {
    const attempt = running.get(source);
    if (attempt !== undefined) watchAttempt(attempt, request);
  });
  proxy.on('proxyRes', (upstream, source) => running.get(source)?.onResponse(upstream));
  proxy.on('error', () => undefined); // every call has its own callback
  proxy.on('econnreset', (error, source) => running.get(source)?.fail(error as NodeJS.ErrnoException));
  return proxy;
};

const watchAttempt = (attempt: Running, request: ClientRequest): void => {
  attempt.request = request;
  const { timeouts } = attempt.options;
  const { response, body } = attempt.exchange;
  const socket = request.socket;
  if (socket?.connecting)
    socket.once('connect', () => {
      attempt.isConnected = true;
    });
  else attempt.isConnected = true;
  // Nobody asked for another protocol. The library does not listen, and the request would never end.
  request.once('upgrade', (_answer, socket) => {
    socket.destroy();
    attempt.fail(Object.assign(new Error('upstream switched protocols unasked'), { code: 'HPE_UPGRADE' }));
  });
  let interim = 0;
  request.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM) request.destroy(endlessInterim());
  });
  let limit = body.hasBody ? timeouts.write : timeouts.read;
  request.setTimeout(limit);
  request.once('finish', () => {
    limit = timeouts.read;
    request.setTimeout(limit);
  });
  const onIdle = () => {
    // A client that reads slowly makes the upstream's connection idle too: that is not the upstream's fault.
    if (response.writableNeedDrain && stalledFor(response, performance.now()) >= timeouts.client)
      response.destroy();
    else if (response.writableNeedDrain || request.socket?.connecting) {
      // A request tells of one timeout only; the next ones are its socket's.
      request.socket?.setTimeout(Math.min(limit, timeouts.client));
      request.socket?.once('timeout', onIdle);
    } else {
      attempt.hasTimedOut = true;
      request.destroy(upstreamTimeout());
    }
  };
  request.on('timeout', onIdle);
  request.once('close', () => request.socket?.off('timeout', onIdle)); // it may go on to another request
};

const proxy = createProxy();

const send = (exchange: ProxyExchange, options: AttemptOptions): Promise<IncomingAnswer | AttemptFailure> =>
  new Promise((resolve) => {
    const source = requestFor(exchange, options);
    const attempt: Running = {
      exchange,
      options,
      onResponse: (upstream) => resolve(new MessageAnswer(upstream)),
      fail: (error) => resolve(failureOf(attempt, error)),
      request: undefined,
      isConnected: false,
      hasTimedOut: false,
    };
    running.set(source, attempt);
    const { protocol, host, port } = options.target;
    proxy.web(
      source,
      exchange.response,
      {
        // Node wants the bare address, the library the bracketed one; both read `hostname`.
        target: { protocol, host, hostname: host, port } as never,
        agent: poolFor(options),
        secure: options.verifyTls,
        connectTimeout: options.timeouts.connect,
        buffer: exchange.body as never, // has `pipe`, which is all that is called
      },
      attempt.fail,
    );
  });

/** Every request by http-proxy-3, which upgrades use in any case. */
export const httpProxyEngine: Engine = { send, connections: countSockets, close: closeAgents };

const poolFor = ({ target: { protocol }, tls, onFreshConnection, path }: AttemptOptions) => {
  if (onFreshConnection) return tls?.fresh ?? freshAgents[protocol];
  if (path.endsWith('?')) return tls?.keepingQuestionMark ?? questionMarkAgents[protocol];
  return tls?.pool ?? agents[protocol];
};

/** What the library reads of a request: not the client's own object, which stays as it came. */
const requestFor = (
  { request, upstreamMethod }: ProxyExchange,
  { headers, path }: AttemptOptions,
): IncomingMessage => {
  // Node writes the client's spelling on; undici writes its own.
  if (headers.has('transfer-encoding')) headers.set('Transfer-Encoding', 'chunked');
  return {
    method: upstreamMethod,
    url: path,
    headers: headers.toNamedRecord(),
    httpVersionMajor: 1,
    socket: request.socket,
    connection: request.socket,
    on: () => undefined, // errors of the client's side are the exchange's matter
  } as unknown as IncomingMessage;
};

const failureOf = (attempt: Running, error: NodeJS.ErrnoException): AttemptFailure => {
  const code = error.code ?? '';
  const wasReused = attempt.request?.reusedSocket === true;
  const base = { isUnsent: !attempt.isConnected && !wasReused, wasReused, cause: error };
  if (attempt.exchange.response.destroyed) return { ...base, kind: 'client-gone' };
  if (attempt.hasTimedOut || isTimeout(code)) return { ...base, kind: 'timeout' };
  if (NAME_ERRORS.has(code)) return { ...base, kind: 'name', isUnsent: true };
  if (code.startsWith('HPE_')) return { ...base, kind: 'invalid' };
  return { ...base, kind: attempt.isConnected ? 'reset' : 'refused' };
};
