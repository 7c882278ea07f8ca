export interface Query {
  readonly expr: string;
  readonly legend: string;
}
export interface Panel {
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly Query[];
}
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const panel = (
  title: string,
  unit: string,
  ...queries: readonly [expr: string, legend: string][]
): Panel => ({
  ...{ title, unit },
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});

/** `rate` over the time that Grafana finds fit for the scrape interval. */
const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
const quantile = (q: number, family: string, by: string): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (${rate(`${family}_bucket`)}))`;

/** What is on which dashboard. Every metric named here is exported by a running fleet; a test holds that. */
export const DASHBOARDS: readonly Dashboard[] = [
  {
    ...{ uid: 'fleet', title: 'Fleet' },
    panels: [
      panel('Requests by edge', 'reqps', [
        `sum by (instance) (${rate('kong_nginx_requests_total')})`,
        '{{instance}}',
      ]),
      panel('Answers of the gateway itself', 'reqps', [
        `sum by (code) (${rate('sluice_errors_total')})`,
        '{{code}}',
      ]),
      panel('Requests in flight', 'short', ['kong_nginx_connections_total{state="active"}', '{{instance}}']),
      panel('Event loop delay, p99', 's', ['sluice_event_loop_delay_seconds{at="p99"}', '{{instance}}']),
      panel('CPU', 'percentunit', [
        `sum by (instance) (${rate('process_cpu_seconds_total')})`,
        '{{instance}}',
      ]),
      panel('Memory', 'bytes', ['process_resident_memory_bytes', '{{instance}}']),
      panel('Live edges', 'short', ['max(sluice_live_edges)', 'edges']),
      panel('Plugins that failed', 'ops', [
        `sum by (plugin) (${rate('sluice_plugin_errors_total')}) or vector(0)`,
        '{{plugin}}',
      ]),
    ],
  },
  {
    ...{ uid: 'tenant', title: 'Tenants' },
    panels: [
      panel('Requests of the largest tenants', 'reqps', [
        `topk(10, sum by (tenant) (${rate('sluice_tenant_requests_total')}))`,
        '{{tenant}}',
      ]),
      panel('Refused', 'reqps', [
        `topk(10, sum by (tenant) (${rate('sluice_tenant_requests_total{outcome="refused"}')}))`,
        '{{tenant}}',
      ]),
      panel('Failed', 'reqps', [
        `topk(10, sum by (tenant) (${rate('sluice_tenant_requests_total{outcome="failed"}')}))`,
        '{{tenant}}',
      ]),
      panel('Leased budgets', 'short', ['sluice_leased_budgets', '{{instance}}']),
      panel('Decisions about limits', 'ops', [
        `sum by (source) (${rate('sluice_limit_decisions_total')})`,
        '{{source}}',
      ]),
    ],
  },
  {
    ...{ uid: 'route', title: 'Routes' },
    panels: [
      panel('Requests', 'reqps', [`sum by (route) (${rate('kong_http_requests_total')})`, '{{route}}']),
      panel('Answers of 500 and above', 'reqps', [
        `sum by (route) (${rate('kong_http_requests_total{code=~"5.."}')}) or 0 * sum by (route) (${rate('kong_http_requests_total')})`,
        '{{route}}',
      ]),
      panel('Latency, p99', 'ms', [quantile(0.99, 'kong_request_latency_ms', 'route'), '{{route}}']),
      panel('Latency of the gateway alone, p99', 'ms', [
        quantile(0.99, 'kong_kong_latency_ms', 'route'),
        '{{route}}',
      ]),
      panel('Latency of the upstream, p99', 'ms', [
        quantile(0.99, 'kong_upstream_latency_ms', 'route'),
        '{{route}}',
      ]),
      panel('Bandwidth', 'Bps', [
        `sum by (route, direction) (${rate('kong_bandwidth_bytes')})`,
        '{{route}} {{direction}}',
      ]),
    ],
  },
  {
    ...{ uid: 'quota', title: 'Quotas and limits' },
    panels: [
      panel('Quota events', 'ops', [`sum by (result) (${rate('sluice_quota_events_total')})`, '{{result}}']),
      panel('Lag of the mirror', 's', ['max(sluice_quota_mirror_lag_seconds)', 'lag']),
      panel(
        'Events that wait',
        'short',
        ['max(sluice_quota_mirror_pending)', 'stored'],
        ['sum(sluice_quota_mirror_ack_pending)', 'in work'],
      ),
      panel('Dead letters', 'short', [
        `sum by (reason) (increase(sluice_deadletter_total[1h])) or vector(0)`,
        '{{reason}}',
      ]),
      panel('Checks of the limiter', 'ops', [
        `sum by (outcome) (${rate('sluice_ratelimit_checks_total')})`,
        '{{outcome}}',
      ]),
      panel('Time of a spend, p99', 's', [
        `histogram_quantile(0.99, sum by (le) (${rate('sluice_ratelimit_spend_seconds_bucket')}))`,
        'p99',
      ]),
    ],
  },
  {
    ...{ uid: 'config', title: 'Configuration' },
    panels: [
      panel('Version by process', 'short', ['sluice_config_version', '{{instance}}']),
      panel('Edges without a registry', 'short', ['sum(sluice_config_stale)', 'stale']),
      panel('Entities', 'short', ['max by (kind) (sluice_config_entities)', '{{kind}}']),
      panel('Plugin files that cannot be used', 'short', ['sluice_plugin_problems', '{{instance}}']),
      panel('Revocations in force', 'short', ['max(sluice_revocations)', 'revocations']),
    ],
  },
  {
    ...{ uid: 'dependencies', title: 'Dependencies' },
    panels: [
      panel('Decided by an edge alone', 'ops', [
        `sum by (dependency, reason) (${rate('sluice_degraded_decisions_total')}) or vector(0)`,
        '{{dependency}} {{reason}}',
      ]),
      panel('NATS', 'short', ['sluice_nats_connected', '{{instance}}']),
      panel('Redis, as the limiter sees it', 'short', ['sluice_ratelimit_redis_up', '{{instance}}']),
      panel('Verdicts of auth', 'ops', [
        `sum by (outcome) (${rate('sluice_auth_verifications_total')})`,
        '{{outcome}}',
      ]),
      panel('Time of a verdict, p99', 's', [
        `histogram_quantile(0.99, sum by (le) (${rate('sluice_auth_verify_seconds_bucket')}))`,
        'p99',
      ]),
      panel('Breakers that are open', 'short', ['sluice_breaker_open', '{{instance}} {{dependency}}']),
      panel('Verdicts remembered', 'short', ['sluice_verdict_cache_entries', '{{instance}}']),
      panel('Decision records left out', 'ops', [
        `sum by (reason) (${rate('sluice_decision_records_dropped_total')})`,
        '{{reason}}',
      ]),
      panel('Health of targets', 'short', [
        'kong_upstream_target_health{state="healthy"}',
        '{{upstream}} {{target}}',
      ]),
    ],
  },
];
