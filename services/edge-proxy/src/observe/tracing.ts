import {
  CLIENT,
  failSpan,
  formatTraceparent,
  messagingAttributes,
  parseTraceparent,
  SERVER,
  startSpan,
  traceparentOf,
} from '@sluice/service-kit';
import { randomHex } from '../random-hex.ts';

type Span = ReturnType<typeof startSpan>;

/** A request's place in its trace. `span` is there only when the trace is recorded: otherwise nothing is built. */
export interface RequestTrace {
  readonly traceId: string;
  readonly span: Span | undefined;
  /** What upstreams and the bus get as `traceparent`. */
  readonly traceparent: string;
}

/**
 * Continues the client's trace or begins one (W3C Trace Context). Without an exporter, or for a request whose
 * caller decided not to record, the context is only passed on.
 */
export const beginTrace = (isEnabled: boolean, method: string, header: string | undefined): RequestTrace => {
  const parent = parseTraceparent(header);
  if (isEnabled && (parent === undefined || parent.sampled)) {
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
