import { ratelimitCheck, ratelimitLease, ratelimitSettle } from '@sluice/contracts';
import { answerBatch, type Bus, type Logger } from '@sluice/service-kit';
import { type Lease, leaseBudget, type Settle, settleLease } from './lease.ts';
import type { RatelimitMetrics } from './metrics.ts';
import { type Check, spendBudget } from './spend.ts';
import type { CounterStore } from './store.ts';

export interface Limiter {
  readonly store: CounterStore;
  readonly metrics: RatelimitMetrics;
  readonly logger: Logger;
}

/** Answers the three questions of the limiter on the bus. */
export const answerChecks = (bus: Bus, limiter: Limiter): void => {
  const { logger } = limiter;
  answerBatch(bus, ratelimitCheck, logger, (check) => countedCheck(limiter, check));
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
