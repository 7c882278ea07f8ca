import { counter, gauge, histogram, type Registry } from '@sluice/service-kit';

const SECONDS = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1];

export const ratelimitMetrics = (registry: Registry, isRedisUp: () => boolean) => {
  gauge(registry, 'sluice_ratelimit_redis_up', '1 while Redis answers in time.', [], (up) =>
    up.set(isRedisUp() ? 1 : 0),
  );
  return {
    checks: counter(registry, 'sluice_ratelimit_checks_total', 'Checks by what was decided.', ['outcome']),
    spendSeconds: histogram(
      registry,
      'sluice_ratelimit_spend_seconds',
      'Time from a check to its decision.',
      [],
      SECONDS,
    ),
    leases: counter(registry, 'sluice_ratelimit_leases_total', 'Leases by what became of them.', ['outcome']),
    leaseTokens: counter(
      registry,
      'sluice_ratelimit_lease_tokens_total',
      'Tokens of leases, granted and returned.',
      ['outcome'],
    ),
  };
};

export type RatelimitMetrics = ReturnType<typeof ratelimitMetrics>;
