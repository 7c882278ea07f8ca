import type { Agent } from 'node:http';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { ProxyExchange } from '../../exchange.ts';
import { agents, closeAgents, countSockets, freshAgents } from '../agents.ts';
import type { AttemptFailure, AttemptOptions, Engine, IncomingAnswer } from './engine.ts';
import { HttpProxyAttempt } from './http-proxy-attempt.ts';

/** The library hands back what it was given as the client's request. */
const attemptIn = (source: unknown): HttpProxyAttempt => source as HttpProxyAttempt;

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
  proxy.on('proxyReq', (request, source, _response, _options, socket) =>
    attemptIn(source).onSocket(request, socket),
  );
  proxy.on('proxyRes', (upstream, source) => attemptIn(source).onResponse(upstream));
  proxy.on('error', () => undefined); // every call has its own callback
  proxy.on('econnreset', (error, source) => attemptIn(source).fail(error as NodeJS.ErrnoException));
  return proxy;
};

const proxy = createProxy();

const send = (exchange: ProxyExchange, options: AttemptOptions): Promise<IncomingAnswer | AttemptFailure> =>
  new Promise((resolve) => {
    const attempt = new HttpProxyAttempt(exchange, options, poolFor(options), resolve);
    const { protocol, host, port } = options.target;
    proxy.web(
      attempt as never,
      exchange.response,
      {
        // Node wants the bare address, the library the bracketed one; both read `hostname`.
        target: { protocol, host, hostname: host, port } as never,
        agent: attempt as never,
        secure: options.verifyTls,
        connectTimeout: options.timeouts.connect,
        buffer: exchange.body as never, // has `pipe`, which is all that is called
      },
      attempt.fail,
    );
  });

/** Every request by http-proxy-3, which upgrades use in any case. */
export const httpProxyEngine: Engine = { send, connections: countSockets, close: closeAgents };

const poolFor = ({ target: { protocol }, tls, onFreshConnection }: AttemptOptions): Agent =>
  onFreshConnection ? (tls?.fresh ?? freshAgents[protocol]) : (tls?.pool ?? agents[protocol]);
