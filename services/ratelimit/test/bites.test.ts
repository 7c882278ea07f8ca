import type { Redis } from '@sluice/service-kit';
import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { SPEND_LUA } from '../src/spend.lua.ts';
import { spendBudget } from '../src/spend.ts';
import { check, openStore } from './harness.ts';

// L1 without its protection: the check that a limit is exact must then fail, else it could not be trusted.

type Script = (key: string, ...args: (string | number)[]) => Promise<number[]>;

const LIMIT = 50;
const NO_LIMIT = 1_000_000_000;

/** From now on one looks first and spends then, in a call of its own, as a gateway without a script does. */
const inTwoCalls = (redis: Redis): void => {
  const scripted = redis as Redis & { spendBudget: Script };
  const call: Script = async (key, ...args) => (await redis.eval(SPEND_LUA, 1, key, ...args)) as number[];
  scripted.spendBudget = async (key, ...args) => {
    const [operation = '', now = '', deadline = '', cost = 0, period = '', limit = 0] = args;
    const look = await call(key, operation, now, deadline, 0, period, limit);
    const [, at = 0, ttl = 0, , used = 0, resetMs = 0] = look;
    if (used + Number(cost) > Number(limit)) return [0, at, ttl, 1, used, resetMs];
    return call(key, operation, now, deadline, cost, period, NO_LIMIT);
  };
};

test.each([
  ['nothing', true, () => undefined],
  ['looking and spending in one script', false, inTwoCalls],
])(
  'given %s is taken away, when 256 checks come at once, then L1 holds: %s',
  async (_what, isExact, hurt) => {
    await using server = await startRedis();
    await using a = await openStore(server);
    hurt(a.redis);
    const limits = [{ period: 'year' as const, limit: LIMIT }];

    const verdicts = await Promise.all(
      Array.from({ length: 256 }, () => spendBudget(a.store, check(limits))),
    );

    const admitted = verdicts.filter(({ outcome }) => outcome === 'allow').length;
    expect(admitted >= LIMIT).toBe(true);
    expect(admitted === LIMIT).toBe(isExact);
  },
);
