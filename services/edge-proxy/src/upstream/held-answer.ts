import { GatewayError } from '@sluice/contracts';
import { MAX_ANSWER_BYTES, type Ports } from '@sluice/plugins';
import type { PluginInstance } from '@sluice/routing';
import { runBody, runOversize } from '../chain.ts';
import type { ProxyExchange } from '../exchange.ts';
import type { IncomingAnswer } from './engines/engine.ts';
import { refuseAnswer } from './refuse-answer.ts';

interface Held {
  readonly exchange: ProxyExchange;
  readonly upstream: IncomingAnswer;
  readonly ports: Ports;
  readonly readers: readonly PluginInstance[];
  /** Sends the head, what was read, and the rest as it comes. */
  readonly stream: (exchange: ProxyExchange, upstream: IncomingAnswer, read?: readonly Buffer[]) => void;
}

/**
 * Holds an answer back until it is complete, shows it to the plugins that asked for it, and sends what they made
 * of it. One that is too large to be held goes on as it came.
 */
export const sendWhenComplete = (held: Held): void => {
  const { exchange, upstream } = held;
  if (Number(exchange.toClient.get('content-length') ?? 0) > MAX_ANSWER_BYTES && hasBody(held)) {
    passOn(held, []);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  upstream.read({
    chunk: (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) passOn(held, chunks);
    },
    ended: () => send(held, Buffer.concat(chunks)),
    broke: () => exchange.response.destroy(),
  });
};

const passOn = (held: Held, read: readonly Buffer[]): void => {
  const { exchange, upstream, ports, stream, readers } = held;
  const refusal = runOversize(exchange, readers, ports);
  if (refusal !== undefined) {
    refuseAnswer(exchange, refusal);
    upstream.destroy();
    return;
  }
  ports.log('warn', 'answer too large for the plugins that read bodies, sent unchanged', {
    request_id: exchange.id,
    route: exchange.route?.name ?? exchange.route?.id,
    max_bytes: MAX_ANSWER_BYTES,
  });
  stream(exchange, upstream, read);
};

const hasBody = ({ exchange, upstream }: Held): boolean =>
  exchange.method !== 'HEAD' && upstream.status !== 204 && upstream.status !== 304;

const send = (held: Held, body: Buffer): void => {
  const { exchange, upstream, ports, readers } = held;
  const { response, toClient } = exchange;
  if (exchange.upstream !== undefined) exchange.upstream.body = body;
  const sent = runBody(exchange, readers, body, ports);
  if (sent instanceof GatewayError) {
    refuseAnswer(exchange, sent);
    return;
  }
  const isSent = hasBody(held);
  // The length of an answer without a body is that of the body it does not have (RFC 9110 section 8.6).
  if (isSent) toClient.set('Content-Length', `${sent.length}`);
  response.writeHead(upstream.status, upstream.statusMessage, toClient.toRaw());
  response.end(isSent ? sent : undefined);
};
