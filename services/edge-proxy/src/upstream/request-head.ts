import { SERVER_NAME } from '../answer.ts';
import type { ProxyExchange } from '../exchange.ts';
import type { Headers } from '../header-list.ts';
import type { Target } from './target.ts';

/**
 * The head of one attempt: the screened and transformed headers of the exchange with the gateway's own over them
 * (kong-compat 3.1). Built before the proxy is called, never in its events: a saturated pool loses those.
 */
export const upstreamHeaders = (exchange: ProxyExchange, target: Target, traceparent: string): Headers => {
  const head = exchange.toUpstream.copy();
  head.set('Host', hostFor(exchange, target));
  addForwarding(exchange, head);
  const via = head.getAll('via').join(', ');
  const { httpVersion } = exchange.request;
  const own = `${httpVersion === '2.0' ? '2' : httpVersion} ${SERVER_NAME}`;
  head.set('Via', via === '' ? own : `${via}, ${own}`);
  if (exchange.shows.requestIdUpstream) head.set('X-Kong-Request-Id', exchange.id);
  if (exchange.adoptedTraceIds === undefined) head.set('traceparent', traceparent); // else the plugin's matter
  head.set('Connection', 'keep-alive');
  return head;
};

/** A plugin's `Host` wins, then the client's where the route keeps it, then the target's. */
const hostFor = ({ toUpstream, fromClient, route, host }: ProxyExchange, target: Target): string => {
  const set = toUpstream.get('host');
  if (set !== undefined && set !== fromClient.get('host')) return set;
  return route?.preserve_host === true && host !== '' ? host : target.hostHeader;
};

/** Says where the request came from, in the words of proxies. */
export const addForwarding = (exchange: ProxyExchange, head: Headers): void => {
  const { isPeerTrusted, peer, fromClient } = exchange;
  const received = fromClient.getAll('x-forwarded-for').join(', ');
  head.set('X-Forwarded-For', received === '' ? peer : `${received}, ${peer}`);
  const believed = (name: string) => (isPeerTrusted ? fromClient.get(name) : undefined);
  head.set('X-Forwarded-Proto', believed('x-forwarded-proto') ?? exchange.scheme);
  head.set('X-Forwarded-Host', believed('x-forwarded-host') ?? exchange.hostName);
  head.set('X-Forwarded-Port', believed('x-forwarded-port') ?? `${exchange.port}`);
  head.set('X-Forwarded-Path', believed('x-forwarded-path') ?? exchange.rawPath);
  const prefix = believed('x-forwarded-prefix') ?? exchange.forwardedPrefix;
  if (prefix === undefined) head.delete('x-forwarded-prefix');
  else head.set('X-Forwarded-Prefix', prefix);
  head.set('X-Real-IP', exchange.clientIp);
};
