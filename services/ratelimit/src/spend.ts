import type { Limit, QuotaState, ratelimitCheck, WindowState } from '@sluice/contracts';
import type { z } from 'zod';
import { quotaOf } from './quota-of.ts';
import type { CounterStore, Spent } from './store.ts';

export type Check = z.output<typeof ratelimitCheck.check>;
export type CheckVerdict = z.output<typeof ratelimitCheck.verdict>;

/**
 * Spends from a budget in all its windows or in none, and reports the tenant's quota with it.
 * `nowMs` replaces Redis's clock, for tests of the calendar.
 */
export const spendBudget = async (
  store: CounterStore,
  check: Check,
  nowMs?: number,
): Promise<CheckVerdict> => {
  // Both start in this turn, so the client sends them as one.
  const [verdict, quota] = await Promise.all([
    check.limits.length === 0 ? nothingToSpend : spend(store, check, nowMs),
    check.quotaKey === undefined ? undefined : readQuota(store, check.quotaKey, check.limits.length === 0),
  ]);
  return quota === undefined ? verdict : { ...verdict, quota };
};

const nothingToSpend: CheckVerdict = { outcome: 'allow', windows: [] };

const spend = async (
  store: CounterStore,
  { key, cost, limits }: Check,
  nowMs: number | undefined,
): Promise<CheckVerdict> => {
  const spent = await store.run('check', key, [cost, ...limitArgs(limits)], nowMs);
  const windows = windowsOf(limits, spent);
  const violated = limits[spent.refusedAt];
  if (violated === undefined) return { outcome: 'allow', windows };
  return { outcome: 'deny', windows, violated: violated.period };
};

/** A quota that cannot be read is left out; only when nothing else was asked does the check fail with it. */
const readQuota = async (
  store: CounterStore,
  quotaKey: string,
  isAlone: boolean,
): Promise<QuotaState | null | undefined> => {
  const reading = store.readHash(quotaKey);
  return quotaOf(await (isAlone ? reading : reading.catch(() => undefined)), Date.now());
};

/** The script's last arguments: pairs of period and limit. */
export const limitArgs = (limits: readonly Limit[]): (string | number)[] =>
  limits.flatMap(({ period, limit }) => [period, limit]);

export const windowsOf = (limits: readonly Limit[], spent: Spent): WindowState[] =>
  limits.map(({ period, limit }, i) => {
    const { used = 0, resetMs = 0 } = spent.windows[i] ?? {};
    return { period, limit, remaining: Math.max(0, limit - used), resetMs };
  });
