import { PERIODS, type Period } from '@sluice/contracts';
import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { spendBudget } from '../src/spend.ts';
import { BUDGET, check, openStore, randomOf } from './harness.ts';

/** The calendar as JavaScript knows it: start and end of the window in Unix ms. */
const windowOf = (period: Period, ms: number): [number, number] => {
  const at = new Date(ms);
  const year = at.getUTCFullYear();
  const month = at.getUTCMonth();
  if (period === 'year') return [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  if (period === 'month') return [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)];
  const length = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }[period];
  const start = Math.floor(ms / length) * length;
  return [start, start + length];
};

const limits = PERIODS.map((period) => ({ period, limit: 10 }));

const EDGES = [
  '2096-02-28T23:59:59.999Z',
  '2096-02-29T00:00:00.000Z',
  '2096-02-29T23:59:59.999Z',
  '2096-03-01T00:00:00.000Z',
  '2096-12-31T23:59:59.999Z',
  '2097-01-01T00:00:00.000Z',
  '2097-02-28T23:59:59.999Z',
  '2100-02-28T23:59:59.999Z', // 2100 is no leap year
  '2100-03-01T00:00:00.000Z',
  '2100-01-31T12:00:00.000Z',
  '2100-07-31T23:59:59.999Z',
  '2100-08-01T00:00:00.000Z',
  '2100-08-31T23:59:59.999Z',
  '2400-02-29T23:59:59.999Z', // 2400 is one
  '2400-12-31T23:59:59.999Z',
];

test('given instants at the edges of months and years, when spent, then every window is the calendar’s and its key ends with it', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  for (const edge of EDGES) {
    const now = Date.parse(edge);

    const verdict = await spendBudget(a.store, check(limits, 1, `${BUDGET}:${edge}`), now);

    expect(verdict.windows.map(({ period, resetMs }) => [edge, period, resetMs])).toEqual(
      PERIODS.map((period) => [edge, period, windowOf(period, now)[1] - now]),
    );
    for (const period of PERIODS) {
      const [start, end] = windowOf(period, now);
      expect(await a.redis.pexpiretime(`${BUDGET}:${edge}:${start}:${period}`), `${edge} ${period}`).toBe(
        end,
      );
    }
  }
});

test('given 400 random instants of three centuries, when spent, then the windows agree with the calendar', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const random = randomOf(11);
  const instants = Array.from({ length: 400 }, () =>
    Math.floor(Date.UTC(2096, 0, 1) + random() * (Date.UTC(2400, 0, 1) - Date.UTC(2096, 0, 1))),
  );

  const verdicts = await Promise.all(
    instants.map((now, i) => spendBudget(a.store, check(limits, 1, `${BUDGET}${i}`), now)),
  );

  expect(verdicts.map(({ windows }) => windows.map(({ resetMs }) => resetMs))).toEqual(
    instants.map((now) => PERIODS.map((period) => windowOf(period, now)[1] - now)),
  );
});

test('given a window that ends, when the next begins, then the budget is whole again', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const end = Date.UTC(2096, 2, 1);
  const monthly = [{ period: 'month' as const, limit: 1 }];

  const outcomes = [];
  for (const now of [end - 2, end - 1, end])
    outcomes.push((await spendBudget(a.store, check(monthly), now)).outcome);

  expect(outcomes).toEqual(['allow', 'deny', 'allow']);
});
