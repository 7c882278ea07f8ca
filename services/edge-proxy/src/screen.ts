import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@sluice/contracts';
import { isIdentityHeader } from '@sluice/plugins';
import type { Headers } from './header-list.ts';
import { parseHost } from './routing/parse-host.ts';

const MAX_HEADER_LINE_BYTES = 8192;
const MAX_TARGET_BYTES = 8192;

/**
 * Our own rules before anything else: what Node's parser lets pass and an upstream might read differently.
 * Returns the refusal, or undefined for a request with one clear meaning.
 */
export const screenRequest = (request: IncomingMessage, headers: Headers): GatewayError | undefined => {
  if (request.method === 'TRACE' || request.method === 'CONNECT')
    return new GatewayError('GW_METHOD_NOT_ALLOWED');
  if ((request.url ?? '').length > MAX_TARGET_BYTES)
    return new GatewayError('GW_BAD_REQUEST', { status: 414, message: 'URI too long' });
  if (headers.longestLine > MAX_HEADER_LINE_BYTES) return new GatewayError('GW_HEADERS_TOO_LARGE');
  return screenFraming(headers) ?? screenHost(request, headers);
};

const screenFraming = (headers: Headers): GatewayError | undefined => {
  const encodings = headers.getAll('transfer-encoding');
  // Exactly `chunked`: every other spelling is read in at least two ways somewhere (RFC 9112 section 6.1).
  if (encodings.length > 1 || (encodings.length === 1 && encodings[0]?.toLowerCase() !== 'chunked'))
    return new GatewayError('GW_BAD_REQUEST');
  const lengths = headers.getAll('content-length');
  if (lengths.length > 1 || (lengths.length === 1 && encodings.length === 1))
    return new GatewayError('GW_BAD_REQUEST');
  return undefined;
};

const screenHost = (request: IncomingMessage, headers: Headers): GatewayError | undefined => {
  const hosts = headers.getAll('host');
  if (hosts.length > 1) return new GatewayError('GW_BAD_REQUEST');
  if (hosts.length === 0)
    return request.httpVersion === '1.0' ? undefined : new GatewayError('GW_BAD_REQUEST');
  return parseHost(hosts[0] ?? '') === undefined ? new GatewayError('GW_BAD_REQUEST') : undefined;
};

/** Connection's own headers: they speak to the next hop only (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'expect',
  'upgrade',
  'te',
  'trailer',
]);
/** A `Connection:` header may not talk us out of these. */
const NEVER_NOMINATED = new Set(['host', 'content-length', 'transfer-encoding', 'authorization', 'cookie']);

const isKeptFromUpstream = (key: string): boolean =>
  HOP_BY_HOP.has(key) || (key.charCodeAt(0) === LETTER_X && isIdentityHeader(key));

/** The client's headers as an upstream may see them, before the gateway adds its own. */
export const headersForUpstream = (fromClient: Headers): Headers => {
  const headers = fromClient.without(isKeptFromUpstream);
  for (const nominated of nominatedBy(fromClient.getAll('connection')))
    if (!NEVER_NOMINATED.has(nominated)) headers.delete(nominated);
  const wantsTrailers = fromClient.getAll('te').some((te) => /(^|[,\s])trailers($|[,;\s])/i.test(te));
  if (wantsTrailers) headers.set('TE', 'trailers');
  return headers;
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

const LETTER_X = 0x78;
const NOTHING: readonly string[] = [];
/** What nearly every message says, and nominates nothing. */
const USUAL = new Set(['keep-alive', 'Keep-Alive', 'close']);

const nominatedBy = (values: readonly string[]): readonly string[] =>
  values.every((value) => USUAL.has(value))
    ? NOTHING
    : values
        .flatMap((value) => value.toLowerCase().split(','))
        .map((name) => name.trim())
        .filter((name) => name !== '' && name !== 'keep-alive' && name !== 'close' && name !== 'upgrade');
