import type { DecisionRecord, Period } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { Budgets, windowStart } from '../../src/simulate/budgets.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
const KEY = 'ratelimit:r:s:tenant-1';

/** A request that was counted; `remaining` is what its verdict says is left of `limit`. */
const counted = (seconds: number, limit: number, remaining: number, isRefused = false, version = 1) =>
  ({
    ...{ at: NOON + seconds * 1000, version },
    plugins: [
      {
        ...{ plugin: 'rate-limiting', id: 'p', verdict: isRefused ? 'refused' : 'passed', bucket: KEY },
        windows: [{ period: 'minute', limit, remaining, resetMs: 1000 }],
      },
    ],
  }) as unknown as DecisionRecord;

/** One that reached no limit. */
const uncounted = (seconds: number) =>
  ({ at: NOON + seconds * 1000, version: 1, plugins: [] }) as unknown as DecisionRecord;

const spend = (
  budgets: Budgets,
  record: DecisionRecord,
  limit: number,
  options: { isUnchanged?: boolean; before?: Period[] } = {},
) => {
  const { isUnchanged = false, before = ['minute'] } = options;
  const limits = [{ period: 'minute' as const, limit }];
  return budgets.spend({ record, key: KEY, limits, isUnchanged, before: new Set(before) });
};

test('given a window that began before the records, when the limit is lowered, then what was used before counts', () => {
  const budgets = new Budgets(Number.POSITIVE_INFINITY);

  expect(spend(budgets, counted(1, 10, 3), 8)).toBe('allow'); // the seventh
  expect(spend(budgets, counted(2, 10, 2), 8)).toBe('allow');
  expect(spend(budgets, counted(3, 10, 1), 8)).toBe('deny');
  expect(spend(budgets, counted(61, 10, 9), 8)).toBe('allow'); // the next minute
});

test('given refusals, when the limit is raised, then they are counted from there on', () => {
  const budgets = new Budgets(NOON);

  const said = [0, 1, 2, 3].map((i) => spend(budgets, counted(i, 2, Math.max(0, 1 - i), i >= 2), 3));

  expect(said).toEqual(['allow', 'allow', 'allow', 'deny']);
});

test('given a policy that stays, then its recorded verdicts stand, whatever a sum would say', () => {
  const budgets = new Budgets(NOON);

  expect(spend(budgets, counted(0, 2, 1, true), 2, { isUnchanged: true })).toBe('deny');
  expect(spend(budgets, counted(1, 2, 0), 2, { isUnchanged: true })).toBe('allow');
});

test('given requests that would reach a policy no more, then those after them have more room', () => {
  const budgets = new Budgets(NOON);
  budgets.leaveOut(counted(0, 2, 1), KEY);
  budgets.leaveOut(counted(1, 2, 0), KEY);

  expect(spend(budgets, counted(2, 2, 0, true), 2, { isUnchanged: true })).toBe('allow');
});

test('given a new policy, then it begins with nothing; given one that counted before unseen, then nobody can tell', () => {
  expect(spend(new Budgets(Number.POSITIVE_INFINITY), uncounted(0), 1, { before: [] })).toBe('allow');
  expect(() => spend(new Budgets(Number.POSITIVE_INFINITY), uncounted(0), 1)).toThrow(
    'before the records begin',
  );
});

test('given a request of which nothing can be told, then a count that hangs on it is not told either', () => {
  const budgets = new Budgets(NOON);
  budgets.doubt(uncounted(0));

  expect(spend(budgets, uncounted(1), 2, { before: [] })).toBe('allow'); // with it or without
  expect(() => spend(budgets, uncounted(2), 2, { before: [] })).toThrow('hangs on requests');
});

test('given a version that another one replaced, then each begins with what its own first verdict says', () => {
  const budgets = new Budgets(NOON);
  expect(spend(budgets, counted(0, 5, 4), 2)).toBe('allow');

  expect(spend(budgets, counted(1, 5, 4, false, 2), 2)).toBe('allow');
  expect(spend(budgets, counted(2, 5, 3, false, 2), 2)).toBe('allow');
  expect(spend(budgets, counted(3, 5, 2, false, 2), 2)).toBe('deny');
});

test.each([
  ['second', Date.UTC(2026, 10, 23, 12, 34, 56)],
  ['hour', Date.UTC(2026, 10, 23, 12)],
  ['day', Date.UTC(2026, 10, 23)],
  ['month', Date.UTC(2026, 10)],
  ['year', Date.UTC(2026, 0)],
] as const)('a %s begins where the calendar says, in UTC', (period, start) => {
  expect(windowStart(period, Date.UTC(2026, 10, 23, 12, 34, 56, 789))).toBe(start);
});
