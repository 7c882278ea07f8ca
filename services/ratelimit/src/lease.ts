import type { ratelimitLease, ratelimitSettle } from '@sluice/contracts';
import type { z } from 'zod';
import { limitArgs, windowsOf } from './spend.ts';
import type { CounterStore } from './store.ts';

export type Lease = z.output<typeof ratelimitLease.check>;
export type LeaseVerdict = z.output<typeof ratelimitLease.verdict>;
export type Settle = z.output<typeof ratelimitSettle.check>;
export type SettleVerdict = z.output<typeof ratelimitSettle.verdict>;

/**
 * Grants an edge tokens in advance: at most a fifth of what is left, divided among the edges, and one at
 * least. They count as used at once. `nowMs` replaces Redis's clock, for tests of the calendar.
 */
export const leaseBudget = async (
  store: CounterStore,
  { key, leaseId, wants, edges, ttlMs, limits }: Lease,
  nowMs?: number,
): Promise<LeaseVerdict> => {
  const args = [wants, leaseId, edges, ttlMs, ...limitArgs(limits)];
  const spent = await store.run('lease', key, args, nowMs);
  return {
    outcome: spent.tokens > 0 ? 'allow' : 'deny',
    granted: spent.tokens,
    ttlMs: spent.ttlMs,
    windows: windowsOf(limits, spent),
  };
};

/**
 * Returns what a lease did not spend to the windows it came from, as far as they still run; a second time,
 * nothing.
 */
export const settleLease = async (
  store: CounterStore,
  { key, leaseId, unused }: Settle,
  nowMs?: number,
): Promise<SettleVerdict> => {
  const { tokens } = await store.run('settle', key, [unused, leaseId], nowMs);
  return { outcome: 'allow', returned: tokens };
};
