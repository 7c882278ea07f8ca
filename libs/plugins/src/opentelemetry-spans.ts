import type { Exchange } from './exchange.ts';
import type { Ports } from './ports.ts';
import { randomId } from './trace-context.ts';
import { type Attributes, SPAN_KIND, type TraceLog, type TraceSpan } from './trace-otlp.ts';
import type { TargetAttempt, Timeline } from './trace-timeline.ts';

/** A request's place in its trace, as decided in the access phase. */
export interface RecordedTrace {
  readonly traceId: string;
  /** The caller's span. */
  readonly parentId: string | undefined;
  /** Our server span. */
  readonly rootId: string;
  /** What the upstream takes for its parent: the span of the attempt that works. */
  readonly sentId: string;
  readonly isSampled: boolean;
}

type Of = Pick<TraceSpan, 'name' | 'kind' | 'from' | 'until' | 'attributes'> & Partial<TraceSpan>;

const root = (trace: RecordedTrace, exchange: Exchange, timeline: Timeline): Of => {
  const { scheme, method, route } = exchange;
  const { hostName, target } = timeline;
  return {
    name: 'kong',
    kind: SPAN_KIND.server,
    spanId: trace.rootId,
    parentId: trace.parentId,
    from: timeline.from,
    until: timeline.until,
    attributes: {
      'http.method': method,
      'http.url': `${scheme}://${hostName}${target}`,
      'http.host': hostName,
      'http.scheme': scheme,
      'http.flavor': exchange.httpVersion ?? '1.1',
      'http.client_ip': exchange.clientIp,
      'net.peer.ip': timeline.peerIp,
      'kong.request.id': exchange.id,
      'http.status_code': timeline.status,
      'http.route': route === undefined ? undefined : (route.paths?.[0] ?? ''),
    },
  };
};

const failureOf = ({ failure }: TargetAttempt): Attributes =>
  failure === undefined
    ? {}
    : { 'http.status_code': failure === 'timeout' ? 504 : 502, 'error.type': failure };

const attemptAt = (exchange: Exchange, timeline: Timeline, attempt: TargetAttempt, index: number): Of => {
  const host = exchange.service?.host;
  return {
    name: 'kong.balancer',
    kind: SPAN_KIND.client,
    from: attempt.from,
    until: attempt.until,
    hasFailed: attempt.failure !== undefined,
    attributes: {
      try_count: index + 1,
      'net.peer.ip': attempt.ip,
      'net.peer.port': attempt.port,
      'net.peer.name': host,
      'http.method': exchange.method,
      'http.url':
        host === undefined ? undefined : `${exchange.service?.protocol}://${host}${timeline.target}`,
      ...failureOf(attempt),
    },
  };
};

/** The tree of a finished request: the server span, and what it did as its children. */
export const spansOf = (
  trace: RecordedTrace,
  exchange: Exchange,
  timeline: Timeline,
  { has }: Ports['tracing'],
): TraceSpan[] => {
  const { from, routedAt, handlers, attempts } = timeline;
  const children: Of[] = [];
  if (has('router') && routedAt !== undefined)
    children.push({ name: 'kong.router', kind: SPAN_KIND.internal, from, until: routedAt, attributes: {} });
  for (const { plugin, phase, ...stretch } of handlers) {
    if (!has(phase === 'access' ? 'plugin_access' : 'plugin_header_filter')) continue;
    const name = `kong.${phase === 'access' ? 'access' : 'header_filter'}.plugin.${plugin}`;
    children.push({ name, kind: SPAN_KIND.internal, ...stretch, attributes: {} });
  }
  if (has('balancer'))
    attempts.forEach((attempt, index) => {
      const isLast = index === attempts.length - 1;
      const span = attemptAt(exchange, timeline, attempt, index);
      children.push(isLast ? { ...span, spanId: trace.sentId } : span);
    });
  return [root(trace, exchange, timeline), ...children].map((span) => ({
    traceId: trace.traceId,
    spanId: randomId(8),
    parentId: trace.rootId,
    hasFailed: false,
    ...span,
  }));
};

/** What the request was, as one log line under its trace. */
export const logOf = (trace: RecordedTrace, exchange: Exchange, timeline: Timeline): TraceLog => {
  const { status, target, until } = timeline;
  const path = target.split('?')[0];
  return {
    at: until,
    severity: status >= 500 ? 'ERROR' : status >= 400 ? 'WARN' : 'INFO',
    body: `${exchange.method} ${path} ${status}`,
    attributes: {
      'request.id': exchange.id,
      'http.method': exchange.method,
      'http.target': path,
      'http.host': timeline.hostName,
      'http.status_code': status,
      'http.client_ip': exchange.clientIp,
      'kong.route': exchange.route?.name ?? exchange.route?.id,
      'kong.service': exchange.service?.name ?? exchange.service?.id,
      'kong.consumer': exchange.identity?.consumer?.username ?? exchange.identity?.consumer?.id,
      duration_ms: Math.round((until - timeline.from) * 1000) / 1000,
    },
    traceId: trace.traceId,
    spanId: trace.rootId,
    isSampled: trace.isSampled,
  };
};
