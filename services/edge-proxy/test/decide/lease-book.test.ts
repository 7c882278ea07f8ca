import type { Limit } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { LeaseBook, type LeaseGrant, type LeaseQuestion } from '../../src/decide/lease-book.ts';

const MINUTE = 60_000;

/** The limiter's rule, on one minute of one clock: tokens count as used when they are granted. */
class Limiter {
  used = 0;
  now = 0;
  asked = 0;
  readonly leases = new Map<string, number>();
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get windows() {
    const remaining = Math.max(0, this.limit - this.used);
    return [
      {
        ...{ period: 'minute' as const, limit: this.limit },
        ...{ remaining, resetMs: MINUTE - (this.now % MINUTE) },
      },
    ];
  }

  check() {
    this.asked += 1;
    const isAllowed = this.used < this.limit;
    if (isAllowed) this.used += 1;
    return { outcome: isAllowed ? ('allow' as const) : ('deny' as const), windows: this.windows };
  }

  lease({ leaseId, wants, edges, ttlMs }: LeaseQuestion): LeaseGrant {
    this.asked += 1;
    const room = this.limit - this.used;
    const granted = room < 1 ? 0 : Math.min(wants, Math.max(1, Math.floor(room / (5 * edges))));
    this.used += granted;
    this.leases.set(leaseId, granted);
    return { granted, ttlMs: Math.min(ttlMs, MINUTE - (this.now % MINUTE)), windows: this.windows };
  }

  settle({ leaseId, unused }: { leaseId: string; unused: number }) {
    const back = Math.min(unused, this.leases.get(leaseId) ?? 0);
    this.leases.delete(leaseId);
    this.used -= back;
    return Promise.resolve({ outcome: 'allow', returned: back });
  }
}

const bookOf = (limiter: Limiter, edges = 1) =>
  new LeaseBook({
    ask: (question) => Promise.resolve(limiter.lease(question)),
    settle: (unspent) => limiter.settle(unspent),
    edges: () => edges,
    now: () => limiter.now,
  });

/** One request at one edge, as Budgets.spend does it. */
const spend = (book: LeaseBook, limiter: Limiter, limits: readonly Limit[]) => {
  const held = book.take('k', limits);
  if (held !== undefined) return held;
  const verdict = limiter.check();
  book.observe('k', limits, verdict, limiter.now);
  return { ...verdict, source: 'service' as const };
};

const answersArrive = () => new Promise((resolve) => setImmediate(resolve));

test('given a large limit and steady demand, then most requests are admitted without asking, and the figures are exact', async () => {
  const limiter = new Limiter(6000);
  const book = bookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  for (let n = 1; n <= 2000; n++) {
    limiter.now += 10;
    const verdict = spend(book, limiter, limits);
    expect(verdict.outcome).toBe('allow');
    expect(verdict.windows[0]?.remaining).toBe(6000 - n);
    await answersArrive();
  }
  expect(limiter.asked).toBeLessThan(200);
  await book.close();
  expect(limiter.used).toBe(2000);
});

test('given an even demand, when a lease grows old before it is spent, then the next is there already', async () => {
  const limiter = new Limiter(6000);
  const book = bookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  const sources: string[] = [];
  for (let n = 0; n < 4000; n++) {
    limiter.now += 10; // 40 s at 100 a second: less than a lease's tokens in a lease's life
    const { source } = spend(book, limiter, limits);
    if (n > 500) sources.push(source);
    await answersArrive();
  }
  expect(sources.filter((source) => source !== 'lease')).toEqual([]);
  await book.close();
  expect(limiter.used).toBe(4000);
});

test('given a small limit, then the limiter counts every request', async () => {
  const limiter = new Limiter(100);
  const book = bookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 100 }];
  for (let n = 0; n < 150; n++) spend(book, limiter, limits);
  await answersArrive();
  expect(limiter.asked).toBe(150);
  expect(limiter.used).toBe(100);
  await book.close();
});

test('given a lease that is not spent, when its time is over, then it goes back and is not spent any more', async () => {
  const limiter = new Limiter(6000);
  const book = bookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  for (let n = 0; n < 100; n++) {
    spend(book, limiter, limits);
    await answersArrive();
  }
  expect(limiter.used).toBeGreaterThan(100);
  limiter.now += 2000; // a thirtieth of the window
  book.sweep();
  expect(limiter.used).toBe(100);
  expect(book.take('k', limits)).toBeUndefined();
  await book.close();
});

test('given another limit comes with a new configuration, then leases of the old one go back', async () => {
  const limiter = new Limiter(6000);
  const book = bookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  for (let n = 0; n < 20; n++) {
    spend(book, limiter, limits);
    await answersArrive();
  }
  expect(book.take('k', [{ period: 'minute', limit: 7000 }])).toBeUndefined();
  expect(limiter.used).toBe(20);
  await book.close();
});

test('given the limiter gives no answer to a lease, then what it may have granted is given back', async () => {
  const limiter = new Limiter(6000);
  const book = new LeaseBook({
    ask: (question) => {
      limiter.lease(question);
      return Promise.reject(new Error('timeout'));
    },
    settle: (unspent) => limiter.settle(unspent),
    edges: () => 1,
    now: () => limiter.now,
  });
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  for (let n = 0; n < 50; n++) {
    expect(spend(book, limiter, limits).source).toBe('service');
    await answersArrive();
  }
  expect(limiter.used).toBe(50);
  await book.close();
});

/** A book whose lease questions the limiter answers at once, and whose answers arrive when `deliver` is called. */
const slowBookOf = (limiter: Limiter) => {
  const onTheWay: (() => void)[] = [];
  const book = new LeaseBook({
    ask: (question) => {
      const grant = limiter.lease(question);
      return new Promise((resolve) => onTheWay.push(() => resolve(grant)));
    },
    settle: (unspent) => limiter.settle(unspent),
    edges: () => 1,
    now: () => limiter.now,
  });
  return { book, onTheWay };
};

test('given an edge that stops while a lease is on its way, then it waits for it and gives it back, and leases no more', async () => {
  const limiter = new Limiter(6000);
  const { book, onTheWay } = slowBookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  for (let n = 0; n < 20; n++) spend(book, limiter, limits);
  expect(limiter.used).toBeGreaterThan(20);
  expect(onTheWay.length).toBe(1);

  let isClosed = false;
  const closed = book.close().then(() => {
    isClosed = true;
  });
  await answersArrive();
  expect(isClosed).toBe(false);
  for (const arrive of onTheWay) arrive();
  await closed;
  expect(limiter.used).toBe(20);

  for (let n = 0; n < 20; n++) spend(book, limiter, limits);
  expect(onTheWay.length).toBe(1);
  expect(limiter.used).toBe(40);
});

test('given a check that was counted before the lease and answered after it, then no more is shown than is left', async () => {
  const limiter = new Limiter(6000);
  const { book, onTheWay } = slowBookOf(limiter);
  const limits: Limit[] = [{ period: 'minute', limit: 6000 }];
  const take = () => expect(book.take('k', limits)).toBeUndefined();
  for (let n = 0; n < 10; n++) take();
  const checks = Array.from({ length: 10 }, () => limiter.check());
  book.observe('k', limits, checks[0] ?? limiter.check(), limiter.now);
  for (const arrive of onTheWay) arrive();
  await answersArrive();
  expect(book.leased).toBe(1);

  for (const check of checks.slice(1)) book.observe('k', limits, check, limiter.now);
  expect(book.take('k', limits)).toMatchObject({ outcome: 'allow', windows: [{ remaining: 6000 - 11 }] });
  await book.close();
  expect(limiter.used).toBe(11);
});

const randomOf = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

test.each([
  { seed: 1, edges: 2, limit: 1000, offered: 3 },
  { seed: 2, edges: 8, limit: 6000, offered: 1.2 },
  { seed: 3, edges: 4, limit: 3000, offered: 5 },
])(
  'given $edges edges, limit $limit a minute and $offered times of it offered (seed $seed), then the limit is met and never passed',
  async ({ seed, edges, limit, offered }) => {
    const random = randomOf(seed);
    const limiter = new Limiter(limit);
    const limits: Limit[] = [{ period: 'minute', limit }];
    const books = Array.from({ length: edges }, () => bookOf(limiter, edges));
    const requests = Math.floor(limit * offered);
    let admitted = 0;
    for (let n = 0; n < requests; n++) {
      limiter.now = (n * (MINUTE - 1)) / requests;
      // Skewed: the first edge gets most, and after half of the time the last one does.
      const skew = Math.floor(random() ** 3 * edges);
      const book = books[n < requests / 2 ? skew : edges - 1 - skew];
      if (book !== undefined && spend(book, limiter, limits).outcome === 'allow') admitted += 1;
      if (n % 7 === 0) await answersArrive();
      if (n % 50 === 0) for (const each of books) each.sweep();
    }
    expect(limiter.used).toBeLessThanOrEqual(limit);
    expect(admitted).toBeLessThanOrEqual(limit);
    expect(admitted).toBeGreaterThanOrEqual(limit * 0.97);
    await Promise.all(books.map((book) => book.close()));
  },
);
