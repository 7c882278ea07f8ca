import type { IncomingMessage } from 'node:http';
import type { Ports } from '@sluice/plugins';
import { addGatewayHeaders } from '../answer.ts';
import { runResponse } from '../chain.ts';
import type { ProxyExchange } from '../exchange.ts';
import { Headers } from '../header-list.ts';
import { headersForClient } from '../screen.ts';

/**
 * Sends an upstream's answer to the client: the head, changed by the chain, then the body as it comes, with
 * backpressure. An answer that breaks off in the middle breaks off for the client too, so that nobody takes half
 * of it for the whole. Resolves when the last byte is out or the client has left.
 */
export const relayAnswer = (
  exchange: ProxyExchange,
  upstream: IncomingMessage,
  ports: Ports,
): Promise<void> => {
  const { response } = exchange;
  return new Promise((resolve) => {
    if (response.destroyed) {
      upstream.destroy();
      resolve();
      return;
    }
    response.once('close', () => {
      upstream.destroy();
      resolve();
    });
    writeHead(exchange, upstream, ports);
    upstream.once('error', () => response.destroy());
    upstream.once('end', () => {
      if (!upstream.complete) response.destroy();
      else endWithTrailers(exchange, upstream);
    });
    upstream.pipe(response, { end: false });
    // The head goes out with the first bytes of the body, or alone when none came with it: a stream's client
    // waits for it.
    setImmediate(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders();
    });
  });
};

/** The upstream's head with the chain's changes and the gateway's own lines; left in `exchange.toClient`. */
export const composeHead = (exchange: ProxyExchange, fromUpstream: Headers, ports: Ports): Headers => {
  fromUpstream.overlay(exchange.toClient);
  exchange.toClient = fromUpstream;
  runResponse(exchange, ports);
  addGatewayHeaders(exchange, true);
  return fromUpstream;
};

const writeHead = (exchange: ProxyExchange, upstream: IncomingMessage, ports: Ports): void => {
  const { response } = exchange;
  const status = upstream.statusCode ?? 502;
  exchange.upstream = { status };
  exchange.body.settle();
  const fromUpstream = headersForClient(Headers.fromRaw(upstream.rawHeaders), takesTrailers(exchange));
  const head = composeHead(exchange, fromUpstream, ports);
  if (status === 204) head.delete('content-length');
  response.writeHead(status, upstream.statusMessage ?? '', head.toRaw());
};

const takesTrailers = ({ fromClient }: ProxyExchange): boolean =>
  fromClient.getAll('te').some((te) => te.toLowerCase().includes('trailers'));

const endWithTrailers = (exchange: ProxyExchange, upstream: IncomingMessage): void => {
  const { response } = exchange;
  if (upstream.rawTrailers.length > 0 && takesTrailers(exchange) && response.chunkedEncoding)
    response.addTrailers(Headers.fromRaw(upstream.rawTrailers).toRecord() as Record<string, string>);
  response.end();
};
