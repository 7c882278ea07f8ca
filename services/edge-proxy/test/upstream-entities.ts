import type { Target as TargetEntity, Upstream as UpstreamEntity } from '@sluice/gateway-config';
import { idOf, stored } from './edge-world.ts';

const STATUSES = { healthy: [200, 302], unhealthy: [429, 404, 500, 501, 502, 503, 504, 505] };

/** An upstream entity with Kong's defaults: no health checks. */
export const upstreamEntity = (name: string, over: Partial<UpstreamEntity> = {}): UpstreamEntity => ({
  ...stored,
  id: idOf(name),
  name,
  algorithm: 'round-robin',
  hash_on: 'none',
  hash_fallback: 'none',
  hash_on_header: null,
  hash_fallback_header: null,
  hash_on_cookie: null,
  hash_on_cookie_path: '/',
  hash_on_query_arg: null,
  hash_fallback_query_arg: null,
  hash_on_uri_capture: null,
  hash_fallback_uri_capture: null,
  slots: 10_000,
  healthchecks: healthchecks(),
  host_header: null,
  client_certificate: null,
  use_srv_name: false,
  ...over,
});

type Checks = UpstreamEntity['healthchecks'];

/** Kong's defaults, every limit off, with what a test turns on. */
export const healthchecks = (
  over: {
    active?: Partial<Omit<Checks['active'], 'healthy' | 'unhealthy'>>;
    activeHealthy?: Partial<Checks['active']['healthy']>;
    activeUnhealthy?: Partial<Checks['active']['unhealthy']>;
    passiveHealthy?: Partial<Checks['passive']['healthy']>;
    passiveUnhealthy?: Partial<Checks['passive']['unhealthy']>;
    threshold?: number;
  } = {},
): Checks => {
  const off = { http_failures: 0, tcp_failures: 0, timeouts: 0 };
  return {
    active: {
      type: 'http',
      timeout: 1,
      concurrency: 10,
      http_path: '/',
      https_sni: null,
      https_verify_certificate: true,
      headers: null,
      ...over.active,
      healthy: { interval: 0, successes: 0, http_statuses: STATUSES.healthy, ...over.activeHealthy },
      unhealthy: { interval: 0, ...off, http_statuses: STATUSES.unhealthy, ...over.activeUnhealthy },
    },
    passive: {
      type: 'http',
      healthy: { successes: 0, http_statuses: [200, 201, 302], ...over.passiveHealthy },
      unhealthy: { ...off, http_statuses: [429, 500, 503], ...over.passiveUnhealthy },
    },
    threshold: over.threshold ?? 0,
  };
};

export const targetEntity = (to: UpstreamEntity, target: string, weight = 100): TargetEntity => ({
  ...stored,
  id: idOf(`${to.name}${target}`.slice(-16)),
  target,
  weight,
  upstream: { id: to.id },
});
