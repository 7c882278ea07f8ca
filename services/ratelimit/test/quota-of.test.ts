import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { quotaOf } from '../src/quota-of.ts';
import { spendBudget } from '../src/spend.ts';
import { BUDGET, openStore, THEN } from './harness.ts';

const HASH = {
  limit: '10000',
  used: '4532',
  remaining: '5468',
  period: 'monthly',
  reset_at: '2096-03-01T00:00:00Z',
  last_updated: '2096-02-27T20:00:00.123456',
  event_id: 'e-1',
};
const STATE = {
  limit: 10_000,
  used: 4532,
  remaining: 5468,
  period: 'monthly',
  resetAt: '2096-03-01T00:00:00Z',
  lastUpdated: '2096-02-27T20:00:00.123456',
  stale: false,
};

test.each([
  ['a complete hash', {}, {}],
  ['fractions and exponents', { limit: '1.5', used: '1e3' }, { limit: 1.5, used: 1000 }],
  ['a tenant over its limit', { remaining: '-12' }, { remaining: -12 }],
  ['a limit that is no number', { limit: 'unlimited' }, { limit: null }],
  ['an empty number', { limit: '', used: ' ' }, { limit: null, used: null }],
  ['numbers of other notations', { limit: '0x10', used: 'Infinity' }, { limit: null, used: null }],
  ['a number too large', { limit: '1e999', remaining: 'NaN' }, { limit: null, remaining: null }],
  ['negative amounts', { limit: '-1', used: '-5' }, { limit: null, used: null }],
  ['no period', { period: '' }, { period: null }],
  ['no reset', { reset_at: '' }, { resetAt: null }],
  ['a reset that is no time', { reset_at: 'soon', last_updated: '7' }, { resetAt: null, lastUpdated: null }],
  ['a reset on a day that is not', { reset_at: '2096-13-01T00:00:00Z' }, { resetAt: null }],
  [
    'a period that ends now',
    { reset_at: '2096-02-29T23:59:30Z' },
    { resetAt: '2096-02-29T23:59:30Z', stale: true },
  ],
  [
    'a period that ended, without a zone',
    { reset_at: '2096-02-29T23:59:29' },
    { resetAt: '2096-02-29T23:59:29', stale: true },
  ],
  [
    'a period that ends in another zone',
    { reset_at: '2096-03-01T00:59:31+01:00' },
    { resetAt: '2096-03-01T00:59:31+01:00', stale: false },
  ],
])('given %s, when read, then what is known is told and the rest is null', (_what, hash, state) => {
  expect(quotaOf({ ...HASH, ...hash }, THEN)).toEqual({ ...STATE, ...state });
});

test('given a hash without fields we know, when read, then everything is null', () => {
  expect(quotaOf({ event_id: 'e-1' }, THEN)).toEqual({
    limit: null,
    used: null,
    remaining: null,
    period: null,
    resetAt: null,
    lastUpdated: null,
    stale: false,
  });
});

test('given a check with a quota key, when the key holds a hash, nothing or something else, then the verdict says so', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await a.redis.hset('quota:tenant:one', HASH);
  await a.redis.set('quota:tenant:text', 'x');
  const limits = [{ period: 'minute' as const, limit: 10 }];
  const ask = (quotaKey: string | undefined, withLimits = true) =>
    spendBudget(a.store, {
      key: BUDGET,
      cost: 1,
      limits: withLimits ? limits : [],
      ...(quotaKey === undefined ? {} : { quotaKey }),
    });

  expect((await ask('quota:tenant:one')).quota).toEqual(STATE);
  expect((await ask('quota:tenant:none')).quota).toBeNull();
  const unreadable = await ask('quota:tenant:text');
  expect(unreadable).toMatchObject({ outcome: 'allow', windows: [{ period: 'minute' }] });
  expect('quota' in unreadable).toBe(false);
  expect(await ask('quota:tenant:text', false)).toEqual({ outcome: 'allow', windows: [] });
  expect(await ask('quota:tenant:one', false)).toEqual({ outcome: 'allow', windows: [], quota: STATE });
  expect(await ask(undefined, false)).toEqual({ outcome: 'allow', windows: [] });
});
