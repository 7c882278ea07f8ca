import type { IncomingMessage } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '@sluice/contracts';
import { renderError, SERVER_NAME } from './answer.ts';
import { Headers } from './header-list.ts';
import type { Presentation } from './presentation.ts';
import { randomHex } from './random-hex.ts';

type StreamRequest = IncomingMessage & ServerHttp2Stream;

const bytesPushed = new WeakMap<StreamRequest, { bytes: number }>();

/** Whether a request is a stream of HTTP/2, in the form that `http2Exchange` gave it. */
export const isStream = (request: IncomingMessage): request is StreamRequest =>
  request.httpVersion === '2.0' && request.httpVersionMajor === undefined;

/** Bytes of its body that came since this was asked for the first time: Node counts those of connections only. */
export const bytesOfStream = (request: StreamRequest): number => {
  const counted = bytesPushed.get(request);
  if (counted !== undefined) return counted.bytes;
  const count = { bytes: 0 };
  bytesPushed.set(request, count);
  const push = request.push;
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    count.bytes += chunk?.length ?? 0;
    return push.call(request, chunk, encoding);
  };
  return 0;
};

/** The client has sent all of it. */
export const streamIsWhole = (request: StreamRequest): boolean =>
  request.destroyed ||
  request.readableEnded ||
  request.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;

/** Answers in place of whoever is about to, and ends the stream; its connection goes on. */
export const endStream = (request: StreamRequest, error: GatewayError, shows: Presentation): void => {
  if (request.destroyed || request.headersSent) return;
  const { body, type } = renderError(error, { id: randomHex(16), fromClient: Headers.empty(), shows });
  request.respond({
    ':status': error.status,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(shows.server ? { server: SERVER_NAME } : {}),
  });
  request.end(body);
  request.close(constants.NGHTTP2_NO_ERROR);
};
