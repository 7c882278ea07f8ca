import { type Limit, PERIODS } from '@sluice/contracts';
import { CheckFailed, type Redis } from '@sluice/service-kit';
import { eventually, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { type Check, spendBudget } from '../src/spend.ts';
import { spendTogether } from '../src/spend-together.ts';
import type { CounterStore } from '../src/store.ts';
import { BUDGET, check, countersOf, openStore, randomOf, THEN } from './harness.ts';

const yearly = [{ period: 'year' as const, limit: 1000 }];
const UNAVAILABLE = { name: 'CheckFailed', code: 'store_unavailable' };

/** Every key with what it holds and when it ends. */
const contentOf = async (redis: Redis): Promise<unknown[]> =>
  Promise.all(
    (await redis.keys('*'))
      .sort()
      .map(async (key) => [key, await redis.get(key), await redis.pexpiretime(key)]),
  );

const oneByOne = async (store: CounterStore, checks: readonly Check[], now: number) => {
  const verdicts = [];
  for (const one of checks) verdicts.push(await spendBudget(store, one, now));
  return verdicts;
};

test.each([1, 2, 3])(
  'given messages of checks that share budgets and limits (seed %i), when decided in one call, then each gets the verdict it gets alone, and Redis holds the same',
  async (seed) => {
    await using servers = new AsyncDisposableStack();
    const [some, others] = [servers.use(await startRedis()), servers.use(await startRedis())];
    await using together = await openStore(some);
    await using alone = await openStore(others);
    const random = randomOf(seed);
    const below = (most: number) => Math.floor(random() * most);
    const lists = Array.from({ length: 4 }, () =>
      Array.from({ length: 1 + below(6) }, (): Limit => {
        return { period: PERIODS[below(6)] ?? 'year', limit: 1 + below(40) / (1 + below(2)) };
      }),
    );
    const outcomes = new Set<string>();

    for (let message = 0; message < 60; message++) {
      const now = THEN + 700 * message;
      const checks = Array.from({ length: 1 + below(64) }, () =>
        check(lists[below(4)] ?? yearly, 1 + below(3), `${BUDGET}-${below(9)}`),
      );

      const verdicts = await spendTogether(together.store, checks, now);

      expect(verdicts).toEqual(await oneByOne(alone.store, checks, now));
      for (const verdict of verdicts) if (!(verdict instanceof CheckFailed)) outcomes.add(verdict.outcome);
    }
    expect(outcomes).toEqual(new Set(['allow', 'deny']));
    expect(await contentOf(together.redis)).toEqual(await contentOf(alone.redis));
  },
);

test('given 2,048 checks in messages of 64 over 4 connections, when 500 may be spent, then exactly 500 are, in every window', async () => {
  await using server = await startRedis();
  await using stack = new AsyncDisposableStack();
  const stores: CounterStore[] = [];
  for (let i = 0; i < 4; i++) stores.push(stack.use(await openStore(server)).store);
  await using a = await openStore(server);
  const limits = [
    { period: 'minute' as const, limit: 500 },
    { period: 'day' as const, limit: 100_000 },
  ];

  const verdicts = await Promise.all(
    Array.from({ length: 32 }, (_, i) =>
      spendTogether(stores[i % 4] ?? a.store, Array<Check>(64).fill(check(limits)), THEN),
    ),
  );

  const admitted = verdicts.flat().filter((one) => !(one instanceof CheckFailed) && one.outcome === 'allow');
  expect(admitted).toHaveLength(500);
  expect(await countersOf(a.redis)).toEqual({ minute: 500, day: 500 });
});

test('given a counter that holds no count, when a message has checks of it and of others, then those alone fail and spend nothing', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [{ period: 'minute' as const, limit: 10 }, ...yearly];
  const start = Date.UTC(2096, 0, 1);
  await a.redis.rpush(`${BUDGET}-list:${start}:year`, 'x');
  await a.redis.set(`${BUDGET}-text:${start}:year`, '1.5');

  const verdicts = await spendTogether(
    a.store,
    ['list', 'good', 'text', 'good'].map((name) => check(limits, 1, `${BUDGET}-${name}`)),
    THEN,
  );

  expect(verdicts).toMatchObject([
    UNAVAILABLE,
    { outcome: 'allow' },
    UNAVAILABLE,
    { windows: [{ remaining: 8 }, {}] },
  ]);
  expect(await a.redis.keys('*:minute')).toEqual([expect.stringContaining('-good:')]);
});

test('given limits and costs at the end of what a number counts, when spent together, then no figure loses a digit', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const most = Number.MAX_SAFE_INTEGER;
  const limits = [
    { period: 'minute' as const, limit: 1e300 },
    { period: 'year' as const, limit: most },
  ];

  const verdicts = await spendTogether(
    a.store,
    [most - 2, 1, 2, most].map((cost) => check(limits, cost)),
    THEN,
  );

  expect(verdicts).toMatchObject([
    { outcome: 'allow', windows: [{}, { remaining: 2 }] },
    { outcome: 'allow', windows: [{}, { remaining: 1 }] },
    { outcome: 'deny', violated: 'minute', windows: [{}, { remaining: 1 }] },
    { outcome: 'deny' },
  ]);
  expect(await countersOf(a.redis)).toEqual({ minute: most - 1, year: most - 1 });
});

test('given checks of several tenants, when asked together, then each has its tenant’s quota as it stands, and one that is none is left out', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await a.redis.hset('quota:tenant:rich', { limit: '100', used: '7', period: 'a "b" \\ ü\n' });
  await a.redis.set('quota:tenant:text', 'x');
  await a.redis.hset('quota:tenant:odd', { event_id: 'e-1' });
  const about = (tenant?: string) => ({
    ...check(yearly),
    ...(tenant === undefined ? {} : { quotaKey: `quota:tenant:${tenant}` }),
  });

  const checks = ['rich', undefined, 'none', 'text', 'rich', 'odd'].map(about);
  const verdicts = await spendTogether(a.store, checks);

  const rich = { limit: 100, used: 7, period: 'a "b" \\ ü\n' };
  const odd = { limit: null, used: null, period: null };
  expect(verdicts).toMatchObject([{ quota: rich }, {}, { quota: null }, {}, { quota: rich }, { quota: odd }]);
  expect(verdicts.map((one) => 'quota' in one)).toEqual([true, false, true, false, true, true]);
  expect(await countersOf(a.redis)).toEqual({ year: 6 });
});

test('given Redis hangs, when messages of checks come, then each fails in time, and what Redis comes to later is not spent', async () => {
  await using server = await startRedis();
  await using a = await openStore(server, { commandTimeoutMs: 40 });
  let admitted = 0;
  const ask = async () => {
    const verdicts = await spendTogether(a.store, Array<Check>(8).fill(check(yearly)));
    admitted += verdicts.length;
  };
  await eventually(ask);

  server.freeze();
  const answers = await Promise.allSettled(Array.from({ length: 10 }, ask));
  server.thaw();

  for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
  await eventually(ask); // on the same connection, so after everything that was sent before
  await using patient = await openStore(server);
  expect(await countersOf(patient.redis)).toEqual({ year: admitted });
});

test.each([
  ['fewer figures', "return { '[0,1700000000000,5]', '[]' }"],
  ['no JSON', "return { 'hello', 'you' }"],
  ['figures', 'return { 1, 1700000000000, 0, 0 }'],
  ['text', "return 'OK'"],
])(
  'given Redis answers a message of checks with %s, then it fails and the connection is left',
  async (_what, lua) => {
    await using server = await startRedis();
    await using a = await openStore(server);
    const { redis, store } = a;
    redis.defineCommand('spendBudgets', { lua });
    let isLeft = false;
    redis.once('close', () => {
      isLeft = true;
    });

    await expect(spendTogether(store, [check(yearly), check(yearly)])).rejects.toMatchObject(UNAVAILABLE);

    await eventually(() => isLeft);
  },
);

test('given scripts were flushed from Redis, when a message of checks comes, then each is spent once', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const checks = [check(yearly), check(yearly)];
  await spendTogether(a.store, checks, THEN);
  await a.redis.script('FLUSH');

  expect(await spendTogether(a.store, checks, THEN)).toMatchObject([
    { windows: [{ remaining: 997 }] },
    { windows: [{ remaining: 996 }] },
  ]);
});

test('given tagged keys, then checks are not decided in one call: a cluster has them on several nodes', async () => {
  await using server = await startRedis();
  await using tagged = await openStore(server, { keyStyle: 'tagged' });
  await using kong = await openStore(server);

  expect([tagged.store.canRunTogether, kong.store.canRunTogether]).toEqual([false, true]);
});
