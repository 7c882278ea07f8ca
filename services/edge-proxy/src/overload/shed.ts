import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS } from '@sluice/contracts';
import { SERVER_NAME } from '../answer.ts';
import { randomHex } from '../random-hex.ts';

const { status, message } = ERRORS.GW_OVERLOADED;
const BODY = JSON.stringify({ message, code: 'overloaded' });
/** The head for each answer to "when?", but for the id at its end: callers told the same second all come back in it. */
const HEADS = ['1', '2', '3'].map((seconds) => [
  ...['Content-Type', 'application/json; charset=utf-8'],
  ...['Content-Length', `${BODY.length}`],
  ...['Retry-After', seconds],
  ...['X-Kong-Response-Latency', '0', 'Server', SERVER_NAME, 'X-Kong-Request-Id', ''],
]);

let turn = 0;

const waiting: (readonly [IncomingMessage, ServerResponse, id: string])[] = [];

/**
 * Refuses a request before anything is done for it: no exchange, no chain, no access line. The answers of a turn of
 * the event loop go out at its end: a client that asks again at once would be read again in the same turn, and those
 * who are admitted would wait for it to stop.
 * @returns the request's id.
 */
export const shedRequest = (request: IncomingMessage, response: ServerResponse): string => {
  const id = randomHex(16);
  if (waiting.push([request, response, id]) === 1) setImmediate(answerAll);
  return id;
};

const answerAll = (): void => {
  for (const [request, response, id] of waiting.splice(0))
    if (!response.destroyed) answer(request, response, id);
};

/** A body that nobody wants is not read, so its connection ends with the answer. */
const answer = ({ headers, method }: IncomingMessage, response: ServerResponse, id: string): void => {
  turn = (turn + 1) % HEADS.length;
  const head = HEADS[turn] ?? [];
  head[head.length - 1] = id; // it is written out before the next
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  response.writeHead(status, hasBody ? [...head, 'Connection', 'close'] : head);
  if (method === 'HEAD') response.end();
  else response.end(BODY, 'latin1'); // all of it is ASCII: nothing has to be encoded
};
