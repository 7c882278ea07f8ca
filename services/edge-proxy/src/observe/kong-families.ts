import { counter, type Gauge, gauge, histogram, type Registry } from '@sluice/service-kit';

const KONG_BUCKETS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000];
const UPSTREAM_BUCKETS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const HEALTH_LABELS = ['upstream', 'target', 'address', 'state', 'subsystem'] as const;
export type HealthGauge = Gauge<(typeof HEALTH_LABELS)[number]>;
const SCOPE = ['service', 'route'] as const;

/** The families that Kong's dashboards read, under Kong's names, labels and buckets (kong-compat 4.11). */
export const kongFamilies = (registry: Registry, onHealthScrape: (gauge: HealthGauge) => void) => ({
  requests: counter(registry, 'kong_http_requests_total', 'HTTP status codes per consumer/service/route', [
    ...SCOPE,
    'code',
    'source',
    'workspace',
    'consumer',
  ] as const),
  bandwidth: counter(registry, 'kong_bandwidth_bytes', 'Bytes by direction', [
    ...SCOPE,
    'direction',
    'workspace',
    'consumer',
  ] as const),
  ...latencyFamilies(registry),
  targetHealth: gauge(
    registry,
    'kong_upstream_target_health',
    'Health of upstream targets; of services without an upstream entity, by the last attempt',
    HEALTH_LABELS,
    onHealthScrape,
  ),
  /** The original's name for it, which Kong never had. */
  legacyHealth: gauge(
    registry,
    'kong_upstream_health',
    'Health of a service’s targets, by the last attempt',
    ['upstream', 'target'] as const,
  ),
  total: counter(registry, 'kong_nginx_requests_total', 'Requests received', [
    'node_id',
    'subsystem',
  ] as const),
});

const latencyFamilies = (registry: Registry) => {
  const labels = [...SCOPE, 'workspace'] as const;
  return {
    kongLatency: histogram(
      registry,
      'kong_kong_latency_ms',
      'Latency added by the gateway',
      labels,
      KONG_BUCKETS,
    ),
    upstreamLatency: histogram(
      registry,
      'kong_upstream_latency_ms',
      'Latency added by the upstream',
      labels,
      UPSTREAM_BUCKETS,
    ),
    requestLatency: histogram(
      registry,
      'kong_request_latency_ms',
      'Total latency of requests',
      labels,
      UPSTREAM_BUCKETS,
    ),
    /** Kong 2's name, which the original's dashboards read. */
    legacyLatency: histogram(
      registry,
      'kong_latency',
      'Latency by type: request, upstream, kong',
      [...SCOPE, 'type'] as const,
      UPSTREAM_BUCKETS,
    ),
  };
};
