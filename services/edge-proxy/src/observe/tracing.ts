import type { IncomingMessage } from 'node:http';
import { extractTrace, TRACE_FORMATS } from '@sluice/plugins';
import {
  CLIENT,
  failSpan,
  formatTraceparent,
  messagingAttributes,
  parseTraceparent,
  SERVER,
  startSpan,
  type Telemetry,
  traceparentOf,
} from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { Headers } from '../header-list.ts';
import { randomHex } from '../random-hex.ts';
import type { Target } from '../upstream/target.ts';

type Span = ReturnType<typeof startSpan>;

/** A request's place in its trace. `span` is there only when the trace is recorded: otherwise nothing is built. */
export interface RequestTrace {
  readonly traceId: string;
  readonly span: Span | undefined;
  /** What upstreams and the bus get as `traceparent`. */
  readonly traceparent: string;
}

/** Where the formats other than W3C's have their trace id. */
const FOREIGN = [
  ...['b3', 'tracestate', 'x-b3-traceid', 'uber-trace-id', 'ot-tracer-traceid', 'x-datadog-trace-id'],
  ...['x-amzn-trace-id', 'x-cloud-trace-context', 'x-instana-t'],
];

/** A client's trace in another format than W3C's, as `traceparent`; so that our spans stand in it, too. */
export const foreignParent = ({ headers, rawHeaders }: IncomingMessage): string | undefined => {
  if (!FOREIGN.some((name) => headers[name] !== undefined)) return undefined;
  const {
    traceId,
    spanId,
    isSampled = true,
  } = extractTrace(Headers.fromRaw(rawHeaders), TRACE_FORMATS)?.context ?? {};
  return traceId === undefined || spanId === undefined
    ? undefined
    : formatTraceparent(traceId, spanId, isSampled);
};

/** The trace that a plugin decided on, for logs and lookups; the spans we record already stay where they are. */
export const adoptedTrace = (
  before: RequestTrace,
  { traceId, spanId, isSampled }: { traceId: string; spanId: string; isSampled: boolean },
): RequestTrace =>
  before.span === undefined
    ? { traceId, span: undefined, traceparent: formatTraceparent(traceId, spanId, isSampled) }
    : before;

/**
 * Continues the client's trace or begins one (W3C Trace Context). Without an exporter, or for a request whose
 * caller decided not to record, the context is only passed on.
 */
export const beginTrace = (
  { enabled, rootShare }: Pick<Telemetry, 'enabled' | 'rootShare'>,
  method: string,
  header: string | undefined,
): RequestTrace => {
  const parent = parseTraceparent(header);
  if (enabled && (parent?.sampled ?? Math.random() < rootShare)) {
    const span = startSpan(spanMethod(method), {
      kind: SERVER,
      attributes: methodAttributes(method),
      traceparent: header ?? '',
    });
    if (span.isRecording())
      return { traceId: span.spanContext().traceId, span, traceparent: traceparentOf(span) };
    span.end();
  }
  if (parent !== undefined && header !== undefined)
    return { traceId: parent.traceId, span: undefined, traceparent: ourVersion(header, parent) };
  const traceId = randomHex(16);
  return { traceId, span: undefined, traceparent: formatTraceparent(traceId, randomHex(8), false) };
};

/** What is passed on is of the version that is understood here (W3C Trace Context, section 4.3). */
const ourVersion = (header: string, { traceId, spanId, sampled }: TraceParent): string =>
  header.startsWith('00-') ? header : formatTraceparent(traceId, spanId, sampled);
type TraceParent = NonNullable<ReturnType<typeof parseTraceparent>>;

/** Asks over the bus inside a client span of the request's trace; without one, just asks. */
export const withLaneSpan = async <T>(
  trace: RequestTrace,
  subject: string,
  ask: (traceparent: string | undefined) => Promise<T>,
): Promise<T> => {
  if (trace.span === undefined) return ask(undefined);
  const span = startSpan(`request ${subject}`, {
    kind: CLIENT,
    attributes: messagingAttributes('request', subject),
    traceparent: trace.traceparent,
  });
  try {
    return await ask(traceparentOf(span));
  } catch (error) {
    failSpan(span, (error as { kind?: string }).kind ?? 'error');
    throw error;
  } finally {
    span.end();
  }
};

/** Methods that the HTTP conventions know; all others are one, so that nobody makes up names of spans. */
const KNOWN = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);
const spanMethod = (method: string): string => (KNOWN.has(method) ? method : 'HTTP');
const methodAttributes = (method: string) =>
  KNOWN.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method };

/** Opens the client span of an exchange's latest attempt at an upstream; undefined when its trace is not recorded. */
export const beginUpstreamSpan = (exchange: ProxyExchange, target: Target): Span | undefined => {
  const { trace, upstreamMethod: method, upstreamPath, tries } = exchange;
  if (trace.span === undefined) return undefined;
  return startSpan(spanMethod(method), {
    kind: CLIENT,
    attributes: {
      ...methodAttributes(method),
      'url.full': `${target.protocol}//${target.hostHeader}${upstreamPath}`, // never its query: keys travel there
      'server.address': target.host,
      'server.port': target.port,
      ...(tries > 1 ? { 'http.request.resend_count': tries - 1 } : {}),
    },
    traceparent: trace.traceparent,
  });
};

const FAILED = { server: 500, client: 400 } as const;

/** The end of an attempt that was answered. What a server calls the client's fault is the client span's failure. */
export const answerUpstreamSpan = (span: Span, status: number): void => {
  span.setAttribute('http.response.status_code', status);
  if (status >= FAILED.client) failSpan(span, `${status}`);
};

const HTTP2 = '2.0';

/** Ends the request's own span: what it was, what it came to, and the plugins it went through. */
export const endRequestSpan = (span: Span, exchange: ProxyExchange): void => {
  const { status, errorCode, method, httpVersion } = exchange;
  const route = exchange.route?.name ?? exchange.route?.id;
  if (route !== undefined)
    span.updateName(`${spanMethod(method)} ${route}`).setAttribute('http.route', route);
  span.setAttributes({
    'url.scheme': exchange.scheme,
    'url.path': exchange.loggedPath,
    'server.address': exchange.hostName,
    'server.port': exchange.port,
    'client.address': exchange.clientIp,
    'network.protocol.version': httpVersion === HTTP2 ? '2' : httpVersion,
    'http.response.status_code': status,
  });
  if (status >= FAILED.server) failSpan(span, errorCode ?? `${status}`);
  else if (errorCode !== undefined) span.setAttribute('error.type', errorCode);
  addPluginEvents(span, exchange);
  span.end();
};

/** Tells the way through the plugins as events of the request's span, each at the time its handler began. */
const addPluginEvents = (span: Span, { steps, refusal, running }: ProxyExchange): void => {
  const refuser = refusal === undefined ? undefined : running?.plugin.name;
  for (const { plugin, phase, from, until } of steps?.runs ?? [])
    span.addEvent(
      'plugin',
      {
        'sluice.plugin.name': plugin,
        'sluice.plugin.phase': phase,
        'sluice.plugin.duration_us': Math.round((until - from) * 1000),
        ...(phase === 'access' && plugin === refuser ? { 'sluice.plugin.refused': refusal?.code ?? '' } : {}),
      },
      from,
    );
};
