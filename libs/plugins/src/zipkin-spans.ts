import type { Exchange } from './exchange.ts';
import { randomId } from './trace-context.ts';
import type { TargetAttempt, Timeline } from './trace-timeline.ts';
import type { ZipkinConfig } from './zipkin-config.ts';

/** A request's place in its trace. */
export interface ZipkinTrace {
  readonly traceId: string;
  readonly requestId: string;
  readonly parentId: string | undefined;
  /** The span of the call to the upstream, which is the upstream's parent. */
  readonly proxyId: string;
  readonly isSampled: boolean;
}

type Tags = Record<string, string | number | boolean | undefined>;
interface Annotation {
  readonly value: string;
  readonly timestamp: number;
}

/** A span of Zipkin's API v2; what is undefined is not sent. Times in µs. */
interface ZipkinSpan {
  readonly traceId: string;
  readonly name: string;
  readonly parentId: string | undefined;
  readonly id: string;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
  readonly remoteEndpoint: Readonly<Record<string, unknown>> | null;
  readonly tags?: Readonly<Record<string, string>>;
  readonly annotations?: readonly Annotation[];
}

const micros = (ms: number): number => Math.floor(ms * 1000);
const between = (from: number, until: number) => ({
  timestamp: micros(from),
  duration: Math.max(0, micros(until) - micros(from)),
});

/** Zipkin takes non-empty strings only. */
const texts = (tags: Tags): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tags).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [[name, `${value}`]],
    ),
  );

const endpointOf = (
  serviceName: string | undefined,
  ip: string | undefined,
  port: number | undefined,
): Readonly<Record<string, unknown>> | null => {
  if (serviceName === undefined && port === undefined) return null;
  const address = ip === undefined ? {} : { [ip.includes(':') ? 'ipv6' : 'ipv4']: ip };
  return { serviceName, port, ...address };
};

const serviceTags = ({ service, route }: Exchange): Tags =>
  service === undefined
    ? {}
    : {
        'kong.service': service.id,
        'kong.service_name': service.name ?? undefined,
        'kong.route': route?.id,
        'kong.route_name': route?.name ?? undefined,
      };

/** `Zipkin-Tags: foo=bar; baz=qux`; what is not a pair is left out. */
const requestTags = (headers: readonly string[]): Tags =>
  Object.fromEntries(
    headers
      .join(';')
      .split(';')
      .flatMap((item) => {
        const at = item.indexOf('=');
        const name = item.slice(0, Math.max(0, at)).trim();
        return name === '' || /\s/.test(name) ? [] : [[name, item.slice(at + 1).trim()]];
      }),
  );

const staticTags = (tags: ZipkinConfig['static_tags']): Tags =>
  Object.fromEntries((tags ?? []).map(({ name, value }) => [name, value]));

const annotate = (points: Readonly<Record<string, number | undefined>>): Annotation[] =>
  Object.entries(points).flatMap(([value, at]) =>
    at === undefined ? [] : [{ value, timestamp: micros(at) }],
  );

/** One request to tell about, and how. */
export interface Told {
  readonly config: ZipkinConfig;
  readonly trace: ZipkinTrace;
  readonly exchange: Exchange;
  readonly timeline: Timeline;
}

export const spanName = ({ http_span_name }: ZipkinConfig, { method, path }: Exchange): string =>
  http_span_name === 'method_path' ? `${method} ${path}` : method;

const requestSpan = ({ config, trace, exchange, timeline }: Told): ZipkinSpan => {
  const { from, until, routedAt } = timeline;
  const tellsTags = config.phase_duration_flavor === 'tags';
  const tags: Tags = {
    lc: 'kong',
    'http.method': exchange.method,
    'http.host': timeline.hostName,
    'http.path': exchange.path,
    'http.protocol': `HTTP/${exchange.httpVersion ?? '1.1'}`,
    ...staticTags(config.static_tags),
    ...requestTags(exchange.fromClient.getAll(config.tags_header)),
    'http.status_code': timeline.status,
    'kong.consumer': exchange.identity?.consumer?.id,
    'kong.credential': config.include_credential ? exchange.identity?.credential?.id : undefined,
    'kong.node.id': timeline.nodeId,
    ...(tellsTags && routedAt !== undefined
      ? { 'kong.rewrite.duration_ms': Math.round(routedAt - from) }
      : {}),
  };
  return {
    traceId: trace.traceId,
    name: spanName(config, exchange),
    parentId: trace.parentId,
    id: trace.requestId,
    kind: 'SERVER',
    ...between(from, until),
    localEndpoint: { serviceName: config.local_service_name },
    remoteEndpoint: endpointOf(
      config.default_service_name ?? undefined,
      exchange.clientIp,
      timeline.peerPort,
    ),
    tags: texts(tags),
    ...(tellsTags ? {} : { annotations: annotate({ krs: from, krf: routedAt }) }),
  };
};

const phases = ({ routedAt, from, forwardedAt, answeredAt, until }: Timeline) => {
  const accessFrom = routedAt ?? from;
  const accessUntil = forwardedAt ?? answeredAt ?? until;
  const headFrom = answeredAt ?? accessUntil;
  return { accessFrom, accessUntil, headFrom };
};

const proxySpan = ({ config, trace, exchange, timeline }: Told): ZipkinSpan => {
  const { until } = timeline;
  const { accessFrom, accessUntil, headFrom } = phases(timeline);
  const last = timeline.attempts.at(-1);
  const tellsTags = config.phase_duration_flavor === 'tags';
  const durations: Tags = {
    'kong.access.duration_ms': Math.round(accessUntil - accessFrom),
    'kong.header_filter.duration_ms': 0,
    'kong.body_filter.duration_ms': Math.round(until - headFrom),
  };
  const points = {
    kas: accessFrom,
    kaf: accessUntil,
    khs: headFrom,
    khf: headFrom,
    kbs: headFrom,
    kbf: until,
  };
  return {
    traceId: trace.traceId,
    name: `${spanName(config, exchange)} (proxy)`,
    parentId: trace.requestId,
    id: trace.proxyId,
    kind: 'CLIENT',
    ...between(accessFrom, until),
    localEndpoint: { serviceName: config.local_service_name },
    remoteEndpoint: endpointOf(serviceName(config, exchange), last?.ip, last?.port),
    tags: texts({
      ...serviceTags(exchange),
      'peer.hostname': last === undefined ? undefined : exchange.service?.host,
      ...(tellsTags ? durations : {}),
    }),
    ...(tellsTags ? {} : { annotations: annotate(points) }),
  };
};

const serviceName = (config: ZipkinConfig, { service }: Exchange): string | undefined =>
  service?.name ?? config.default_service_name ?? undefined;

const attemptSpan = (told: Told, attempt: TargetAttempt, index: number): ZipkinSpan => {
  const { config, trace, exchange } = told;
  const failure: Tags =
    attempt.failure === undefined
      ? {}
      : {
          error: true,
          'kong.balancer.state': 'failed',
          'http.status_code': attempt.failure === 'timeout' ? 504 : 502,
        };
  return {
    traceId: trace.traceId,
    name: `${spanName(config, exchange)} (balancer try ${index + 1})`,
    parentId: trace.requestId,
    id: randomId(8),
    kind: 'CLIENT',
    ...between(attempt.from, attempt.until),
    localEndpoint: { serviceName: config.local_service_name },
    remoteEndpoint: endpointOf(serviceName(config, exchange), attempt.ip, attempt.port),
    tags: texts({ 'kong.balancer.try': index + 1, ...failure, ...serviceTags(exchange) }),
  };
};

/** The spans of a finished request, in Kong's order. */
export const zipkinSpansOf = (told: Told): ZipkinSpan[] => [
  ...told.timeline.attempts.map((attempt, index) => attemptSpan(told, attempt, index)),
  proxySpan(told),
  requestSpan(told),
];
