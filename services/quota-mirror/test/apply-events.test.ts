import { connectRedis } from '@sluice/service-kit';
import { eventually, silentLogger, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { applyEvents, type Settled, UNSETTLED } from '../src/apply-events.ts';
import { decodeEvent, type QuotaEvent } from '../src/decode-event.ts';
import { keysOf, type Store } from '../src/keys.ts';
import { eventOf, quota } from './given.ts';
import { randomOf } from './random.ts';

const NOW = Date.now() * 1000;

const storeOn = async () => {
  const server = await startRedis();
  const redis = await connectRedis({
    url: server.url,
    name: 'test',
    commandTimeoutMs: 2000,
    logger: silentLogger(),
  });
  await eventually(() => redis.ping());
  return {
    store: { redis, keys: keysOf('quota:tenant:') },
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
};

interface Given {
  seq?: number;
  epoch?: number;
  micros?: number;
  eventId?: string;
  occurredAt?: string;
}
const event = (tenantId: string, payload: unknown, given: Given = {}): QuotaEvent => {
  const { seq = 1, epoch = 1, micros = NOW, ...more } = given;
  const data = new TextEncoder().encode(JSON.stringify(eventOf(tenantId, payload, more)));
  const decoded = decodeEvent(data, { seq, timeMicros: micros, streamCreatedMs: epoch });
  if (decoded.outcome === 'poison') throw new Error(decoded.message);
  return decoded.event;
};
const applyEvent = async (store: Store, one: QuotaEvent, settled: Settled) => {
  const [applied] = await applyEvents(store, [one], settled);
  if (applied === undefined || applied.result === 'failed')
    throw new Error('not applied', { cause: applied?.error });
  return applied.result === 'refused' ? { ...applied, isCurrent: false, before: undefined } : applied;
};
const at = (offsetMs: number): string => new Date(NOW / 1000 + offsetMs).toISOString();

const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

test.each([1, 2, 3])(
  'given events with equal times, shared ids and a recreated stream (seed %i), then every order with repetitions ends in the newest',
  async (seed) => {
    await using given = await storeOn();
    const random = randomOf(seed);
    const pick = (n: number) => Math.floor(random() * n);
    const wrong: string[] = [];
    for (let set = 0; set < 60; set++) {
      const versions = Array.from({ length: 8 }, (_, seq) => ({
        seq: seq + 1,
        epoch: 1 + pick(2),
        eventId: `e${pick(5)}`,
        occurredAt: at(-1000 + pick(4)),
      }));
      const rank = ({ occurredAt, epoch, seq }: (typeof versions)[number]) =>
        `${occurredAt} ${epoch} ${seq.toString().padStart(3, '0')}`;
      const newest = versions.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))[0];
      for (let order = 0; order < 5; order++) {
        const tenant = `t${set}-${order}`;
        const all = [...versions, ...versions.filter(() => random() < 0.4)];
        const inOrder = shuffled(all, random).map((version) => event(tenant, quota(version.seq), version));
        const batches = order % 2 === 0 ? [inOrder] : inOrder.map((one) => [one]); // together and one by one
        for (const batch of batches) await applyEvents(given.store, batch, UNSETTLED);
        const held = await given.redis.hgetall(`quota:tenant:${tenant}`);
        if (held.used !== `${newest?.seq}` || held.event_id !== newest?.eventId)
          wrong.push(`${tenant}: ${held.used}`);
      }
    }

    expect(wrong).toEqual([]);
  },
);

test('given a newer state, when an older or the same event comes, then nothing changes and the answer says why', async () => {
  await using given = await storeOn();
  const apply = (payload: unknown, more: Given) =>
    applyEvent(given.store, event('t', payload, more), UNSETTLED);
  const newer = { seq: 5, eventId: 'new', occurredAt: at(-10) };

  const results = [
    await apply(quota(1), { seq: 4, eventId: 'old', occurredAt: at(-20) }),
    await apply(quota(2), newer),
    await apply(quota(2), newer),
    await apply(quota(9), { seq: 9, eventId: 'late', occurredAt: at(-20) }),
    await apply(quota(9), { seq: 4, eventId: 'new', occurredAt: at(-10) }),
  ];

  expect(results.map(({ result, isCurrent }) => [result, isCurrent])).toEqual([
    ['applied', true],
    ['applied', true],
    ['duplicate', true],
    ['stale', false],
    ['duplicate', false],
  ]);
  expect(results[1]?.before).toEqual({ limit: '10000', used: '1' });
  expect(await given.redis.hgetall('quota:tenant:t')).toMatchObject({ used: '2', event_id: 'new' });
});

test('given a state, then its key ends a day after its period, also in a month of 31 days', async () => {
  await using given = await storeOn();
  const expiry = async (tenant: string, payload: unknown) => {
    await applyEvent(given.store, event(tenant, payload, { occurredAt: at(0) }), UNSETTLED);
    return given.redis.expiretime(`quota:tenant:${tenant}`);
  };
  const now = Math.floor(NOW / 1_000_000);

  expect(await expiry('reset', quota(1))).toBe(Date.UTC(2099, 0, 1) / 1000 + 86_400);
  expect(await expiry('month', quota(1, { resetAt: null }))).toBe(now + 32 * 86_400);
  expect(await expiry('open', quota(1, { resetAt: null, period: 'lifetime' }))).toBe(-1);
});

test('given an event whose period is long over, when nothing newer is there, then it is written and lives a day', async () => {
  await using given = await storeOn();
  const old = quota(4532, { resetAt: '2025-11-01T00:00:00Z' });

  const first = await applyEvent(
    given.store,
    event('t', old, { occurredAt: '2025-10-27T20:00:00Z' }),
    UNSETTLED,
  );

  expect(first).toMatchObject({ result: 'expired', isCurrent: true });
  const ttl = await given.redis.ttl('quota:tenant:t');
  expect(ttl).toBeGreaterThan(86_300);
  expect(ttl).toBeLessThanOrEqual(86_400);
  await applyEvent(given.store, event('t', quota(7), { occurredAt: at(0), seq: 2 }), UNSETTLED);
  const again = await applyEvent(
    given.store,
    event('t', old, { occurredAt: '2025-10-27T20:00:00Z', seq: 3 }),
    UNSETTLED,
  );
  expect(again).toMatchObject({ result: 'stale', isCurrent: false });
  expect(await given.redis.hget('quota:tenant:t', 'used')).toBe('7');
});

test('given something else under the key, the original’s hash or a plain value, then the first event replaces it', async () => {
  await using given = await storeOn();
  await given.redis.hset('quota:tenant:a', { limit: '0', used: '0', foreign: 'x' });
  await given.redis.set('quota:tenant:b', 'text');

  await applyEvent(given.store, event('a', quota(1)), UNSETTLED);
  await applyEvent(given.store, event('b', quota(1)), UNSETTLED);

  const [a, b] = [await given.redis.hgetall('quota:tenant:a'), await given.redis.hgetall('quota:tenant:b')];
  expect(Object.keys(a)).toEqual(Object.keys(b));
  expect(a).toMatchObject({ limit: '10000', used: '1' });
  expect(a.foreign).toBeUndefined();
});

test('given usage, when the same event id comes again, also under another sequence, then it is added once', async () => {
  await using given = await storeOn();
  const usage = { usage: { prompt_tokens: 10, completion_tokens: 5, cost_usd: 0.1 } };
  const add = (more: Given) => applyEvent(given.store, event('t', usage, more), UNSETTLED);

  const results = [
    await add({ eventId: 'a', seq: 1 }),
    await add({ eventId: 'a', seq: 1 }),
    await add({ eventId: 'a', seq: 9, micros: NOW + 180_000_000 }),
    await add({ eventId: 'b', seq: 2 }),
  ];

  expect(results.map(({ result }) => result)).toEqual(['applied', 'duplicate', 'duplicate', 'applied']);
  expect(await given.redis.hgetall('quota:usage:{t}')).toEqual({
    prompt_tokens: '20',
    completion_tokens: '10',
    cost_nano_usd: '200000000',
  });
});

test('given settled usage of long ago, then its ids are forgotten and its redelivery still counts nothing', async () => {
  await using given = await storeOn();
  const usage = { usage: { total_tokens: 1 } };
  const nowMs = NOW / 1000;
  const old: Given = { eventId: 'old', micros: NOW - 7 * 3_600_000_000 };
  const settled = { epoch: 42, beforeMs: nowMs };
  await applyEvent(given.store, event('t', usage, old), settled);

  await applyEvent(given.store, event('t', usage, { eventId: 'kept' }), settled); // no marker: nothing is forgotten
  expect(await given.redis.zrange('quota:seen:{t}', '0', '-1')).toEqual(['old', 'kept']);
  await given.redis.set('quota:meta:loaded', '42');
  await applyEvent(given.store, event('t', usage, { eventId: 'next' }), settled);
  expect(await given.redis.zrange('quota:seen:{t}', '0', '-1')).toEqual(['kept', 'next']);

  const again = await applyEvent(given.store, event('t', usage, old), settled);
  expect(again.result).toBe('duplicate');
  expect(await given.redis.hget('quota:usage:{t}', 'total_tokens')).toBe('3');
});

test('given a sum that a person overwrote with text, then the event is refused whole and the others are applied', async () => {
  await using given = await storeOn();
  await given.redis.hset('quota:usage:{t}', { completion_tokens: 'many' });
  const usage = { usage: { prompt_tokens: 10, completion_tokens: 5 } };

  const results = await applyEvents(
    given.store,
    [event('t', usage), event('other', usage), event('t', quota(1))],
    UNSETTLED,
  );

  expect(results.map(({ result }) => result)).toEqual(['refused', 'applied', 'applied']);
  expect(await given.redis.hgetall('quota:usage:{t}')).toEqual({ completion_tokens: 'many' });
  expect(await given.redis.exists('quota:seen:{t}')).toBe(0);
});

test('given many states of a tenant at once, then the newest is written and each answer says what it was', async () => {
  await using given = await storeOn();
  const states = [3, 5, 4, 9, 7, 9].map((n) =>
    event('t', quota(n), { seq: n, eventId: `e${n}`, occurredAt: at(-100 + n) }),
  );

  const results = await applyEvents(given.store, [...states, event('u', quota(1))], UNSETTLED);

  expect(results.map(({ result }) => result)).toEqual([
    'applied',
    'applied',
    'stale',
    'applied',
    'stale',
    'duplicate',
    'applied',
  ]);
  expect(results.filter((one) => 'isCurrent' in one && one.isCurrent)).toHaveLength(2);
  expect(await given.redis.hgetall('quota:tenant:t')).toMatchObject({ used: '9' });
});
