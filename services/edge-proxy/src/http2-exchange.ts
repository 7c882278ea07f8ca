import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';

export type OnHttp2Request = (request: IncomingMessage, response: ServerResponse) => void;

interface Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Flat `[name, value, …]`, pseudo headers included. */
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;
}

/**
 * Gives an HTTP/2 stream the form of an HTTP/1.1 request and its answer, so that the request line knows only one.
 * Node's own compatibility classes lose repeated headers and `destroyed`, which the line relies on.
 */
export const http2Exchange = (from: Http2Request, onRequest: OnHttp2Request): void => {
  const { stream, headers } = from;
  stream.on('error', () => undefined); // its `close` says all there is to say
  if (headers.expect?.toLowerCase() === '100-continue') stream.additionalHeaders({ ':status': 100 });
  const rawHeaders = http1Headers(from);
  const request = Object.assign(stream, {
    method: headers[':method'] ?? 'GET',
    url: headers[':path'] ?? headers[':authority'] ?? '/',
    rawHeaders,
    headers: { ...headers, ...lastOf(rawHeaders) },
    httpVersion: '2.0',
    socket: from.socket,
  });
  const response = new Http2Response(stream, request.method === 'HEAD');
  onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
};

/** Header lines as HTTP/1.1 has them: `Host` in place of `:authority`, one `Cookie`, and a mark of a body to come. */
const http1Headers = ({ stream, headers, rawHeaders }: Http2Request): string[] => {
  const lines: string[] = [];
  const cookies: string[] = [];
  const authority = headers[':authority'];
  if (authority !== undefined) lines.push('host', authority);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i] as string, rawHeaders[i + 1] as string];
    if (name.startsWith(':')) continue;
    // A second, different Host stays and is refused as it is in HTTP/1.1.
    if (name === 'host' && value.toLowerCase() === authority?.toLowerCase()) continue;
    if (name === 'cookie') cookies.push(value);
    else lines.push(name, value);
  }
  if (cookies.length > 0) lines.push('cookie', cookies.join('; ')); // RFC 9113 section 8.2.3
  if (!stream.endAfterHeaders && headers['content-length'] === undefined)
    lines.push('transfer-encoding', 'chunked');
  return lines;
};

const lastOf = (lines: readonly string[]): Record<string, string> => {
  const last: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2)
    if (lines[i] === 'host' || lines[i] === 'transfer-encoding')
      last[lines[i] as string] = lines[i + 1] as string;
  return last;
};

/** Lines that speak of an HTTP/1.1 connection (RFC 9113 section 8.2.2). */
const CONNECTION_LINES = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** What a header line costs beside its name and value in HTTP/1.1. */
const SEPARATORS = 4;

/** What the request line uses of a ServerResponse, on an HTTP/2 stream. */
class Http2Response extends Writable {
  statusCode = 200;
  headersSent = false;
  /** Of head and body, before they are packed: others write to the connection, too, so its count is not this one's. */
  bytesSent = 0;
  /** Trailers may follow whatever the body's length is. */
  readonly chunkedEncoding = true;
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  #head: Record<string, string | string[]> = {};
  #trailers: Record<string, string> = {};

  constructor(stream: ServerHttp2Stream, isHead: boolean) {
    super();
    this.#stream = stream;
    this.#isHead = isHead;
    stream.once('wantTrailers', () => stream.sendTrailers(this.#trailers));
    stream.once('close', () => this.destroy());
  }

  setHeader(name: string, value: string): this {
    this.#add(name, value);
    return this;
  }

  /** As `ServerResponse.writeHead` with flat headers; HTTP/2 has no status message. */
  writeHead(status: number, messageOrHeaders: string | readonly string[], flat?: readonly string[]): this {
    this.statusCode = status;
    const lines = typeof messageOrHeaders === 'string' ? (flat ?? []) : messageOrHeaders;
    for (let i = 0; i + 1 < lines.length; i += 2) this.#add(lines[i] as string, lines[i + 1] as string);
    this.headersSent = true;
    return this;
  }

  flushHeaders(): void {
    this.headersSent = true;
    this.#respond();
  }

  addTrailers(trailers: Record<string, string>): void {
    this.#trailers = trailers;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#respond();
    if (this.#stream.writableEnded || this.#stream.destroyed) done();
    else {
      this.bytesSent += chunk.length;
      this.#stream.write(chunk, done);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#respond();
    if (this.#stream.writableEnded || this.#stream.destroyed) done();
    else this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Cut short it must not look whole to the client.
    if (!this.writableFinished && !this.#stream.closed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    done(error);
  }

  #respond(): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    for (const [name, value] of Object.entries(this.#head))
      for (const one of [value].flat()) this.bytesSent += name.length + one.length + SEPARATORS;
    const hasNoBody = this.#isHead || this.statusCode === 204 || this.statusCode === 304;
    this.#stream.respond({ ':status': this.statusCode, ...this.#head }, { waitForTrailers: !hasNoBody });
  }

  #add(name: string, value: string): void {
    const key = name.toLowerCase();
    if (CONNECTION_LINES.has(key)) return;
    const before = this.#head[key];
    if (before === undefined) this.#head[key] = key === 'set-cookie' ? [value] : value;
    else if (Array.isArray(before)) before.push(value);
    else this.#head[key] = `${before}, ${value}`;
  }
}
