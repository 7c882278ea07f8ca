import type { GatewayError } from '@sluice/contracts';
import { renderError } from '../answer.ts';
import type { ProxyExchange } from '../exchange.ts';

/** Of an upstream's lines these stay on the answer that takes its place: a browser could not read it without. */
const KEPT_LINE = /^(?:access-control-|vary$|date$|server$|via$|connection$)/;

/** Sends a refusal in the place of the upstream's answer: nothing of that but what the chain added stays. */
export const refuseAnswer = (exchange: ProxyExchange, refusal: GatewayError): void => {
  const { response, toClient } = exchange;
  exchange.errorCode = refusal.code;
  const { rawHeaders = [] } = exchange.upstream ?? {};
  exchange.upstream = undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!KEPT_LINE.test(name)) toClient.delete(name);
  }
  const { body, type } = renderError(refusal, exchange);
  for (const [name, value] of Object.entries(refusal.headers)) toClient.set(name, value);
  toClient.set('Content-Type', type);
  toClient.set('Content-Length', `${Buffer.byteLength(body)}`);
  response.writeHead(refusal.status, toClient.toRaw());
  response.end(body);
};
