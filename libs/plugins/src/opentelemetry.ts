import type { Exchange } from './exchange.ts';
import { FOREIGN_TRACE_HEADERS } from './headers.ts';
import type { LogSink } from './log-sink.ts';
import { Config, deprecated, type OpentelemetryConfig, sinkTo } from './opentelemetry-config.ts';
import { logOf, type RecordedTrace, spansOf } from './opentelemetry-spans.ts';
import { definePlugin } from './plugin.ts';
import type { Ports } from './ports.ts';
import { randomId } from './trace-context.ts';
import { encodeLog, encodeSpan } from './trace-otlp.ts';
import {
  extractIncoming,
  type Incoming,
  ownTraceId,
  type Propagation,
  propagationOf,
  sendOn,
} from './trace-propagation.ts';

interface Prepared {
  readonly pluginId: string;
  readonly propagation: Propagation;
  readonly samplingRate: number | null;
  readonly traceIdHeader: string | null;
  readonly traces: LogSink | undefined;
  readonly logs: LogSink | undefined;
}

/** The same answer for the same trace, on every edge and in every plugin: by the id's last 13 digits (52 bits). */
const isWithin = (traceId: string, rate: number): boolean =>
  rate >= 1 || Number.parseInt(traceId.slice(-13), 16) < rate * 2 ** 52;

const MEMO = 'opentelemetry';
interface Begun extends RecordedTrace {
  readonly incoming: Incoming;
}

/** Decides once for a request; refused before the access phase, it is decided when it is first asked. */
const begin = (exchange: Exchange, prepared: Prepared, { tracing }: Ports): Begun => {
  const known = exchange.memo.get(MEMO) as Begun | undefined;
  if (known !== undefined) return known;
  const incoming = extractIncoming(exchange, prepared.propagation);
  const { context } = incoming;
  const traceId = context.traceId ?? ownTraceId(exchange);
  const rootId = randomId(8);
  const begun = {
    incoming,
    traceId,
    parentId: context.spanId ?? context.parentId,
    rootId,
    sentId: tracing.has('balancer') ? randomId(8) : rootId,
    isSampled:
      tracing.has('request') &&
      context.isSampled !== false &&
      isWithin(traceId, prepared.samplingRate ?? tracing.samplingRate),
  };
  exchange.memo.set(MEMO, begun);
  return begun;
};

/** Kong's `opentelemetry`: continues the caller's trace and sends the spans of sampled requests. */
export const opentelemetry = definePlugin({
  name: 'opentelemetry',
  priority: 14,
  reads: { always: FOREIGN_TRACE_HEADERS, namedBy: ['propagation'] },
  summary: 'Continues the trace of a request and sends its spans by OTLP.',
  config: Config,
  warnings: deprecated,
  prepare: (config: OpentelemetryConfig, { pluginId }): Prepared => ({
    pluginId,
    propagation: propagationOf(config),
    samplingRate: config.sampling_rate,
    traceIdHeader: config.http_response_header_for_traceid,
    traces: sinkTo(config.traces_endpoint ?? config.endpoint, config),
    logs: sinkTo(config.logs_endpoint, config),
  }),
  access: (exchange, prepared, ports) => {
    const { incoming, traceId, rootId, sentId, parentId, isSampled } = begin(exchange, prepared, ports);
    const outer = sentId === rootId ? parentId : rootId;
    const trace = { traceId, spanId: sentId, parentId: outer, isSampled };
    const ids = sendOn(exchange, prepared.propagation, incoming, trace);
    ports.adoptTrace(exchange, { traceId, spanId: sentId, isSampled, ids });
    return undefined;
  },
  response: (exchange, prepared, ports) => {
    if (prepared.traceIdHeader !== null)
      exchange.toClient.append(prepared.traceIdHeader, begin(exchange, prepared, ports).traceId);
  },
  settle: (exchange, prepared, ports) => {
    const { pluginId, traces, logs } = prepared;
    const trace = begin(exchange, prepared, ports);
    if (traces !== undefined && trace.isSampled)
      for (const span of spansOf(trace, exchange, ports.timeline(exchange), ports.tracing))
        ports.send(`${pluginId}:traces`, traces, encodeSpan(span));
    if (logs !== undefined)
      ports.send(`${pluginId}:logs`, logs, encodeLog(logOf(trace, exchange, ports.timeline(exchange))));
  },
});
