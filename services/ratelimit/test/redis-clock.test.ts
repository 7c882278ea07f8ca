import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { RedisClock } from '../src/redis-clock.ts';
import { spendBudget } from '../src/spend.ts';
import { check, countersOf, openStore } from './harness.ts';

test('given slow replies among fast ones, when its time is told, then the fastest reply decides', () => {
  let now = 1000;
  const clock = new RedisClock(() => now);
  expect(clock.timeIn(0)).toBeUndefined();

  clock.observe(5_001_000 - 30); // said 30 ms before we read it
  now = 1100;
  clock.observe(5_001_100 - 1);
  now = 1200;
  clock.observe(5_001_200 - 35);

  expect(clock.timeIn(40)).toBe(5_001_200 - 1 + 40);
});

test('given Redis’s clock is set back, when a reply tells, then its new time holds', () => {
  const clock = new RedisClock(() => 1000);
  clock.observe(5_000_000);

  clock.observe(4_700_000);

  expect(clock.timeIn(0)).toBe(4_700_000);
});

test.each([
  ['forward', -300_000],
  ['back', 300_000],
])(
  'given Redis’s clock jumps %s by five minutes, when checks go on, then each is spent once',
  async (_way, ours) => {
    await using server = await startRedis();
    let shift = 0;
    await using a = await openStore(server, { now: () => performance.now() + shift });
    const limits = [{ period: 'year' as const, limit: 100 }];
    await spendBudget(a.store, check(limits));

    shift = ours; // only the difference of the clocks counts: ours jumps the other way
    for (let i = 0; i < 5; i++) await spendBudget(a.store, check(limits));

    expect(await countersOf(a.redis)).toEqual({ year: 6 });
  },
);
