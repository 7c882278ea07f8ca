import type { Limit } from '@sluice/contracts';
import { startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { leaseBudget, settleLease } from '../src/lease.ts';
import { spendBudget } from '../src/spend.ts';
import type { CounterStore } from '../src/store.ts';
import { BUDGET, check, countersOf, openStore, randomOf, THEN } from './harness.ts';

const minute: Limit[] = [{ period: 'minute', limit: 1000 }];
const lease = (leaseId: string, changes: object = {}) => ({
  key: BUDGET,
  leaseId,
  wants: 500,
  edges: 2,
  ttlMs: 2000,
  limits: minute,
  ...changes,
});
const settle = (leaseId: string, unused: number) => ({ key: BUDGET, leaseId, unused });

test('given two edges, when one leases, then it gets a tenth of what is left, counted as used at once', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);

  expect(await leaseBudget(a.store, lease('e1-1'), THEN)).toEqual({
    outcome: 'allow',
    granted: 100,
    ttlMs: 2000,
    windows: [{ period: 'minute', limit: 1000, remaining: 900, resetMs: 30_000 }],
  });
  expect(await leaseBudget(a.store, lease('e2-1'), THEN)).toMatchObject({ granted: 90 });
  expect(await leaseBudget(a.store, lease('e2-2', { wants: 5 }), THEN)).toMatchObject({ granted: 5 });
  expect(await countersOf(a.redis)).toEqual({ minute: 195 });
});

test('given several windows, when leased, then the tightest decides and the nearest end bounds the life', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [...minute, { period: 'month' as const, limit: 20 }];

  const verdict = await leaseBudget(a.store, lease('e1-1', { limits, ttlMs: 10_000 }), THEN + 25_000);

  expect(verdict).toMatchObject({
    granted: 2,
    ttlMs: 5000,
    windows: [{ remaining: 998 }, { remaining: 18 }],
  });
});

test('given one token left, when two leases ask, then one gets it and the other nothing', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await spendBudget(a.store, check(minute, 999), THEN);

  expect(await leaseBudget(a.store, lease('e1-1'), THEN)).toMatchObject({ outcome: 'allow', granted: 1 });
  expect(await leaseBudget(a.store, lease('e2-1'), THEN)).toMatchObject({
    outcome: 'deny',
    granted: 0,
    ttlMs: 0,
    windows: [{ remaining: 0 }],
  });
  expect(await countersOf(a.redis)).toEqual({ minute: 1000 });
});

test('given a lease, when it is settled twice, then its tokens come back once', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [...minute, { period: 'hour' as const, limit: 1000 }];
  await leaseBudget(a.store, lease('e1-1', { limits }), THEN);

  expect(await settleLease(a.store, settle('e1-1', 40), THEN)).toEqual({ outcome: 'allow', returned: 40 });
  expect(await settleLease(a.store, settle('e1-1', 40), THEN)).toEqual({ outcome: 'allow', returned: 0 });
  expect(await countersOf(a.redis)).toEqual({ minute: 60, hour: 60 });
});

test('given a lease of one window, when it is settled in the next, then only windows that still run get tokens', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [...minute, { period: 'year' as const, limit: 1000 }];
  await leaseBudget(a.store, lease('e1-1', { limits }), THEN);
  await leaseBudget(a.store, lease('e1-2'), THEN);

  expect(await settleLease(a.store, settle('e1-1', 100), THEN + 30_000)).toMatchObject({ returned: 100 });
  expect(await settleLease(a.store, settle('e1-2', 90), THEN + 30_000)).toMatchObject({ returned: 0 });
  expect(await countersOf(a.redis)).toEqual({ minute: 190, year: 0 });
});

test('given a settle that claims more than was granted, when it comes, then only the grant comes back', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await spendBudget(a.store, check(minute, 10), THEN);
  await leaseBudget(a.store, lease('e1-1', { wants: 3 }), THEN);

  expect(await settleLease(a.store, settle('e1-1', Number.MAX_SAFE_INTEGER), THEN)).toMatchObject({
    returned: 3,
  });
  expect(await countersOf(a.redis)).toEqual({ minute: 10 });
});

test('given a lease that has ended, when others lease and then it is settled, then its tokens still come back', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  const limits = [{ period: 'year' as const, limit: 1000 }];
  await leaseBudget(a.store, lease('e1-1', { limits }), THEN);

  await leaseBudget(a.store, lease('e2-1', { limits }), THEN + 6999);

  expect(await settleLease(a.store, settle('e1-1', 7), THEN + 6999)).toMatchObject({ returned: 7 });
});

test('given a counter that Redis lost, when a lease of it is settled, then nothing is owed', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await leaseBudget(a.store, lease('e1-1'), THEN);
  await a.redis.del(await a.redis.keys('*:minute'));

  expect(await settleLease(a.store, settle('e1-1', 100), THEN)).toMatchObject({ returned: 0 });
  expect(await countersOf(a.redis)).toEqual({});
});

test.each([
  ['a few', 60],
  ['many', 200],
])(
  'given %s leases of which a quarter was forgotten, when others follow, then those are deleted, 8 a call at most, and return nothing',
  async (_howMany, total) => {
    await using server = await startRedis();
    await using a = await openStore(server);
    const limits = [{ period: 'year' as const, limit: 1_000_000 }];
    await a.redis.config('SET', 'hash-max-listpack-entries', '64'); // beyond it Redis walks a hash page by page
    const remembered = async (kind: string) =>
      (await a.redis.hkeys(`${BUDGET}:leases`)).filter((name) => name.startsWith(`lease:${kind}`)).length;
    for (let i = 0; i < total; i++) {
      const [kind, ttlMs] = i % 4 === 0 ? ['dead', 1000] : ['alive', 10_000];
      await leaseBudget(a.store, lease(`${kind}-${i}`, { wants: 1, limits, ttlMs }), THEN);
    }

    let before = total / 4;
    for (let i = 0; i < 100 && before > 0; i++) {
      await leaseBudget(a.store, lease('next', { wants: 1, limits, ttlMs: 1000 }), THEN + 6001);
      const after = await remembered('dead');
      expect(before - after).toBeLessThanOrEqual(8);
      before = after;
    }

    expect(before).toBe(0);
    expect(await remembered('alive')).toBe((total * 3) / 4);
    expect(await settleLease(a.store, settle('dead-4', 1), THEN + 6001)).toMatchObject({ returned: 0 });
    expect(await settleLease(a.store, settle('alive-1', 1), THEN + 6001)).toMatchObject({ returned: 1 });
    expect(await a.redis.pexpiretime(`${BUDGET}:leases`)).toBe(THEN + 26_001);
  },
);

/** What a run of checks, leases and settles may have admitted, window by window. */
class Ledger {
  readonly #admitted = new Map<string, number>();
  readonly #counted = new Map<string, number>();

  static #keys(now: number): string[] {
    return [`${now - (now % 1000)}:second`, `${now - (now % 60_000)}:minute`];
  }

  static #add(to: Map<string, number>, now: number, tokens: number): void {
    for (const key of Ledger.#keys(now)) to.set(key, (to.get(key) ?? 0) + tokens);
  }

  admit(now: number, tokens: number): void {
    Ledger.#add(this.#admitted, now, tokens);
  }

  count(now: number, tokens: number): void {
    Ledger.#add(this.#counted, now, tokens);
  }

  /** Tokens that came back, to the windows of the grant that still run. */
  giveBack(grantedAt: number, now: number, tokens: number): void {
    const still = new Set(Ledger.#keys(now));
    for (const key of Ledger.#keys(grantedAt))
      if (still.has(key)) this.#counted.set(key, (this.#counted.get(key) ?? 0) - tokens);
  }

  most(period: string): number {
    return Math.max(
      ...[...this.#admitted].filter(([key]) => key.endsWith(period)).map(([, tokens]) => tokens),
    );
  }

  get counted(): ReadonlyMap<string, number> {
    return this.#counted;
  }
}

const LIMITS: Limit[] = [
  { period: 'second', limit: 60 },
  { period: 'minute', limit: 700 },
];

/** One edge does one thing; what it admits goes into the ledger. */
const act = async (
  store: CounterStore,
  ledger: Ledger,
  random: () => number,
  now: number,
  id: string,
): Promise<void> => {
  if (random() < 0.5) {
    const cost = 1 + Math.floor(random() * 3);
    const verdict = await spendBudget(store, check(LIMITS, cost), now);
    if (verdict.outcome === 'allow') {
      ledger.admit(now, cost);
      ledger.count(now, cost);
    }
    return;
  }
  const wants = 1 + Math.floor(random() * 40);
  const granted = await leaseBudget(store, lease(id, { wants, edges: 4, ttlMs: 300, limits: LIMITS }), now);
  ledger.count(now, granted.granted);
  const used = Math.floor(random() * (granted.granted + 1));
  ledger.admit(now, used);
  if (random() < 0.1) return; // an edge that dies: what it had is never returned
  const settledAt = now + Math.floor(random() * 400);
  const settles = await Promise.all(
    Array.from({ length: random() < 0.3 ? 2 : 1 }, () =>
      settleLease(store, settle(id, granted.granted - used), settledAt),
    ),
  );
  const returned = settles.reduce((sum, verdict) => sum + verdict.returned, 0);
  ledger.giveBack(now, settledAt, returned);
};

test.each([1, 2, 3])(
  'given checks, leases, partial spends and double settles at once (seed %i), when all is done, then no window admitted more than its limit',
  async (seed) => {
    await using server = await startRedis();
    await using a = await openStore(server);
    await using b = await openStore(server);
    const random = randomOf(seed);
    const ledger = new Ledger();

    for (let step = 0; step < 150; step++) {
      const now = THEN - 30_000 + step * 500;
      await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          act((i % 2 === 0 ? a : b).store, ledger, random, now, `${seed}-${step}-${i}`),
        ),
      );
    }

    expect(ledger.most('second')).toBeLessThanOrEqual(60);
    expect(ledger.most('minute')).toBeLessThanOrEqual(700);
    expect(ledger.most('minute')).toBeGreaterThan(600); // the limits were really reached
    for (const [key, tokens] of ledger.counted)
      expect(Number((await a.redis.get(`${BUDGET}:${key}`)) ?? 0), key).toBe(tokens);
  },
);
