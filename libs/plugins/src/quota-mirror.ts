import { GatewayError, type QuotaState } from '@sluice/contracts';
import type { z } from 'zod';
import type { Exchange } from './exchange.ts';
import { between, decimal, flag, integer, record, text, unset } from './fields.ts';
import { isPlainKey, refuseTwoTenants, tenantOf } from './headers.ts';
import { definePlugin, type Step } from './plugin.ts';
import type { Ports } from './ports.ts';
import { showUsage, type Usage, usageOf } from './quota-usage.ts';
import { redisWarning } from './redis-warning.ts';
import { settled } from './settled.ts';

const ALERT_INTERVAL_MS = 1000;
const MAX_ALERTED_TENANTS = 10_000;
const KEPT = 'Kept; quotas are read where the process is told by REDIS_URL.';

const Config = record({
  redis_host: text().default('redis').describe(KEPT),
  redis_port: between(0, 65_535).default(6379).describe(KEPT),
  redis_database: integer().default(0).describe(KEPT),
  redis_timeout: integer().default(2000).describe(`In ms. ${KEPT}`),
  redis_password: unset(text()).describe(KEPT),
  redis_ssl: flag().default(false).describe(KEPT),
  quota_key_prefix: text().default('quota:tenant:').describe('What stands before the tenant in a Redis key.'),
  alert_threshold_percentage: decimal().default(80).describe('Usage from which on a request is warned.'),
  enable_alerts: flag().default(true).describe('Send X-Quota-Warning, count and log alerts.'),
  block_on_quota_exceeded: flag().default(false).describe('Refuse with 429 when the quota is used up.'),
  log_quota_checks: flag().default(true).describe('Log each check, at level debug.'),
});
export type QuotaMirrorConfig = z.output<typeof Config>;

const prepare = (config: QuotaMirrorConfig) => ({
  config,
  /** Tenant to the time of its last alert line, in ms; the oldest entries go first. */
  alerted: new Map<string, number>(),
});
type Prepared = ReturnType<typeof prepare>;

/** True at most once per tenant and interval. */
const mayLog = (alerted: Map<string, number>, tenant: string, now: number): boolean => {
  if (now - (alerted.get(tenant) ?? Number.NEGATIVE_INFINITY) < ALERT_INTERVAL_MS) return false;
  alerted.delete(tenant); // so that the map stays in the order of time
  alerted.set(tenant, now);
  const [oldest] = alerted.keys();
  if (alerted.size > MAX_ALERTED_TENANTS && oldest !== undefined) alerted.delete(oldest);
  return true;
};

const alert = (
  exchange: Exchange,
  { alerted }: Prepared,
  tenant: string,
  usage: Usage,
  ports: Ports,
): void => {
  const percentage = usage.percentage.toFixed(2);
  exchange.toClient.set('X-Quota-Warning', `Quota usage at ${percentage}%`);
  ports.count('quota_alerts');
  if (mayLog(alerted, tenant, exchange.startedAt))
    ports.log('warn', 'tenant quota nearly used up', {
      tenant,
      percentage,
      limit: usage.limit,
      used: usage.used,
    });
};

const refuse = ({ limit, used, percentage }: Usage): GatewayError => {
  const details = {
    usage_percentage: Number(percentage.toFixed(2)),
    limit: `${limit}`,
    used: `${used}`,
  };
  const error = { code: 'quota_exceeded', message: 'Tenant quota exceeded', details };
  return new GatewayError('GW_QUOTA_EXCEEDED', { body: { error } });
};

const judge = (
  exchange: Exchange,
  prepared: Prepared,
  tenant: string,
  state: QuotaState | null | undefined,
  ports: Ports,
): Step => {
  const { config } = prepared;
  if (state === undefined) return undefined; // unreadable: say nothing rather than something wrong
  const usage = usageOf(state);
  showUsage(exchange.toClient, usage, state);
  if (config.log_quota_checks)
    ports.log('debug', 'quota checked', { tenant, limit: usage.limit, used: usage.used });
  // Figures of a period that is over are shown, but they warn and block nobody.
  if (state === null || state.stale || usage.limit === null || usage.limit <= 0) return undefined;
  const isAlert = usage.isExceeded || usage.percentage >= config.alert_threshold_percentage;
  if (config.enable_alerts && isAlert) alert(exchange, prepared, tenant, usage, ports);
  if (!usage.isExceeded) return undefined;
  ports.count('quota_exceeded');
  return config.block_on_quota_exceeded ? refuse(usage) : undefined;
};

/** The original platform's `quota-mirror`: what the tenant has used of its paid quota, and a stop at its end. */
export const quotaMirror = definePlugin({
  name: 'quota-mirror',
  priority: 900,
  reads: {},
  summary: "Shows a tenant's quota, warns near its end and may refuse beyond it.",
  config: Config,
  consumerScope: false,
  warnings: ({ redis_host: host, redis_port: port, redis_database: database }, context) =>
    redisWarning({ host, port, database }, context),
  prepare,
  access: (exchange, prepared, ports) => {
    const tenant = tenantOf(exchange);
    if (tenant === undefined || !isPlainKey(tenant)) return undefined;
    const doubt = refuseTwoTenants(exchange);
    if (doubt !== undefined) return doubt;
    const key = `${prepared.config.quota_key_prefix}${tenant}`;
    return settled(ports.readQuota(exchange, key), (state) =>
      judge(exchange, prepared, tenant, state, ports),
    );
  },
});
