import type { ClientRequest, IncomingMessage } from 'node:http';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { ProxyExchange } from '../exchange.ts';
import { agents, freshAgents, questionMarkAgents } from './agents.ts';
import type { Target } from './target.ts';
import type { UpstreamTls } from './upstream-tls.ts';

/** Why an attempt brought no answer, and whether another one is safe. */
export interface AttemptFailure {
  readonly kind: 'refused' | 'reset' | 'timeout' | 'name' | 'invalid' | 'client-gone';
  /** Nothing of the request reached the target. */
  readonly isUnsent: boolean;
  /** The connection had served before: the target may just have closed it while idle. */
  readonly wasReused: boolean;
  readonly cause: Error;
}

export interface AttemptOptions {
  readonly target: Target;
  readonly headers: Record<string, string | string[]>;
  readonly path: string;
  /** Milliseconds; idle times between bytes, not totals. */
  readonly timeouts: { readonly connect: number; readonly write: number; readonly read: number };
  readonly verifyTls: boolean;
  /** Pools of a service with certificates of its own; they decide in place of `verifyTls`. */
  readonly tls: UpstreamTls | undefined;
  /** Use a connection nobody used before. */
  readonly onFreshConnection: boolean;
}

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
const createEngine = (): ProxyServer => {
  const engine = createProxyServer({ toProxy: true, prependPath: false, selfHandleResponse: true });
  const internals = engine as unknown as { webPasses: { name: string }[] };
  internals.webPasses = internals.webPasses.filter((pass) => pass.name === 'stream');
  if (internals.webPasses.length !== 1)
    throw new Error('http-proxy-3 changed its passes; read upstream/attempt.ts');
  engine.on('proxyReq', (request, source) => {
    const attempt = running.get(source);
    if (attempt !== undefined) watchAttempt(attempt, request);
  });
  engine.on('proxyRes', (upstream, source) => running.get(source)?.onResponse(upstream));
  engine.on('error', () => undefined); // every call has its own callback
  engine.on('econnreset', (error, source) => running.get(source)?.fail(error as NodeJS.ErrnoException));
  return engine;
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
  let limit = body.hasBody ? timeouts.write : timeouts.read;
  request.setTimeout(limit);
  request.once('finish', () => {
    limit = timeouts.read;
    request.setTimeout(limit);
  });
  request.on('timeout', () => {
    // A client that reads slowly makes the upstream's connection idle too: that is not the upstream's fault.
    if (response.writableNeedDrain || request.socket?.connecting) {
      request.setTimeout(limit);
      return;
    }
    attempt.hasTimedOut = true;
    request.destroy(Object.assign(new Error('upstream timed out'), { code: 'ETIMEDOUT' }));
  });
};

const engine = createEngine();

/**
 * Sends the exchange's request to one target. Resolves with the upstream's answer, its head read and its body
 * waiting, or with why there is none.
 */
export const attemptOnce = (
  exchange: ProxyExchange,
  options: AttemptOptions,
): Promise<IncomingMessage | AttemptFailure> =>
  new Promise((resolve) => {
    const source = requestFor(exchange, options);
    const attempt: Running = {
      exchange,
      options,
      onResponse: (upstream) => resolve(upstream),
      fail: (error) => resolve(failureOf(attempt, error)),
      request: undefined,
      isConnected: false,
      hasTimedOut: false,
    };
    running.set(source, attempt);
    const { protocol, host, port } = options.target;
    engine.web(
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

const poolFor = ({ target: { protocol }, tls, onFreshConnection, path }: AttemptOptions) => {
  if (onFreshConnection) return tls?.fresh ?? freshAgents[protocol];
  if (path.endsWith('?')) return tls?.keepingQuestionMark ?? questionMarkAgents[protocol];
  return tls?.pool ?? agents[protocol];
};

/** What the library reads of a request: not the client's own object, which stays as it came. */
const requestFor = (
  { request, upstreamMethod }: ProxyExchange,
  { headers, path }: AttemptOptions,
): IncomingMessage =>
  ({
    method: upstreamMethod,
    url: path,
    headers,
    httpVersionMajor: 1,
    socket: request.socket,
    connection: request.socket,
    on: () => undefined, // errors of the client's side are the exchange's matter
  }) as unknown as IncomingMessage;

/** What look-ups of names fail with. */
export const NAME_ERRORS: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_FAIL']);

const failureOf = (attempt: Running, error: NodeJS.ErrnoException): AttemptFailure => {
  const code = error.code ?? '';
  const wasReused = attempt.request?.reusedSocket === true;
  const base = { isUnsent: !attempt.isConnected && !wasReused, wasReused, cause: error };
  if (attempt.exchange.response.destroyed) return { ...base, kind: 'client-gone' };
  if (attempt.hasTimedOut || code === 'ECONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return { ...base, kind: 'timeout' };
  if (NAME_ERRORS.has(code)) return { ...base, kind: 'name', isUnsent: true };
  if (code.startsWith('HPE_')) return { ...base, kind: 'invalid' };
  return { ...base, kind: attempt.isConnected ? 'reset' : 'refused' };
};
