import { connectRedis } from '@sluice/service-kit';
import { eventually, silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { applyEvents, UNSETTLED } from '../src/apply-events.ts';
import { decodeEvent, type QuotaEvent } from '../src/decode-event.ts';
import { keysOf } from '../src/keys.ts';
import { Settings } from '../src/settings.ts';
import { eventOf, quota } from './given.ts';
import { randomOf } from './random.ts';
import { startRedisCluster } from './redis-cluster.ts';

const PREFIX = '{quota}:tenant:';
const TENANTS = 40;
const VERSIONS = 8;
const NOW = Date.now();

const event = (tenant: string, payload: unknown, seq: number): QuotaEvent => {
  const more = { eventId: `${tenant}-${seq}`, occurredAt: new Date(NOW - 10_000 + seq).toISOString() };
  const data = Buffer.from(JSON.stringify(eventOf(tenant, payload, more)));
  const decoded = decodeEvent(data, { seq, timeMicros: NOW * 1000, streamCreatedMs: 1 });
  if (decoded.outcome === 'poison') throw new Error(decoded.message);
  return decoded.event;
};

test('given a Redis Cluster and events of many tenants twice and in a wrong order, then every tenant has its newest state and exact sums, on one node', async () => {
  await using cluster = await startRedisCluster();
  const redis = await connectRedis({
    ...{ url: cluster.url, name: 'test', commandTimeoutMs: 2000 },
    logger: silentLogger(),
  });
  await eventually(() => redis.set('{quota}:there', '1'));
  const store = { redis, keys: keysOf(PREFIX) };
  const random = randomOf(11);
  const all = Array.from({ length: TENANTS }, (_, n) => `t${n}`).flatMap((tenant) =>
    Array.from({ length: VERSIONS }, (_, v) => [
      event(tenant, quota(v), v + 1),
      event(tenant, { usage: { total_tokens: 1 } }, VERSIONS + v + 1),
    ]).flat(),
  );
  const shuffled = [...all, ...all]
    .map((one) => ({ one, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);

  const results = [];
  for (let from = 0; from < shuffled.length; from += 100)
    results.push(...(await applyEvents(store, shuffled.slice(from, from + 100), UNSETTLED)));

  expect(results.filter(({ result }) => result === 'failed' || result === 'refused')).toEqual([]);
  for (let n = 0; n < TENANTS; n++) {
    expect(await redis.hget(`${PREFIX}t${n}`, 'used')).toBe(`${VERSIONS - 1}`);
    expect(await redis.hget(store.keys.usage(`t${n}`), 'total_tokens')).toBe(`${VERSIONS}`);
  }
  const sizes = await Promise.all(cluster.nodes.map((node) => node.dbsize()));
  expect(sizes.filter((size) => size > 0)).toHaveLength(1);
  redis.disconnect();
});

test.each([
  ['quota:tenant:', false],
  ['{quota}:tenant:', true],
  ['a{}b{quota}:tenant:', false],
])('given a cluster and the prefix %s, then the settings are taken: %s', (prefix, isTaken) => {
  const given = { REDIS_URL: 'redis+cluster://a:1,b:2', REDIS_KEY_PREFIX: prefix };
  const { success, error } = Settings.safeParse(given);
  expect(success).toBe(isTaken);
  if (!isTaken) expect(error?.message).toContain('{quota}:tenant:');
  expect(Settings.safeParse({ ...given, REDIS_URL: 'redis://a:1' }).success).toBe(true);
});
