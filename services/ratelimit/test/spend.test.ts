import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { leaseBudget } from '../src/lease.ts';
import { spendBudget } from '../src/spend.ts';
import { BUDGET, check, countersOf, NIL_UUID, openStore, randomOf, THEN } from './harness.ts';

test('given 2,000 checks at once over 4 connections, when 500 may be spent, then exactly 500 are, in every window', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await using b = await openStore(server);
  await using c = await openStore(server);
  await using d = await openStore(server);
  const stores = [a, b, c, d];
  const random = randomOf(7);
  const limits = [
    { period: 'minute' as const, limit: 500 },
    { period: 'hour' as const, limit: 5000 },
    { period: 'day' as const, limit: 100_000 },
  ];

  const spent = await Promise.all(
    Array.from({ length: 2000 }, async (_, i) => {
      const cost = 1 + Math.floor(random() * 4);
      const verdict = await spendBudget((stores[i % 4] ?? a).store, check(limits, cost), THEN);
      return verdict.outcome === 'allow' ? cost : 0;
    }),
  );

  expect(spent.reduce((sum, cost) => sum + cost, 0)).toBe(500);
  expect(await countersOf(a.redis)).toEqual({ minute: 500, hour: 500, day: 500 });
});

test('given an hour limit below the minute limit, when it is reached, then the minute is not spent further', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [
    { period: 'hour' as const, limit: 5 },
    { period: 'minute' as const, limit: 10 },
  ];

  const verdicts = [];
  for (let i = 0; i < 10; i++) verdicts.push(await spendBudget(a.store, check(limits), THEN));

  expect(verdicts.map((verdict) => verdict.outcome)).toEqual([
    ...Array<string>(5).fill('allow'),
    ...Array<string>(5).fill('deny'),
  ]);
  expect(verdicts[9]).toEqual({
    outcome: 'deny',
    violated: 'hour',
    windows: [
      { period: 'hour', limit: 5, remaining: 0, resetMs: 30_000 },
      { period: 'minute', limit: 10, remaining: 5, resetMs: 30_000 },
    ],
  });
  expect(await countersOf(a.redis)).toEqual({ hour: 5, minute: 5 });
});

test('given a refusal, when it comes first, then no counter even begins', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);

  const verdict = await spendBudget(a.store, check([{ period: 'minute', limit: 3 }], 4));

  expect(verdict).toMatchObject({ outcome: 'deny', violated: 'minute', windows: [{ remaining: 3 }] });
  expect(await a.redis.dbsize()).toBe(0);
});

test('given several windows refuse, when asked in any order, then the smallest is named', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = (['year', 'minute', 'month', 'second', 'day', 'hour'] as const).map((period) => ({
    period,
    limit: 1,
  }));

  await spendBudget(a.store, check(limits), THEN);

  expect(await spendBudget(a.store, check(limits), THEN)).toMatchObject({ violated: 'second' });
  expect(await spendBudget(a.store, check(limits), THEN + 1000)).toMatchObject({ violated: 'minute' });
  expect(await spendBudget(a.store, check(limits), THEN + 40_000)).toMatchObject({ violated: 'year' });
});

test('given two limits for one period, when spent, then the counter moves once and the lower decides', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [
    { period: 'minute' as const, limit: 9 },
    { period: 'minute' as const, limit: 2 },
  ];

  const outcomes = [];
  for (let i = 0; i < 3; i++) outcomes.push((await spendBudget(a.store, check(limits), THEN)).outcome);

  expect(outcomes).toEqual(['allow', 'allow', 'deny']);
  expect(await countersOf(a.redis)).toEqual({ minute: 2 });
});

test('given a fractional limit, when spent, then it admits as Kong does and reports the fraction', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [{ period: 'minute' as const, limit: 2.5 }];

  const verdicts = [];
  for (let i = 0; i < 4; i++) verdicts.push(await spendBudget(a.store, check(limits), THEN));

  expect(verdicts.map(({ outcome, windows }) => [outcome, windows[0]?.remaining])).toEqual([
    ['allow', 1.5],
    ['allow', 0.5],
    ['allow', 0],
    ['deny', 0],
  ]);
});

test('given limits and costs at the end of what a number counts, when spent, then no window is spent alone', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const most = Number.MAX_SAFE_INTEGER;
  const limits = [
    { period: 'minute' as const, limit: 1e300 },
    { period: 'year' as const, limit: 1e21 },
  ];

  const outcomes = [];
  for (const cost of [most - 1, 1, 1, most])
    outcomes.push((await spendBudget(a.store, check(limits, cost), THEN)).outcome);

  expect(outcomes).toEqual(['allow', 'allow', 'deny', 'deny']);
  expect(await countersOf(a.redis)).toEqual({ minute: most, year: most });
});

test.each([
  ['a list', (key: string) => ['rpush', key, 'x']],
  ['text', (key: string) => ['set', key, 'many']],
  ['a fraction', (key: string) => ['set', key, '1.5']],
])(
  'given %s where a counter should be, when spent, then the check fails and the other window is untouched',
  async (_what, put) => {
    await using server = await startRedis();
    await using a = await openStore(server);
    const [command = '', ...args] = put(`${BUDGET}:${Date.UTC(2096, 0, 1)}:year`);
    await a.redis.call(command, ...args);
    const limits = [
      { period: 'minute' as const, limit: 10 },
      { period: 'year' as const, limit: 10 },
    ];

    await expect(spendBudget(a.store, check(limits), THEN)).rejects.toMatchObject({
      code: 'store_unavailable',
    });

    expect(await a.redis.keys('*:minute')).toEqual([]);
  },
);

test('given two a minute by header, when a tenant asks three times, then it is refused and another is not', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [{ period: 'minute' as const, limit: 2 }];

  const verdicts = [];
  for (let i = 0; i < 3; i++) verdicts.push(await spendBudget(a.store, check(limits), THEN));
  const other = await spendBudget(a.store, check(limits, 1, `${BUDGET}-other`), THEN);

  expect(verdicts.map(({ outcome, windows }) => [outcome, windows[0]?.remaining])).toEqual([
    ['allow', 1],
    ['allow', 0],
    ['deny', 0],
  ]);
  expect(verdicts[2]?.windows[0]?.resetMs).toBe(30_000);
  expect(other).toMatchObject({ outcome: 'allow', windows: [{ remaining: 1 }] });
});

test('given a minute limit, when spent, then the key is the one Kong writes and lives until the minute ends', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const route = 'a5ba93a0-0e1f-4d5c-8b5c-6f7ab84c0b53';
  const key = `ratelimit:${route}:${NIL_UUID}:tenant-123`;

  const before = Date.now();

  await spendBudget(a.store, check([{ period: 'minute', limit: 2 }], 1, key));

  const [name = ''] = await a.redis.keys('*');
  const [, startMs] =
    /^ratelimit:a5ba93a0-0e1f-4d5c-8b5c-6f7ab84c0b53:0{8}-0{4}-0{4}-0{4}-0{12}:tenant-123:(\d{13}):minute$/.exec(
      name,
    ) ?? [];
  expect(Number(startMs) % 60_000).toBe(0);
  expect(Number(startMs)).toBeGreaterThan(before - 60_000);
  expect(Number(startMs)).toBeLessThanOrEqual(Date.now());
  expect(await a.redis.pexpiretime(name)).toBe(Number(startMs) + 60_000);
  expect(await a.redis.ttl(name)).toBeLessThanOrEqual(60);
});

test('given tagged keys, when a budget is spent and leased, then all its keys share one cluster slot', async () => {
  await using server = await startRedis();
  await using a = await openStore(server, { keyStyle: 'tagged' });
  const limits = [
    { period: 'minute' as const, limit: 10 },
    { period: 'day' as const, limit: 10 },
  ];

  await spendBudget(a.store, check(limits), THEN);
  await leaseBudget(a.store, { key: BUDGET, leaseId: 'e1-1', wants: 1, edges: 1, ttlMs: 1000, limits }, THEN);

  const names = await a.redis.keys('*');
  expect(names.map((name) => name.slice(0, BUDGET.length + 2))).toEqual(Array(3).fill(`{${BUDGET}}`));
});

test('given scripts were flushed from Redis, when a check comes, then it is spent once', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [{ period: 'minute' as const, limit: 10 }];
  await spendBudget(a.store, check(limits), THEN);
  await a.redis.script('FLUSH');

  expect(await spendBudget(a.store, check(limits), THEN)).toMatchObject({ windows: [{ remaining: 8 }] });
});
