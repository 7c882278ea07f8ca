import { type Gauge, gauge, type Registry } from '@sluice/service-kit';
import { TallyCounter, TallyHistogram } from './tally.ts';

const KONG_BUCKETS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000];
const UPSTREAM_BUCKETS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const HEALTH_LABELS = ['upstream', 'target', 'address', 'state', 'subsystem'] as const;
export type HealthGauge = Gauge<(typeof HEALTH_LABELS)[number]>;
type Scope = 'service' | 'route';

export type KongFamilies = ReturnType<typeof kongFamilies>;

/**
 * The families that Kong's dashboards read, under Kong's names and buckets (kong-compat 4.11). Labels are written
 * in the order in which a series has them, which is Kong's.
 */
export const kongFamilies = (registry: Registry, onHealthScrape: (gauge: HealthGauge) => void) => ({
  requests: new TallyCounter<Scope | 'code' | 'source' | 'workspace' | 'consumer'>(
    registry,
    'kong_http_requests_total',
    'HTTP status codes per consumer/service/route',
  ),
  bandwidth: new TallyCounter<Scope | 'direction' | 'workspace' | 'consumer'>(
    registry,
    'kong_bandwidth_bytes',
    'Bytes by direction',
  ),
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
  total: new TallyCounter<'node_id' | 'subsystem'>(
    registry,
    'kong_nginx_requests_total',
    'Requests received',
  ),
});

const latencyFamilies = (registry: Registry) => {
  const family = (name: string, help: string, bounds: readonly number[]) =>
    new TallyHistogram<Scope | 'workspace'>(registry, name, help, bounds);
  return {
    kongLatency: family('kong_kong_latency_ms', 'Latency added by the gateway', KONG_BUCKETS),
    upstreamLatency: family('kong_upstream_latency_ms', 'Latency added by the upstream', UPSTREAM_BUCKETS),
    requestLatency: family('kong_request_latency_ms', 'Total latency of requests', UPSTREAM_BUCKETS),
    /** Kong 2's name, which the original's dashboards read. */
    legacyLatency: new TallyHistogram<Scope | 'type'>(
      registry,
      'kong_latency',
      'Latency by type: request, upstream, kong',
      UPSTREAM_BUCKETS,
    ),
  };
};
