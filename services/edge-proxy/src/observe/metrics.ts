import { counter, gauge, type Registry } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { TargetHealth } from '../upstream/balancing/balancer.ts';
import { kongFamilies } from './kong-families.ts';
import { type Connections, observeNode } from './kong-node.ts';
import { requestBytes } from './request-bytes.ts';
import { UpstreamHealthGauge } from './upstream-health-gauge.ts';

const WORKSPACE = 'default';

/** Figures that only the listener and the follower know, read at each scrape. */
export interface EdgeGauges {
  readonly connections: () => Connections;
  readonly version: () => number;
  readonly isStale: () => boolean;
  readonly busConnected: () => boolean;
  readonly cachedVerdicts: () => number;
  readonly pluginProblems: () => number;
  readonly upstreamHealth: () => Iterable<TargetHealth & { readonly upstream: string }>;
}

/** Kong's families as its 3.x plugin exports them, the original's two names, and ours. */
export class EdgeMetrics {
  readonly #kong;
  readonly #dependency;
  readonly #plugin;
  readonly #errors;
  readonly #pluginErrors;
  readonly #limits;
  readonly #upstreamHealth = new UpstreamHealthGauge();

  constructor(registry: Registry) {
    this.#kong = kongFamilies(registry, (health) => this.#upstreamHealth.renew(health));
    this.#dependency = counter(
      registry,
      'sluice_degraded_decisions_total',
      'Decisions the edge made alone because a dependency could not answer',
      ['dependency', 'reason'] as const,
    );
    this.#plugin = counter(registry, 'sluice_plugin_events_total', 'Events counted by plugins', [
      'event',
    ] as const);
    this.#pluginErrors = counter(
      registry,
      'sluice_plugin_errors_total',
      'Handlers of plugins that failed: threw, or did not end in time',
      ['plugin', 'phase', 'reason'] as const,
    );
    this.#limits = counter(
      registry,
      'sluice_limit_decisions_total',
      'Decisions about limits, by who made them: a lease of this edge, the limiter, or this edge alone',
      ['source'] as const,
    );
    this.#errors = counter(registry, 'sluice_errors_total', 'Answers the gateway gave in its own name', [
      'code',
    ] as const);
    gauge(registry, 'kong_datastore_reachable', 'Configuration is readable', [] as const).set(1);
  }

  /** Registers the figures that are read when somebody asks. */
  observe(registry: Registry, instance: string, gauges: EdgeGauges): void {
    this.#upstreamHealth.source = gauges.upstreamHealth;
    observeNode(registry, instance, gauges.connections);
    gauge(
      registry,
      'sluice_config_version',
      'Version of the configuration that requests use',
      [] as const,
      (g) => g.set(gauges.version()),
    );
    gauge(registry, 'sluice_config_stale', '1 while no registry was heard for 10 s', [] as const, (g) =>
      g.set(gauges.isStale() ? 1 : 0),
    );
    gauge(registry, 'sluice_nats_connected', '1 while the bus is connected', [] as const, (g) =>
      g.set(gauges.busConnected() ? 1 : 0),
    );
    gauge(registry, 'sluice_verdict_cache_entries', 'Verdicts about credentials held', [] as const, (g) =>
      g.set(gauges.cachedVerdicts()),
    );
    gauge(
      registry,
      'sluice_plugin_problems',
      'Files of the plugin folder that cannot be used, and plugins that go on with older code',
      [] as const,
      (g) => g.set(gauges.pluginProblems()),
    );
    this.#kong.total.inc({ node_id: instance, subsystem: 'http' }, 0);
  }

  dependencyFailed(dependency: 'auth' | 'ratelimit', reason: string): void {
    this.#dependency.inc({ dependency, reason });
  }

  limitDecided(source: 'lease' | 'service' | 'local'): void {
    this.#limits.inc({ source });
  }

  pluginEvent(event: string): void {
    this.#plugin.inc({ event });
  }

  /** Counts a handler that failed. */
  pluginFailed({ plugin = '', phase = '', reason = '' }: Readonly<Record<string, string>>): void {
    this.#pluginErrors.inc({ plugin, phase, reason });
  }

  /** Counts one finished request. Kong's families speak only of requests that matched a route. */
  record(exchange: ProxyExchange, instance: string): void {
    this.#kong.total.inc({ node_id: instance, subsystem: 'http' });
    if (exchange.errorCode !== undefined) this.#errors.inc({ code: exchange.errorCode });
    const config = exchange.chain?.configOf('prometheus', exchange.identity?.consumer?.id);
    if (config === undefined || exchange.route === undefined) return;
    const labels = {
      service: exchange.service?.name ?? exchange.service?.host ?? '',
      route: exchange.route.name ?? exchange.route.id,
    };
    const consumer = config.per_consumer === true ? (exchange.identity?.consumer?.username ?? '') : '';
    if (config.status_code_metrics === true) this.#recordStatus(exchange, labels, consumer);
    if (config.latency_metrics === true) this.#recordLatency(exchange, labels);
    if (config.bandwidth_metrics === true) this.#recordBandwidth(exchange, labels, consumer);
    if (config.upstream_health_metrics === true) this.#recordHealth(exchange);
  }

  #recordStatus(exchange: ProxyExchange, labels: Labels, consumer: string): void {
    const source = exchange.upstream === undefined ? 'kong' : 'service';
    const code = `${exchange.upstream?.status ?? exchange.response.statusCode}`;
    this.#kong.requests.inc({ ...labels, code, source, workspace: WORKSPACE, consumer });
  }

  #recordLatency({ timing }: ProxyExchange, labels: Labels): void {
    const total = performance.now() - timing.startedAt;
    const { forwardedAt, answeredAt } = timing;
    const upstream =
      forwardedAt === undefined || answeredAt === undefined ? undefined : answeredAt - forwardedAt;
    const own = Math.max(0, (forwardedAt ?? performance.now()) - timing.startedAt);
    this.#kong.requestLatency.observe({ ...labels, workspace: WORKSPACE }, total);
    this.#kong.kongLatency.observe({ ...labels, workspace: WORKSPACE }, own);
    this.#kong.legacyLatency.observe({ ...labels, type: 'request' }, total);
    this.#kong.legacyLatency.observe({ ...labels, type: 'kong' }, own);
    if (upstream === undefined) return;
    this.#kong.upstreamLatency.observe({ ...labels, workspace: WORKSPACE }, upstream);
    this.#kong.legacyLatency.observe({ ...labels, type: 'upstream' }, upstream);
  }

  #recordBandwidth(exchange: ProxyExchange, labels: Labels, consumer: string): void {
    const written = exchange.request.socket.bytesWritten - exchange.bytesAtStart.written;
    // Labels are written in the order in which they stand here, which is Kong's.
    const count = (direction: 'ingress' | 'egress', bytes: number): void =>
      this.#kong.bandwidth.inc({ ...labels, direction, workspace: WORKSPACE, consumer }, Math.max(0, bytes));
    count('ingress', requestBytes(exchange));
    count('egress', written);
  }

  #recordHealth({ target, service, upstream, errorCode, isBalanced }: ProxyExchange): void {
    if (target === undefined || errorCode === 'GW_NO_PEER') return;
    const name = service?.name ?? service?.host ?? '';
    const isHealthy = upstream !== undefined ? 1 : 0;
    this.#kong.legacyHealth.set({ upstream: name, target }, isHealthy);
    if (isBalanced) return; // its balancer knows better
    const scope = { upstream: name, target, address: target, subsystem: 'http' };
    this.#kong.targetHealth.set({ ...scope, state: 'healthy' }, isHealthy);
    this.#kong.targetHealth.set({ ...scope, state: 'unhealthy' }, 1 - isHealthy);
    this.#kong.targetHealth.set(
      { ...scope, state: 'dns_error' },
      errorCode === 'GW_NAME_NOT_RESOLVED' ? 1 : 0,
    );
    this.#kong.targetHealth.set({ ...scope, state: 'healthchecks_off' }, 0);
  }
}

interface Labels {
  readonly service: string;
  readonly route: string;
}
