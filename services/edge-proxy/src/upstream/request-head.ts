import { SERVER_NAME } from '../answer.ts';
import type { ProxyExchange } from '../exchange.ts';
import type { Target } from './target.ts';

/**
 * The head of one attempt: the screened and transformed headers of the exchange with the gateway's own over them
 * (kong-compat 3.1). Built before the proxy is called, never in its events: a saturated pool loses those.
 */
export const upstreamHeaders = (
  exchange: ProxyExchange,
  target: Target,
  traceparent: string,
): Record<string, string | string[]> => {
  const headers = exchange.toUpstream.toRecord();
  headers.host = hostFor(exchange, target);
  addForwarding(exchange, headers);
  const via = exchange.toUpstream.getAll('via').join(', ');
  const { httpVersion } = exchange.request;
  const own = `${httpVersion === '2.0' ? '2' : httpVersion} ${SERVER_NAME}`;
  headers.via = via === '' ? own : `${via}, ${own}`;
  headers['x-kong-request-id'] = exchange.id;
  headers.traceparent = traceparent;
  headers.connection = 'keep-alive';
  return headers;
};

/** A plugin's `Host` wins, then the client's where the route keeps it, then the target's. */
const hostFor = ({ toUpstream, fromClient, route, host }: ProxyExchange, target: Target): string => {
  const set = toUpstream.get('host');
  if (set !== undefined && set !== fromClient.get('host')) return set;
  return route?.preserve_host === true && host !== '' ? host : target.hostHeader;
};

const addForwarding = (exchange: ProxyExchange, headers: Record<string, string | string[]>): void => {
  const { isPeerTrusted, peer, fromClient } = exchange;
  const received = fromClient.getAll('x-forwarded-for').join(', ');
  headers['x-forwarded-for'] = received === '' ? peer : `${received}, ${peer}`;
  const believed = (name: string) => (isPeerTrusted ? fromClient.get(name) : undefined);
  headers['x-forwarded-proto'] = believed('x-forwarded-proto') ?? exchange.scheme;
  headers['x-forwarded-host'] = believed('x-forwarded-host') ?? exchange.hostName;
  headers['x-forwarded-port'] = believed('x-forwarded-port') ?? `${exchange.port}`;
  headers['x-forwarded-path'] = believed('x-forwarded-path') ?? exchange.rawPath;
  const prefix = believed('x-forwarded-prefix') ?? exchange.forwardedPrefix;
  if (prefix === undefined) delete headers['x-forwarded-prefix'];
  else headers['x-forwarded-prefix'] = prefix;
  headers['x-real-ip'] = exchange.clientIp;
};
