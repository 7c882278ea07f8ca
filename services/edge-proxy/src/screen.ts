import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@sluice/contracts';
import { type HostAndPort, parseHost } from '@sluice/routing';
import { nominatedBy } from './client-headers.ts';
import { Headers } from './header-list.ts';

const MAX_HEADER_LINE_BYTES = 8192;
const MAX_TARGET_BYTES = 8192;

/** What is remembered of a screened request. */
export interface Screened {
  readonly request: IncomingMessage;
  /** Set when a header's name has other characters than letters, digits and `-`. */
  hasOddNames: boolean;
  /** What `Host` says. */
  hostRead: HostAndPort | undefined;
}

/** Of the headers that decide where a request ends and whose it is. */
interface Framing {
  host: string | undefined;
  length: string | undefined;
  encoding: string | undefined;
}

const PLAIN_NAME = /^[A-Za-z0-9-]+$/;
/** No sign, no blank, no leading zero, and nothing a 64-bit number or a double could not hold. */
const LENGTH = /^(?:0|[1-9]\d{0,14})$/;
const FRAMING_LOOK_ALIKE = /^(?:content.length|transfer.encoding|host.|connection.)$/i;

/**
 * Our own rules before anything else: what Node's parser lets pass and an upstream might read differently.
 * Returns the refusal, or undefined for a request with one clear meaning. `maxHeadBytes`: of all header lines.
 */
export const screenRequest = (screened: Screened, maxHeadBytes: number): GatewayError | undefined => {
  const { request } = screened;
  if (request.method === 'TRACE' || request.method === 'CONNECT')
    return new GatewayError('GW_METHOD_NOT_ALLOWED');
  if ((request.url ?? '').length > MAX_TARGET_BYTES)
    return new GatewayError('GW_BAD_REQUEST', { status: 414, message: 'URI too long' });
  const framing: Framing = { host: undefined, length: undefined, encoding: undefined };
  return (
    screenLines(screened, framing, maxHeadBytes) ??
    screenFraming(request, framing) ??
    screenHost(screened, framing)
  );
};

/** A line's colon, blank and end. Node's limit counts names and values alone: of short lines it lets three times as much in. */
const BETWEEN_BYTES = 4;

/** One pass over the lines as they came. */
const screenLines = (
  screened: Screened,
  framing: Framing,
  maxHeadBytes: number,
): GatewayError | undefined => {
  const { rawHeaders } = screened.request;
  let headBytes = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    const lineBytes = name.length + value.length;
    headBytes += lineBytes + BETWEEN_BYTES;
    if (lineBytes > MAX_HEADER_LINE_BYTES || headBytes > maxHeadBytes)
      return new GatewayError('GW_HEADERS_TOO_LARGE');
    const field = framingField(name);
    if (field !== undefined) {
      if (framing[field] !== undefined) return new GatewayError('GW_BAD_REQUEST');
      framing[field] = value;
    } else if (!PLAIN_NAME.test(name)) {
      if (FRAMING_LOOK_ALIKE.test(name)) return new GatewayError('GW_BAD_REQUEST');
      screened.hasOddNames = true;
    }
  }
  return undefined;
};

const framingField = (name: string): keyof Framing | undefined => {
  // By length first: most lines are none of these, and need not be written in lower case to see it.
  if (name.length === 4) return name.toLowerCase() === 'host' ? 'host' : undefined;
  if (name.length === 14) return name.toLowerCase() === 'content-length' ? 'length' : undefined;
  if (name.length === 17) return name.toLowerCase() === 'transfer-encoding' ? 'encoding' : undefined;
  return undefined;
};

const screenFraming = (
  request: IncomingMessage & { readonly upgrade?: boolean },
  { length, encoding }: Framing,
): GatewayError | undefined => {
  const { httpVersion } = request;
  // A stream of HTTP/2 has no such field: on HTTP/1 any other version is somebody's own protocol.
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && request.httpVersionMajor !== undefined)
    return new GatewayError('GW_BAD_REQUEST');
  // The bytes behind a handshake are the other protocol's: they cannot be a body as well.
  if (request.upgrade && (encoding ?? length ?? '0') !== '0') return new GatewayError('GW_BAD_REQUEST');
  if (encoding !== undefined) {
    // Exactly `chunked`: every other spelling is read in at least two ways somewhere (RFC 9112 section 6.1).
    if (encoding.toLowerCase() !== 'chunked' || length !== undefined || httpVersion === '1.0')
      return new GatewayError('GW_BAD_REQUEST');
  } else if (length !== undefined && !LENGTH.test(length)) return new GatewayError('GW_BAD_REQUEST');
  return undefined;
};

const screenHost = (screened: Screened, { host }: Framing): GatewayError | undefined => {
  if (host === undefined)
    return screened.request.httpVersion === '1.0' ? undefined : new GatewayError('GW_BAD_REQUEST');
  screened.hostRead = parseHost(host);
  return screened.hostRead === undefined ? new GatewayError('GW_BAD_REQUEST') : undefined;
};

const RESPONSE_HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const NGINX_COMMANDS = 'x-accel-';

const isKeptFromClient = (key: string): boolean =>
  RESPONSE_HOP_BY_HOP.has(key) || key === 'trailer' || key.startsWith(NGINX_COMMANDS);
const isKeptFromTrailersClient = (key: string): boolean =>
  RESPONSE_HOP_BY_HOP.has(key) || key.startsWith(NGINX_COMMANDS);

/** An upstream's headers as the client may see them. `Trailer` stays for a client that asked for trailers. */
export const headersForClient = (fromUpstream: Headers, clientTakesTrailers: boolean): Headers => {
  const headers = fromUpstream.without(clientTakesTrailers ? isKeptFromTrailersClient : isKeptFromClient);
  for (const nominated of nominatedBy(fromUpstream.getAll('connection')))
    if (nominated !== 'content-length') headers.delete(nominated);
  return headers;
};

/**
 * Writes the length of an answer in its one plain form: zeros before it are octal to some.
 * @returns false where it is none that every client can hold: it would be cut to another.
 */
export const makeLengthPlain = (head: Headers): boolean => {
  const length = head.get('content-length');
  if (length === undefined || LENGTH.test(length)) return true;
  const plain = length.replace(/^0+(?=\d)/, '');
  if (!LENGTH.test(plain)) return false;
  head.set('Content-Length', plain);
  return true;
};

/**
 * What a trailer may not say, because some clients take it for a header: where a message ends, whose it is, how it is
 * to be read or kept, and who is let in (RFC 9110 section 6.5.1); and what the gateway says of itself.
 */
const NO_TRAILER =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-(?:length|type|encoding|range|location|disposition|security-policy.*)|(?:www-|proxy-)?authenticate|(?:proxy-)?authorization|(?:set-)?cookie2?|cache-control|pragma|expires|age|date|vary|location|refresh|retry-after|clear-site-data|strict-transport-security|access-control-.*|cross-origin-.*|via|server|forwarded|x-(?:kong|sluice|gateway|accel|forwarded)-.*|(?:x-)?ratelimit-?.*|proxy-.*)$/;

/** An upstream's trailers as a client may have them. */
export const trailersForClient = (rawTrailers: readonly string[]): Headers =>
  Headers.fromRaw(rawTrailers).without((key) => NO_TRAILER.test(key));
