import type { Limit, QuotaState, WindowState } from '@sluice/contracts';
import { CheckFailed } from '@sluice/service-kit';
import { QUOTA_FIELDS, quotaOf } from './quota-of.ts';
import { type Check, type CheckVerdict, limitArgs } from './spend.ts';
import type { CounterStore, TogetherSpent } from './store.ts';

/** Of the answer: nothing, and the time. */
const BEFORE_WINDOWS = 2;
/** In the place of the refusing window: one of the check's counters holds no count. */
const BROKEN = -1;

/** Lists of limits; the checks of a route share theirs. */
interface LimitList {
  readonly limits: readonly Limit[];
  /** Where in the answer the times to the ends of its windows begin. */
  readonly resetsAt: number;
}

interface Asked {
  readonly lists: readonly LimitList[];
  /** Of each check, by its place in `lists`. */
  readonly uses: readonly number[];
  /** Where in the answer the first check's part begins. */
  readonly verdictsAt: number;
}

/**
 * Spends for many checks in one call to Redis, each from its budget in all its windows or in none and in their order, as
 * `spendBudget` does for one; each has at least one limit. A tenant's quota is read once for all checks that ask for it.
 * `nowMs` replaces Redis's clock, for tests of the calendar.
 * @returns the verdict of each check, or why it has none.
 * @throws CheckFailed store_unavailable, when none of them has.
 */
export const spendTogether = async (
  store: CounterStore,
  checks: readonly Check[],
  nowMs?: number,
): Promise<(CheckVerdict | CheckFailed)[]> => {
  const asked = listLimits(checks);
  const hashes = [...new Set(checks.flatMap(({ quotaKey }) => quotaKey ?? []))];
  const { lists, uses, verdictsAt } = asked;
  const question = [
    lists.map(({ limits }) => limitArgs(limits)),
    checks.map(({ cost }) => cost),
    uses.map((use) => use + 1), // Lua counts from 1
    QUOTA_FIELDS,
  ];
  const spent = await store.runTogether(
    {
      budgets: checks.map(({ key }) => key),
      hashes,
      question: JSON.stringify(question),
      figures: checks.reduce((sum, { limits }) => sum + 1 + limits.length, verdictsAt),
    },
    nowMs,
  );
  return verdictsIn(spent, checks, asked, quotasIn(spent, hashes));
};

/** Each list of limits once. */
const listLimits = (checks: readonly Check[]): Asked => {
  const lists: LimitList[] = [];
  let resetsAt = BEFORE_WINDOWS;
  const uses = checks.map(({ limits }) => {
    const found = lists.findIndex((list) => areSame(list.limits, limits));
    if (found !== -1) return found;
    lists.push({ limits, resetsAt });
    resetsAt += limits.length;
    return lists.length - 1;
  });
  return { lists, uses, verdictsAt: resetsAt };
};

const areSame = (some: readonly Limit[], others: readonly Limit[]): boolean =>
  some.length === others.length &&
  some.every(({ period, limit }, i) => period === others[i]?.period && limit === others[i]?.limit);

const quotasIn = (
  { hashes: read }: TogetherSpent,
  names: readonly string[],
): ReadonlyMap<string, QuotaState | null | undefined> => {
  const nowMs = Date.now();
  return new Map(
    names.map((name, i) => [name, read[i] === null ? undefined : quotaOf(hashFrom(read[i]), nowMs)]),
  );
};

/** Lua writes a list of nothing as an object. A hash that has none of the fields is one all the same. */
const hashFrom = (values: readonly (string | false)[] | undefined): Record<string, string> => {
  const hash: Record<string, string> = {};
  if (Array.isArray(values)) for (const [i, field] of QUOTA_FIELDS.entries()) hash[field] = values[i] || '';
  return hash;
};

const verdictsIn = (
  { figures }: TogetherSpent,
  checks: readonly Check[],
  { lists, uses, verdictsAt }: Asked,
  quotas: ReadonlyMap<string, QuotaState | null | undefined>,
): (CheckVerdict | CheckFailed)[] => {
  let at = verdictsAt;
  return checks.map(({ limits, quotaKey }, i) => {
    const refusing = figures[at] ?? BROKEN;
    const resetsAt = lists[uses[i] ?? 0]?.resetsAt ?? 0;
    const windows = limits.map(({ period, limit }, each): WindowState => {
      const used = figures[at + 1 + each] ?? 0;
      return { period, limit, remaining: Math.max(0, limit - used), resetMs: figures[resetsAt + each] ?? 0 };
    });
    at += 1 + limits.length;
    if (refusing === BROKEN) return new CheckFailed('store_unavailable', 'ERR a counter holds no count');
    const violated = limits[refusing - 1]?.period;
    const quota = quotaKey === undefined ? undefined : quotas.get(quotaKey);
    return {
      outcome: violated === undefined ? 'allow' : 'deny',
      windows,
      ...(violated === undefined ? {} : { violated }),
      ...(quota === undefined ? {} : { quota }),
    };
  });
};
