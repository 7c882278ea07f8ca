import { counter, type Exemplar, gauge, type Registry } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { TargetHealth } from '../upstream/balancing/balancer.ts';
import { kongFamilies } from './kong-families.ts';
import { type Connections, observeNode } from './kong-node.ts';
import { type ConfiguredTarget, LastAttempts } from './last-attempts.ts';
import { requestBytes } from './request-bytes.ts';
import { type RouteSeries, SeriesByRoute } from './route-series.ts';
import { type Count, TallyCounter } from './tally.ts';
import { TenantSeries } from './tenant-series.ts';
import { UpstreamHealthGauge } from './upstream-health-gauge.ts';

/** Figures that only the listener and the follower know, read at each scrape. */
export interface EdgeGauges {
  readonly connections: () => Connections;
  readonly version: () => number;
  readonly isStale: () => boolean;
  /** The newest configuration is not on disk. */
  readonly isUnsaved: () => boolean;
  /** Messages of the bus that broke their contract, or are no commit of the configuration's log. */
  readonly refusedMessages: () => number;
  readonly cachedVerdicts: () => number;
  readonly revocations: () => number;
  readonly pluginProblems: () => number;
  /** Who is not asked for now. */
  readonly breakers: () => Readonly<Record<string, boolean>>;
  readonly leasedBudgets: () => number;
  /** Messages that did not fit their contract, by subject. */
  readonly malformed: () => ReadonlyMap<string, number>;
  readonly upstreamHealth: () => Iterable<TargetHealth & { readonly upstream: string }>;
  /** Where requests may go by the configuration in force. */
  readonly targets: () => Iterable<ConfiguredTarget>;
}

/** Kong's families as its 3.x plugin exports them, the original's two names, and ours. */
export class EdgeMetrics {
  readonly #kong;
  readonly #dependency;
  readonly #plugin;
  readonly #errors;
  readonly #shed;
  readonly #connectionsDropped;
  readonly #logRecordsLost;
  readonly #pluginErrors;
  readonly #limits: Readonly<Record<'lease' | 'service' | 'local', Count>>;
  readonly #byRoute: SeriesByRoute;
  readonly #tenants: TenantSeries;
  #total: Count | undefined;
  readonly #lastAttempts: LastAttempts;
  readonly #upstreamHealth = new UpstreamHealthGauge();
  #targets: EdgeGauges['targets'] = () => [];

  /** `tenantSeries`: tenants with series of their own. */
  constructor(registry: Registry, tenantSeries: number) {
    this.#tenants = new TenantSeries(registry, tenantSeries);
    this.#kong = kongFamilies(registry, (health) => {
      this.#lastAttempts.keepOnly(this.#targets());
      this.#upstreamHealth.renew(health);
    });
    this.#lastAttempts = new LastAttempts(this.#kong);
    this.#byRoute = new SeriesByRoute(this.#kong);
    this.#dependency = counter(
      registry,
      'sluice_degraded_decisions_total',
      'Decisions the edge made alone because a dependency could not answer',
      ['dependency', 'reason'] as const,
    );
    for (const dependency of ['auth', 'ratelimit'])
      for (const reason of ['timeout', 'no-responders', 'disconnected', 'open'])
        this.#dependency.inc({ dependency, reason }, 0);
    this.#plugin = counter(registry, 'sluice_plugin_events_total', 'Events counted by plugins', [
      'event',
    ] as const);
    this.#pluginErrors = counter(
      registry,
      'sluice_plugin_errors_total',
      'Handlers of plugins that failed: threw, or did not end in time',
      ['plugin', 'phase', 'reason'] as const,
    );
    const limits = new TallyCounter<'source'>(
      registry,
      'sluice_limit_decisions_total',
      'Decisions about limits, by who made them: a lease of this edge, the limiter, or this edge alone',
    );
    this.#limits = {
      lease: limits.series({ source: 'lease' }),
      service: limits.series({ source: 'service' }),
      local: limits.series({ source: 'local' }),
    };
    this.#errors = counter(registry, 'sluice_errors_total', 'Answers the gateway gave in its own name', [
      'code',
    ] as const);
    this.#shed = counter(
      registry,
      'sluice_overload_shed_total',
      'Requests that were refused with 503 because the event loop could not keep up',
      [] as const,
    );
    this.#connectionsDropped = counter(
      registry,
      'sluice_client_connections_dropped_total',
      'Connections of clients that were closed at once: as many were open as may be',
      [] as const,
    );
    this.#connectionsDropped.inc(0);
    this.#logRecordsLost = counter(
      registry,
      'sluice_log_records_lost_total',
      'Records of loggers that never reached their receiver: its queue was full, or it stayed away',
      ['sink'] as const,
    );
    gauge(registry, 'kong_datastore_reachable', 'Configuration is readable', [] as const).set(1);
  }

  /** Registers the figures that are read when somebody asks. */
  observe(registry: Registry, instance: string, gauges: EdgeGauges): void {
    this.#upstreamHealth.source = gauges.upstreamHealth;
    this.#targets = gauges.targets;
    observeNode(registry, instance, gauges.connections);
    observeDependencies(registry, gauges);
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
    gauge(registry, 'sluice_config_unsaved', '1 while the configuration is not on disk', [] as const, (g) =>
      g.set(gauges.isUnsaved() ? 1 : 0),
    );
    gauge(
      registry,
      'sluice_bus_refused_messages',
      'Messages of the bus that broke their contract or are no commit of the log, since the start',
      [] as const,
      (g) => g.set(gauges.refusedMessages()),
    );
    gauge(registry, 'sluice_verdict_cache_entries', 'Verdicts about credentials held', [] as const, (g) =>
      g.set(gauges.cachedVerdicts()),
    );
    gauge(registry, 'sluice_revocations', 'Revocations of tokens in force', [] as const, (g) =>
      g.set(gauges.revocations()),
    );
    gauge(
      registry,
      'sluice_plugin_problems',
      'Files of the plugin folder that cannot be used, and plugins that go on with older code',
      [] as const,
      (g) => g.set(gauges.pluginProblems()),
    );
    this.#total = this.#kong.total.series({ node_id: instance, subsystem: 'http' });
  }

  /** Counts requests that were refused before they were looked at. */
  shed(requests: number): void {
    if (this.#total !== undefined) this.#total.value += requests;
    this.#errors.inc({ code: 'GW_OVERLOADED' }, requests);
    this.#shed.inc(requests);
  }

  logRecordsLost(sink: string, records: number): void {
    this.#logRecordsLost.inc({ sink }, records);
  }

  connectionDropped(): void {
    this.#connectionsDropped.inc();
  }

  /** Recorded traces that figures of the latencies stand for. */
  exemplars(): Exemplar[] {
    const { requestLatency, kongLatency, upstreamLatency } = this.#kong;
    return [requestLatency, kongLatency, upstreamLatency].flatMap((family) => family.exemplars());
  }

  dependencyFailed(dependency: 'auth' | 'ratelimit', reason: string): void {
    this.#dependency.inc({ dependency, reason });
  }

  limitDecided(source: 'lease' | 'service' | 'local'): void {
    this.#limits[source].value += 1;
  }

  pluginEvent(event: string): void {
    this.#plugin.inc({ event });
  }

  /** Counts a handler that failed. */
  pluginFailed({ plugin = '', phase = '', reason = '' }: Readonly<Record<string, string>>): void {
    this.#pluginErrors.inc({ plugin, phase, reason });
  }

  /** Counts one finished request. Kong's families speak only of requests that matched a route. */
  record(exchange: ProxyExchange): void {
    if (this.#total !== undefined) this.#total.value += 1;
    this.#tenants.record(exchange);
    if (exchange.errorCode !== undefined) this.#errors.inc({ code: exchange.errorCode });
    const config = exchange.chain?.configOf('prometheus', exchange.identity?.consumer?.id);
    const { route, service } = exchange;
    if (config === undefined || route === undefined) return;
    const series = this.#byRoute.of(service?.name ?? service?.host ?? '', route.name ?? route.id);
    const consumer = config.per_consumer === true ? (exchange.identity?.consumer?.username ?? '') : '';
    if (config.status_code_metrics === true) recordStatus(series, exchange, consumer);
    if (config.latency_metrics === true) recordLatency(series, exchange);
    if (config.bandwidth_metrics === true) recordBandwidth(series, exchange, consumer);
    if (config.upstream_health_metrics === true) this.#lastAttempts.record(exchange);
  }
}

const observeDependencies = (
  registry: Registry,
  { breakers, leasedBudgets, malformed }: EdgeGauges,
): void => {
  gauge(
    registry,
    'sluice_breaker_open',
    '1 while it hangs and is not asked',
    ['dependency'] as const,
    (g) => {
      for (const [dependency, isOpen] of Object.entries(breakers())) g.set({ dependency }, isOpen ? 1 : 0);
    },
  );
  gauge(registry, 'sluice_leased_budgets', 'Budgets that this edge holds leases of', [] as const, (g) =>
    g.set(leasedBudgets()),
  );
  gauge(
    registry,
    'sluice_bus_malformed_messages',
    'Messages since the start that did not fit their contract',
    ['subject'] as const,
    (g) => {
      for (const [subject, count] of malformed()) g.set({ subject }, count);
    },
  );
};

const recordStatus = (series: RouteSeries, { upstream, status }: ProxyExchange, consumer: string): void => {
  const source = upstream === undefined ? 'kong' : 'service';
  series.status(upstream?.status ?? status, source, consumer).value += 1;
};

const recordLatency = (series: RouteSeries, { timing, trace }: ProxyExchange): void => {
  const { startedAt, forwardedAt, answeredAt, endedAt = performance.now() } = timing;
  const total = endedAt - startedAt;
  const own = Math.max(0, (forwardedAt ?? endedAt) - startedAt);
  const { request, kong, legacyRequest, legacyKong } = series.latencies;
  request.observe(total);
  kong.observe(own);
  legacyRequest.observe(total);
  legacyKong.observe(own);
  const markedAt = trace.span === undefined ? undefined : Date.now();
  if (markedAt !== undefined) {
    request.mark(total, trace.traceId, markedAt);
    kong.mark(own, trace.traceId, markedAt);
  }
  if (forwardedAt === undefined || answeredAt === undefined) return;
  const { upstream, legacyUpstream } = series.upstreamLatencies;
  upstream.observe(answeredAt - forwardedAt);
  legacyUpstream.observe(answeredAt - forwardedAt);
  if (markedAt !== undefined) upstream.mark(answeredAt - forwardedAt, trace.traceId, markedAt);
};

const recordBandwidth = (series: RouteSeries, exchange: ProxyExchange, consumer: string): void => {
  const { ingress, egress } = series.bandwidth(consumer);
  ingress.value += Math.max(0, requestBytes(exchange));
  egress.value += exchange.bytesWritten;
};
