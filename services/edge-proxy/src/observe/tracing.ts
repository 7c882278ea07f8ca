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
    const span = startSpan(method, {
      kind: SERVER,
      attributes: { 'http.request.method': method, 'url.scheme': 'http' },
      traceparent: header ?? '',
    });
    if (span.isRecording())
      return { traceId: span.spanContext().traceId, span, traceparent: traceparentOf(span) };
    span.end();
  }
  if (parent !== undefined && header !== undefined)
    return { traceId: parent.traceId, span: undefined, traceparent: header };
  const traceId = randomHex(16);
  return { traceId, span: undefined, traceparent: formatTraceparent(traceId, randomHex(8), false) };
};

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

/** Opens the client span of one attempt at an upstream; undefined when the trace is not recorded. */
export const beginUpstreamSpan = (
  trace: RequestTrace,
  method: string,
  target: { host: string; port: number },
): Span | undefined =>
  trace.span === undefined
    ? undefined
    : startSpan(method, {
        kind: CLIENT,
        attributes: {
          'http.request.method': method,
          'server.address': target.host,
          'server.port': target.port,
        },
        traceparent: trace.traceparent,
      });

/** Tells the way through the plugins as events of the request's span, each at the time its handler began. */
export const addPluginEvents = (span: Span, { steps, refusal, running }: ProxyExchange): void => {
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
