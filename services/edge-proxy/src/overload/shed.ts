import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS } from '@sluice/contracts';
import { SERVER_NAME } from '../answer.ts';
import { randomHex } from '../random-hex.ts';

const { status, message } = ERRORS.GW_OVERLOADED;
const BODY = JSON.stringify({ message, code: 'overloaded' });
/** Callers that are told the same second would all come back in it. */
const RETRY_AFTER_SECONDS = ['1', '2', '3'];

let turn = 0;

/**
 * Refuses a request before anything is done for it: no exchange, no chain, no access line. A body that nobody wants
 * is not read, so its connection ends with the answer.
 * @returns the request's id.
 */
export const shedRequest = ({ headers, method }: IncomingMessage, response: ServerResponse): string => {
  const id = randomHex(16);
  turn = (turn + 1) % RETRY_AFTER_SECONDS.length;
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  response.writeHead(status, [
    ...['Content-Type', 'application/json; charset=utf-8'],
    ...['Content-Length', `${BODY.length}`],
    ...['Retry-After', RETRY_AFTER_SECONDS[turn] ?? '1'],
    ...['X-Kong-Response-Latency', '0', 'Server', SERVER_NAME, 'X-Kong-Request-Id', id],
    ...(hasBody ? ['Connection', 'close'] : []),
  ]);
  response.end(method === 'HEAD' ? undefined : BODY);
  return id;
};
