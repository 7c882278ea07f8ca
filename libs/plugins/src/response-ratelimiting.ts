import { GatewayError, PERIODS, type Period } from '@sluice/contracts';
import { costsIn } from './answer-costs.ts';
import type { Exchange } from './exchange.ts';
import { isPlainKey } from './headers.ts';
import { definePlugin, type PluginScope, type Step } from './plugin.ts';
import type { Ports } from './ports.ts';
import {
  type ResponseRateLimitingConfig,
  responseRateLimitingConfig,
  responseRateLimitingWarnings,
} from './response-ratelimiting-config.ts';

const MEMO = 'response-ratelimiting';
interface Budget {
  readonly name: string;
  readonly windows: readonly { readonly period: Period; readonly limit: number; readonly label: string }[];
}

/** What was left of a window before this request. */
interface Usage {
  readonly budget: Budget;
  readonly key: string;
  readonly remaining: readonly number[];
  /** What the answer says it costs. */
  cost: number;
}

const prepare = (config: ResponseRateLimitingConfig, { routeId, serviceId, pluginId }: PluginScope) => ({
  config,
  prefix: `response-ratelimit:${pluginId}:${routeId ?? ''}:${serviceId ?? ''}`,
  budgets: Object.entries(config.limits).map(
    ([name, limits]): Budget => ({
      name,
      windows: PERIODS.flatMap((period) => {
        const limit = limits[period];
        const label = `${name}-${period[0]?.toUpperCase()}${period.slice(1)}`;
        return limit === null ? [] : [{ period, limit, label }];
      }),
    }),
  ),
});
type Prepared = ReturnType<typeof prepare>;

const identifierOf = (
  { identity, clientIp }: Exchange,
  by: ResponseRateLimitingConfig['limit_by'],
): string => {
  const credential = identity?.credential?.id;
  const consumer = identity?.consumer?.id ?? credential;
  const known = by === 'ip' ? undefined : by === 'consumer' ? consumer : credential;
  return known !== undefined && isPlainKey(known) ? known : clientIp;
};

const usageOf = (exchange: Exchange, { config, prefix, budgets }: Prepared, ports: Ports): Usage[] => {
  const identifier = identifierOf(exchange, config.limit_by);
  return budgets.map((budget) => {
    const key = `${prefix}:${identifier}:${budget.name}`;
    const remaining = budget.windows.map(({ period, limit }) => limit - ports.countedUnits(key, period));
    return { budget, key, remaining, cost: 0 };
  });
};

const access = (exchange: Exchange, prepared: Prepared, ports: Ports): Step => {
  const usage = usageOf(exchange, prepared, ports);
  exchange.memo.set(MEMO, usage);
  for (const { budget, remaining } of usage) {
    const least = Math.max(0, Math.min(...remaining));
    if (prepared.config.block_on_first_violation && least === 0) {
      const message = `API rate limit exceeded for '${budget.name}'`;
      return new GatewayError('GW_RATE_LIMITED', { message });
    }
    exchange.toUpstream.set(`X-RateLimit-Remaining-${budget.name}`, `${least}`);
  }
  return undefined;
};

const response = (exchange: Exchange, { config }: Prepared): void => {
  const { toClient, memo, upstream } = exchange;
  const costs = costsIn(toClient.getAll(config.header_name));
  toClient.delete(config.header_name);
  const usage = memo.get(MEMO) as Usage[] | undefined;
  if (usage === undefined || upstream === undefined) return;
  for (const spent of usage) {
    spent.cost = costs.get(spent.budget.name) ?? 0;
    if (config.hide_client_headers) continue;
    for (const [i, { limit, label }] of spent.budget.windows.entries()) {
      toClient.set(`X-RateLimit-Limit-${label}`, `${limit}`);
      toClient.set(
        `X-RateLimit-Remaining-${label}`,
        `${Math.max(0, (spent.remaining[i] ?? 0) - spent.cost)}`,
      );
    }
  }
};

const inspect = ({ memo }: Exchange, _prepared: Prepared, ports: Ports): Step => {
  const costly = ((memo.get(MEMO) as Usage[] | undefined) ?? []).filter(({ cost }) => cost > 0);
  if (costly.some(({ remaining }) => remaining.some((left) => left <= 0)))
    return new GatewayError('GW_RATE_LIMITED', { body: null });
  for (const { budget, key, cost } of costly)
    ports.countUnits(
      key,
      budget.windows.map(({ period }) => period),
      cost,
    );
  return undefined;
};

/** Kong's `response-ratelimiting`: limits by what upstreams say their answers cost. */
export const responseRateLimiting = definePlugin({
  name: 'response-ratelimiting',
  priority: 900,
  reads: {},
  summary: "Limits by cost, as upstreams' answers state it.",
  config: responseRateLimitingConfig,
  warnings: responseRateLimitingWarnings,
  prepare,
  access,
  response,
  inspect,
});
