import type { Settings } from './settings.ts';

/** Forms of an answer in the gateway's own name. */
export type BodyType = 'json' | 'plain' | 'xml' | 'html';

/** What the gateway shows of itself, in the lines it adds to answers and to requests (kong-compat 3.1, 3.2). */
export interface Presentation {
  readonly server: boolean;
  readonly via: boolean;
  readonly upstreamLatency: boolean;
  readonly proxyLatency: boolean;
  readonly responseLatency: boolean;
  readonly upstreamStatus: boolean;
  readonly requestId: boolean;
  /** The upstream is told the request's id. */
  readonly requestIdUpstream: boolean;
  /** Who sends `Kong-Debug: 1` is told route and service. */
  readonly debug: boolean;
  /** Of an error page where the client says nothing about its form. */
  readonly errorType: BodyType;
}

const LATENCIES = ['x-kong-upstream-latency', 'x-kong-proxy-latency', 'x-kong-response-latency'];
/** Names of Kong's `headers` that stand for several. */
const TOKENS: Readonly<Record<string, readonly string[]>> = {
  server_tokens: ['server', 'via'],
  latency_tokens: LATENCIES,
  off: [],
};
const REQUEST_ID = 'x-kong-request-id';
/** What may be listed in Kong's `headers`. */
export const PRESENTED = [
  ...Object.keys(TOKENS),
  'server',
  'via',
  ...LATENCIES,
  'x-kong-upstream-status',
  REQUEST_ID,
];

const ERROR_TYPES: Readonly<Record<Settings['ERROR_DEFAULT_TYPE'], BodyType>> = {
  'text/plain': 'plain',
  'text/html': 'html',
  'application/json': 'json',
  'application/xml': 'xml',
};

type PresentationSettings = Pick<
  Settings,
  'HEADERS' | 'HEADERS_UPSTREAM' | 'ALLOW_DEBUG_HEADER' | 'ERROR_DEFAULT_TYPE'
>;

/** Kong's settings about headers, in the form that answers look at. */
export const presentationOf = (settings: PresentationSettings): Presentation => {
  const listed = new Set(settings.HEADERS.flatMap((name) => TOKENS[name] ?? [name]));
  return {
    server: listed.has('server'),
    via: listed.has('via'),
    upstreamLatency: listed.has('x-kong-upstream-latency'),
    proxyLatency: listed.has('x-kong-proxy-latency'),
    responseLatency: listed.has('x-kong-response-latency'),
    upstreamStatus: listed.has('x-kong-upstream-status'),
    requestId: listed.has(REQUEST_ID),
    requestIdUpstream: settings.HEADERS_UPSTREAM.includes(REQUEST_ID),
    debug: settings.ALLOW_DEBUG_HEADER,
    errorType: ERROR_TYPES[settings.ERROR_DEFAULT_TYPE],
  };
};

/** As Kong shows itself where nobody says anything about it. */
export const KONGS_PRESENTATION: Presentation = presentationOf({
  HEADERS: ['server_tokens', 'latency_tokens', REQUEST_ID],
  HEADERS_UPSTREAM: [REQUEST_ID],
  ALLOW_DEBUG_HEADER: false,
  ERROR_DEFAULT_TYPE: 'text/plain',
});
