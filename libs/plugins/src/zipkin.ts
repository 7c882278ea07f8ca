import type { Exchange } from './exchange.ts';
import { FOREIGN_TRACE_HEADERS } from './headers.ts';
import { queueOf } from './log-queue.ts';
import type { LogSink } from './log-sink.ts';
import { definePlugin } from './plugin.ts';
import { randomId } from './trace-context.ts';
import {
  extractIncoming,
  type Incoming,
  ownTraceId,
  type Propagation,
  propagationOf,
  sendOn,
} from './trace-propagation.ts';
import { Config, type ZipkinConfig } from './zipkin-config.ts';
import { type ZipkinTrace, zipkinSpansOf } from './zipkin-spans.ts';

interface Prepared {
  readonly pluginId: string;
  readonly config: ZipkinConfig;
  readonly propagation: Propagation;
  readonly sink: LogSink | undefined;
}

const sinkOf = (config: ZipkinConfig): LogSink | undefined =>
  config.http_endpoint === null
    ? undefined
    : {
        kind: 'http',
        url: config.http_endpoint,
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        timeoutMs: config.read_timeout,
        connectTimeoutMs: config.connect_timeout,
        sendTimeoutMs: config.send_timeout,
        compose: (spans) => `[${spans.join(',')}]`,
        queue: queueOf(config.queue),
      };

const MEMO = 'zipkin';
interface Begun extends ZipkinTrace {
  readonly incoming: Incoming;
}

/** Decides once for a request; refused before the access phase, it is decided when it is first asked. */
const begin = (exchange: Exchange, { config, propagation }: Prepared): Begun => {
  const known = exchange.memo.get(MEMO) as Begun | undefined;
  if (known !== undefined) return known;
  const incoming = extractIncoming(exchange, propagation);
  const { context } = incoming;
  const begun = {
    incoming,
    traceId: context.traceId ?? (config.traceid_byte_count === 8 ? randomId(8) : ownTraceId(exchange)),
    requestId: (context.sharesSpan ? context.spanId : undefined) ?? randomId(8),
    parentId: context.sharesSpan ? context.parentId : context.spanId,
    proxyId: randomId(8),
    isSampled: context.isSampled ?? Math.random() < config.sample_ratio,
  };
  exchange.memo.set(MEMO, begun);
  return begun;
};

/** Kong's `zipkin`: continues the caller's trace and sends the spans of sampled requests. */
export const zipkin = definePlugin({
  name: 'zipkin',
  priority: 100_000,
  reads: { always: FOREIGN_TRACE_HEADERS, namedBy: ['tags_header', 'propagation'] },
  summary: 'Continues the trace of a request and sends its spans to Zipkin.',
  config: Config,
  prepare: (config: ZipkinConfig, { pluginId }): Prepared => ({
    pluginId,
    config,
    propagation: propagationOf(config),
    sink: sinkOf(config),
  }),
  access: (exchange, prepared, ports) => {
    const { incoming, requestId, proxyId, isSampled, ...begun } = begin(exchange, prepared);
    const traceId = begun.traceId.padStart(32, '0');
    const trace = { traceId, spanId: proxyId, parentId: requestId, isSampled };
    const ids = sendOn(exchange, prepared.propagation, incoming, trace);
    ports.adoptTrace(exchange, { traceId, spanId: proxyId, isSampled, ids });
    return undefined;
  },
  response: (exchange, prepared) => {
    const { http_response_header_for_traceid: header } = prepared.config;
    if (header !== null) exchange.toClient.append(header, begin(exchange, prepared).traceId);
  },
  settle: (exchange, prepared, ports) => {
    const { sink, config, pluginId } = prepared;
    const trace = begin(exchange, prepared);
    if (sink === undefined || !trace.isSampled) return;
    const told = { config, trace, exchange, timeline: ports.timeline(exchange) };
    for (const span of zipkinSpansOf(told)) ports.send(pluginId, sink, JSON.stringify(span));
  },
});
