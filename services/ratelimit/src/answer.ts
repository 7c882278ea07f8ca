import { ratelimitCheck, ratelimitLease, ratelimitSettle } from '@sluice/contracts';
import { answerBatch, type Bus, CheckFailed, type Logger } from '@sluice/service-kit';
import { type Lease, leaseBudget, type Settle, settleLease } from './lease.ts';
import type { RatelimitMetrics } from './metrics.ts';
import { type Check, type CheckVerdict, spendBudget } from './spend.ts';
import { spendTogether } from './spend-together.ts';
import type { CounterStore } from './store.ts';

export interface Limiter {
  readonly store: CounterStore;
  readonly metrics: RatelimitMetrics;
  readonly logger: Logger;
}

/** Answers the three questions of the limiter on the bus. */
export const answerChecks = (bus: Bus, limiter: Limiter): void => {
  const { logger } = limiter;
  const one = (check: Check) => countedCheck(limiter, check);
  const many = (checks: readonly Check[]) => countedChecks(limiter, checks);
  answerBatch(bus, ratelimitCheck, logger, limiter.store.canRunTogether ? { one, many } : one);
  answerBatch(bus, ratelimitLease, logger, (lease) => countedLease(limiter, lease));
  answerBatch(bus, ratelimitSettle, logger, (settle) => countedSettle(limiter, settle));
};

const countedCheck = async ({ store, metrics }: Limiter, check: Check) => {
  const startedAt = performance.now();
  let outcome = 'error';
  try {
    const verdict = await spendBudget(store, check);
    outcome = verdict.outcome;
    return verdict;
  } finally {
    metrics.checks.inc({ outcome });
    metrics.spendSeconds.observe((performance.now() - startedAt) / 1000);
  }
};

/** All checks of a message that spend are one call to Redis. */
const countedChecks = async (
  limiter: Limiter,
  checks: readonly Check[],
): Promise<(CheckVerdict | CheckFailed)[]> => {
  const spending = checks.filter(({ limits }) => limits.length > 0);
  if (spending.length === checks.length) return countedTogether(limiter, checks);
  const [verdicts, ...reading] = await Promise.all([
    spending.length === 0 ? [] : countedTogether(limiter, spending),
    ...checks
      .filter(({ limits }) => limits.length === 0)
      .map((check) => countedCheck(limiter, check).catch((error: unknown) => failureOf(error))),
  ]);
  let [spent, read] = [0, 0];
  return checks.map(({ limits }) => {
    const verdict = limits.length > 0 ? verdicts[spent++] : reading[read++];
    return verdict ?? failureOf(undefined);
  });
};

/** Never rejects: what one cannot have, others may. */
const countedTogether = async (
  { store, metrics }: Limiter,
  checks: readonly Check[],
): Promise<(CheckVerdict | CheckFailed)[]> => {
  const startedAt = performance.now();
  const verdicts = await spendTogether(store, checks).catch((error: unknown) =>
    Array.from(checks, () => failureOf(error)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = { allow: 0, deny: 0, error: 0 };
  for (const verdict of verdicts) {
    counts[verdict instanceof CheckFailed ? 'error' : verdict.outcome] += 1;
    metrics.spendSeconds.observe(seconds);
  }
  for (const [outcome, count] of Object.entries(counts))
    if (count > 0) metrics.checks.inc({ outcome }, count);
  return verdicts;
};

const failureOf = (error: unknown): CheckFailed =>
  error instanceof CheckFailed
    ? error
    : new CheckFailed('internal', error instanceof Error ? `${error.name}: ${error.message}` : 'no verdict');

const countedLease = async ({ store, metrics }: Limiter, lease: Lease) => {
  let outcome = 'error';
  try {
    const verdict = await leaseBudget(store, lease);
    outcome = verdict.outcome === 'allow' ? 'granted' : 'refused';
    metrics.leaseTokens.inc({ outcome: 'granted' }, verdict.granted);
    return verdict;
  } finally {
    metrics.leases.inc({ outcome });
  }
};

const countedSettle = async ({ store, metrics }: Limiter, settle: Settle) => {
  let outcome = 'error';
  try {
    const verdict = await settleLease(store, settle);
    outcome = 'settled';
    metrics.leaseTokens.inc({ outcome: 'returned' }, verdict.returned);
    return verdict;
  } finally {
    metrics.leases.inc({ outcome });
  }
};
