import { hash } from 'node:crypto';
import { GatewayError, type Limit, PERIODS } from '@sluice/contracts';
import type { Exchange } from './exchange.ts';
import { isPlainKey, refuseTwoTenants, refuseTwoValues, TENANT_ID, tenantOf } from './headers.ts';
import { definePlugin, type PluginScope, type Step } from './plugin.ts';
import type { BudgetVerdict, Ports } from './ports.ts';
import { resetSeconds, showWindows, tightestOf } from './rate-limit-headers.ts';
import { type RateLimitingConfig, rateLimitingConfig, rateLimitingWarnings } from './rate-limiting-config.ts';
import { settled } from './settled.ts';

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

type Identify = (exchange: Exchange) => string | undefined;

/** Who spends. Where it is not known, the client's address stands in for it. */
const identifierBy = ({ limit_by, header_name, path }: RateLimitingConfig): Identify => {
  switch (limit_by) {
    case 'ip':
      return () => undefined;
    case 'service':
      return ({ service }) => service?.id;
    case 'consumer':
      return ({ identity }) => identity?.consumer?.id ?? identity?.credential?.id;
    case 'credential':
      return ({ identity }) => identity?.credential?.id;
    case 'path':
      return (exchange) => (exchange.path === path ? path : undefined);
    case 'header': {
      const name = header_name ?? '';
      // A verified tenant cannot spend from another one's budget by claiming its name.
      if (isTenantHeader(name)) return tenantOf;
      return ({ toUpstream }) => toUpstream.get(name);
    }
  }
};

const isTenantHeader = (name: string): boolean => name.toLowerCase() === TENANT_ID.toLowerCase();

/** Where clients say by whose budget they are counted, they may not say two things. */
const refuseDoubtBy = ({ limit_by, header_name }: RateLimitingConfig): ((exchange: Exchange) => Step) => {
  const name = header_name ?? '';
  if (limit_by !== 'header') return () => undefined;
  return isTenantHeader(name) ? refuseTwoTenants : (exchange) => refuseTwoValues(exchange, name);
};

const prepare = (config: RateLimitingConfig, { routeId, serviceId }: PluginScope) => {
  const identify = identifierBy(config);
  const prefix = `ratelimit:${routeId ?? NIL_UUID}:${serviceId ?? NIL_UUID}:`;
  const limits: Limit[] = PERIODS.flatMap((period) => {
    const limit = config[period];
    return limit === null ? [] : [{ period, limit }];
  });
  return {
    config,
    limits,
    refuseDoubt: refuseDoubtBy(config),
    keyOf: (exchange: Exchange): string => {
      const identifier = identify(exchange) || exchange.clientIp;
      return prefix + (isPlainKey(identifier) ? identifier : hash('sha256', identifier));
    },
  };
};

const refuse = (config: RateLimitingConfig, retryAfter: number | undefined): GatewayError =>
  new GatewayError('GW_RATE_LIMITED', {
    status: config.error_code,
    message: config.error_message,
    headers: config.hide_client_headers || retryAfter === undefined ? {} : { 'Retry-After': `${retryAfter}` },
  });

const judge = (
  { toClient }: Exchange,
  config: RateLimitingConfig,
  verdict: BudgetVerdict,
  ports: Ports,
): Step => {
  const isDenied = verdict.outcome === 'deny';
  if (verdict.source === 'local') {
    ports.count('degraded_limits');
    if (!config.fault_tolerant) return new GatewayError('GW_LIMITER_UNAVAILABLE');
    return isDenied ? refuse(config, Math.max(1, Math.ceil(verdict.retryAfterSeconds))) : undefined;
  }
  const { windows } = verdict;
  const tightest = config.hide_client_headers ? tightestOf(windows) : showWindows(toClient, windows);
  return isDenied ? refuse(config, tightest && resetSeconds(tightest)) : undefined;
};

/** Kong's `rate-limiting`: so many requests in each calendar window. */
export const rateLimiting = definePlugin({
  name: 'rate-limiting',
  priority: 910,
  reads: { namedBy: ['header_name'] },
  summary: 'Limits requests per second, minute, hour, day, month and year.',
  config: rateLimitingConfig,
  warnings: rateLimitingWarnings,
  prepare,
  access: (exchange, { config, limits, keyOf, refuseDoubt }, ports) =>
    refuseDoubt(exchange) ??
    settled(ports.spendBudget(exchange, keyOf(exchange), limits, config.exact === true), (verdict) =>
      judge(exchange, config, verdict, ports),
    ),
});
