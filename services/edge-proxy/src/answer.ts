import { GatewayError } from '@sluice/contracts';
import type { Ports } from '@sluice/plugins';
import { isGrpc } from '@sluice/routing';
import { bodyReaders, runBody, runResponse } from './chain.ts';
import { condemn } from './condemned.ts';
import type { ProxyExchange } from './exchange.ts';
import { Headers } from './header-list.ts';
import type { BodyType, Presentation } from './presentation.ts';

/** What the gateway calls itself in `Server` and `Via`: clients and dashboards look for Kong's form. */
export const SERVER_NAME = 'kong/3.9.1';

const CONTENT_TYPES: Record<BodyType, string> = {
  json: 'application/json; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Kong's four templates (kong-compat 3.4), with the message escaped for each. */
const RENDER: Record<BodyType, (message: string, id: string) => string> = {
  json: (message, id) => `{\n  "message":${JSON.stringify(message)},\n  "request_id":"${id}"\n}`,
  plain: (message, id) => `${message}\nrequest_id: ${id}\n`,
  xml: (message, id) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${escapeXml(message)}</message>\n  <requestid>${id}</requestid>\n</error>\n`,
  html: (message, id) =>
    `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>${escapeXml(message)}.</p>\n    <p>request_id: ${id}</p>\n  </body>\n</html>\n`,
};

const typeOf = (media: string): BodyType => {
  const type = media.trim().toLowerCase();
  if (type === 'text/html') return 'html';
  if (type === 'application/xml') return 'xml';
  if (type === 'text/plain' || type === 'text/*') return 'plain';
  return 'json';
};

/** The highest `q` wins, the first of equals; what is unknown or wanted by nobody (`q=0`) is JSON. */
const negotiate = (accept: string): BodyType => {
  let best = 'application/json';
  let bestQuality = 0;
  for (const part of accept.split(',')) {
    const [media = '', ...parameters] = part.split(';');
    const quality = Number(
      parameters
        .find((p) => p.trim().startsWith('q='))
        ?.trim()
        .slice(2) ?? '1',
    );
    if (Number.isNaN(quality) || quality <= bestQuality) continue;
    best = media;
    bestQuality = quality;
  }
  return typeOf(best);
};

const bodyTypeFor = (error: GatewayError, headers: Headers, fallback: BodyType): BodyType => {
  const accept = headers.get('accept');
  if (accept !== undefined) return negotiate(accept);
  if (error.style === 'error') return 'json';
  const contentType = headers.get('content-type');
  return contentType === undefined ? fallback : typeOf(contentType.split(';')[0] ?? '');
};

/** The body and its type for an answer in the gateway's own name. */
export const renderError = (
  error: GatewayError,
  exchange: { id: string; fromClient: Headers; shows: Presentation },
): { body: string | Buffer; type: string } => {
  if (error.style === 'exit') {
    if (error.body === null) return { body: '', type: CONTENT_TYPES.json };
    const isReady = typeof error.body === 'string' || Buffer.isBuffer(error.body);
    const body = isReady ? error.body : JSON.stringify(error.body ?? { message: error.message });
    return { body: body as string | Buffer, type: CONTENT_TYPES.json };
  }
  const type = bodyTypeFor(error, exchange.fromClient, exchange.shows.errorType);
  return { body: RENDER[type](error.message, exchange.id), type: CONTENT_TYPES[type] };
};

const RETRY_AFTER_SECONDS = '1';

/**
 * Ends the exchange with the gateway's own answer. The chain's response handlers see it as any other answer, so
 * CORS headers and the like are on it. Nothing is sent when the client has left or was answered already.
 */
export const sendError = (exchange: ProxyExchange, error: GatewayError, ports: Ports): void => {
  const { response } = exchange;
  if (error.code !== 'GW_ANSWERED') exchange.errorCode = error.code;
  exchange.refusal = error;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const grpc = grpcLines(exchange, error);
  const { body, type } = grpc === undefined ? renderError(error, exchange) : { body: '', type: '' };
  const wasForwarded = exchange.timing.forwardedAt !== undefined;
  if (wasForwarded) exchange.timing.answeredAt ??= performance.now();
  const queued = exchange.toClient;
  const head = Headers.empty();
  if (body.length > 0) head.set('Content-Type', type);
  head.set('Content-Length', `${Buffer.byteLength(body)}`);
  if (error.code === 'GW_NOT_READY') head.set('Retry-After', RETRY_AFTER_SECONDS);
  for (const [name, value] of Object.entries({ ...error.headers, ...grpc })) head.set(name, value);
  head.overlay(queued);
  exchange.toClient = head;
  runResponse(exchange, ports);
  const sent = transformOwn(exchange, body, ports);
  addGatewayHeaders(exchange, wasForwarded);
  if (mustClose(error)) {
    head.set('Connection', 'close');
    if (exchange.httpVersion !== '2.0') condemn(exchange.request.socket); // of HTTP/2 only the stream is lost
  }
  // Node takes any other `Connection` of ours for a promise to keep the connection.
  else if (head.has('connection') && response.shouldKeepAlive === false)
    head.set('Connection', `${head.get('connection')}, close`);
  response.writeHead(error.status, head.toRaw());
  response.end(exchange.method === 'HEAD' ? undefined : sent);
};

/** The codes of gRPC for ours; 2 is "unknown". */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  200: 0,
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  429: 8,
  500: 13,
  503: 14,
  504: 4,
};

/** A gRPC client reads these in place of a body. */
const grpcLines = (
  { fromClient, httpVersion }: ProxyExchange,
  { code, status, message }: GatewayError,
): Record<string, string> | undefined =>
  code !== 'GW_ANSWERED' && httpVersion === '2.0' && isGrpc(fromClient.get('content-type'))
    ? {
        'Content-Type': 'application/grpc',
        'grpc-status': `${GRPC_STATUS[status] ?? 2}`,
        'grpc-message': message,
      }
    : undefined;

/** The plugins that change bodies change the gateway's own answers too, as in Kong. */
const transformOwn = (exchange: ProxyExchange, body: string | Buffer, ports: Ports): string | Buffer => {
  const readers = body.length === 0 ? undefined : bodyReaders(exchange, ports);
  if (readers === undefined) return body;
  const sent = runBody(exchange, readers, Buffer.from(body as string), ports);
  if (sent instanceof GatewayError) return body; // only an upstream's answer can be refused
  exchange.toClient.set('Content-Length', `${sent.length}`);
  return sent;
};

/** After a malformed or oversized request its connection cannot be trusted to stand at a message's start. */
const mustClose = (error: GatewayError): boolean =>
  error.code === 'GW_BAD_REQUEST' ||
  error.code === 'GW_HEADERS_TOO_LARGE' ||
  error.code === 'GW_REQUEST_TIMEOUT';

/** The lines that every answer of the gateway carries (kong-compat 3.2). Set last: a plugin cannot change them. */
export const addGatewayHeaders = (exchange: ProxyExchange, isProxied: boolean): void => {
  const { toClient: head, shows } = exchange;
  const { startedAt, forwardedAt } = exchange.timing;
  if (isProxied && forwardedAt !== undefined) addProxiedHeaders(exchange, forwardedAt);
  else if (shows.responseLatency)
    head.set('X-Kong-Response-Latency', `${Math.round(performance.now() - startedAt)}`);
  if (shows.server && !head.has('server')) head.set('Server', SERVER_NAME);
  if (shows.debug && exchange.fromClient.get('kong-debug') === '1') addDebugHeaders(exchange);
  if (shows.requestId) head.set('X-Kong-Request-Id', exchange.id);
};

const addProxiedHeaders = (exchange: ProxyExchange, forwardedAt: number): void => {
  const { toClient: head, shows, timing } = exchange;
  const { startedAt, answeredAt } = timing;
  if (shows.upstreamLatency)
    head.set('X-Kong-Upstream-Latency', `${Math.round((answeredAt ?? performance.now()) - forwardedAt)}`);
  if (shows.proxyLatency) head.set('X-Kong-Proxy-Latency', `${Math.round(forwardedAt - startedAt)}`);
  if (shows.upstreamStatus)
    head.set('X-Kong-Upstream-Status', `${exchange.upstream?.status ?? exchange.refusal?.status}`);
  if (!shows.via) return;
  const via = head.getAll('via').join(', ');
  head.set('Via', via === '' ? `1.1 ${SERVER_NAME}` : `${via}, 1.1 ${SERVER_NAME}`);
};

const addDebugHeaders = ({ toClient: head, route, service }: ProxyExchange): void => {
  const lines = {
    'Kong-Route-Id': route?.id,
    'Kong-Route-Name': route?.name,
    'Kong-Service-Id': service?.id,
    'Kong-Service-Name': service?.name,
  };
  for (const [name, value] of Object.entries(lines)) if (value) head.set(name, value);
};
