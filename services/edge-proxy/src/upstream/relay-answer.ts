import type { ServerResponse } from 'node:http';
import { GatewayError } from '@sluice/contracts';
import type { Ports } from '@sluice/plugins';
import { addGatewayHeaders } from '../answer.ts';
import { bodyReaders, runInspect, runResponse } from '../chain.ts';
import type { ProxyExchange } from '../exchange.ts';
import { Headers } from '../header-list.ts';
import { headersForClient, makeLengthPlain, trailersForClient } from '../screen.ts';
import type { AnswerReader, IncomingAnswer } from './engines/engine.ts';
import { sendWhenComplete } from './held-answer.ts';
import { refuseAnswer } from './refuse-answer.ts';

/** A larger body costs more to copy than a second write does. */
const MAX_TEXT_BYTES = 8 * 1024;

/**
 * Sends an upstream's answer to the client: the head, changed by the chain, then the body as it comes, with
 * backpressure; or, when a plugin has to see the body, both once it is complete. An answer that breaks off in the
 * middle breaks off for the client too, so that nobody takes half of it for the whole. Resolves when the last
 * byte is out or the client has left.
 */
export const relayAnswer = (
  exchange: ProxyExchange,
  upstream: IncomingAnswer,
  ports: Ports,
): Promise<void> => {
  const { response } = exchange;
  return new Promise((resolve) => {
    if (response.destroyed) {
      upstream.destroy();
      resolve();
      return;
    }
    response.on('close', () => {
      upstream.destroy();
      resolve();
    });
    readHead(exchange, upstream, ports);
    if (!makeLengthPlain(exchange.toClient)) {
      upstream.destroy();
      refuseAnswer(exchange, new GatewayError('GW_UPSTREAM_INVALID'));
      return;
    }
    const refusal = runInspect(exchange, ports);
    if (refusal !== undefined) {
      if (refusal.body === undefined) refuse(exchange, refusal);
      else refuseAnswer(exchange, refusal);
      return;
    }
    const readers = bodyReaders(exchange, ports);
    if (readers === undefined) stream(exchange, upstream);
    else sendWhenComplete({ exchange, upstream, ports, readers, stream });
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

const readHead = (exchange: ProxyExchange, upstream: IncomingAnswer, ports: Ports): void => {
  const { status, rawHeaders } = upstream;
  exchange.upstream = { status, rawHeaders };
  exchange.body.settle();
  const fromUpstream = headersForClient(Headers.fromRaw(rawHeaders), takesTrailers(exchange));
  const head = composeHead(exchange, fromUpstream, ports);
  if (status === 204) head.delete('content-length');
};

/** Ends the exchange without the upstream's body; what the chain said in the head stays. */
const refuse = (exchange: ProxyExchange, refusal: GatewayError): void => {
  const { response, toClient } = exchange;
  const { code, status } = refusal;
  exchange.errorCode = code;
  exchange.refusal = refusal;
  exchange.upstream = undefined;
  for (const name of ['content-type', 'content-encoding', 'trailer']) toClient.delete(name);
  toClient.set('Content-Length', '0');
  response.writeHead(status, toClient.toRaw());
  response.end();
};

/** Head, what was read of the body already, and the rest as it comes. */
const stream = (exchange: ProxyExchange, upstream: IncomingAnswer, read: readonly Buffer[] = []): void => {
  const { response } = exchange;
  response.writeHead(upstream.status, upstream.statusMessage, exchange.toClient.toRaw());
  const whole = read.length === 0 ? upstream.takeWhole() : undefined;
  if (whole !== undefined) {
    endWith(response, whole);
    return;
  }
  for (const chunk of read) response.write(chunk);
  upstream.read(readerFor(exchange, upstream));
  // The head goes out with the first bytes of the body, or alone when none came with it: a stream's client
  // waits for it.
  setImmediate(() => {
    if (!response.writableEnded && !response.destroyed) response.flushHeaders();
  });
};

/**
 * Ends a response with all of its body. Node puts a head and a string into one write, a head and bytes into a list
 * of two, which costs a fifth more; Latin-1 keeps every byte as it is.
 */
const endWith = (response: ServerResponse, body: Buffer): void => {
  if (body.length > MAX_TEXT_BYTES) response.end(body);
  else response.end(body.toString('latin1'), 'latin1');
};

/** Writes the body on. A client that has left never drains: it closed, and closing gave the upstream up. */
const readerFor = (exchange: ProxyExchange, upstream: IncomingAnswer): AnswerReader => {
  const { response } = exchange;
  return {
    chunk: (chunk) => {
      if (response.write(chunk) || response.destroyed) return;
      upstream.pause();
      response.once('drain', () => upstream.resume());
    },
    ended: () => endWithTrailers(exchange, upstream),
    broke: () => response.destroy(),
  };
};

const takesTrailers = ({ fromClient }: ProxyExchange): boolean =>
  fromClient.getAll('te').some((te) => te.toLowerCase().includes('trailers'));

const endWithTrailers = (exchange: ProxyExchange, upstream: IncomingAnswer): void => {
  const { response } = exchange;
  if (upstream.rawTrailers.length > 0 && takesTrailers(exchange) && response.chunkedEncoding)
    response.addTrailers(trailersForClient(upstream.rawTrailers).toNamedRecord() as Record<string, string>);
  response.end();
};
