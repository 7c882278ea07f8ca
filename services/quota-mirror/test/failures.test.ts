import { eventually, startNats, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { eventOf, quota, settled, startedMirror } from './given.ts';

test('given Redis is emptied, then states and sums come back without anybody’s help', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  for (let n = 0; n < 30; n++) {
    await given.publish(eventOf(`tenant ${n}`, quota(n)));
    await given.publish(eventOf(`tenant ${n}`, { usage: { total_tokens: n } }));
  }
  await settled(given);
  const before = await everything(given.redis);

  await given.redis.flushall();

  await eventually(async () => expect(await everything(given.redis)).toEqual(before));
  expect(Object.keys(before)).toHaveLength(60);
  await eventually(() => expect(given.mirror.problems()).toEqual({}));
});

const everything = async (redis: {
  keys(p: string): Promise<string[]>;
  hgetall(k: string): Promise<object>;
}) => {
  const names = [...(await redis.keys('quota:tenant:*')), ...(await redis.keys('quota:usage:*'))].sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await redis.hgetall(name)])));
};

test('given Redis is emptied and the events are long gone, then the last values bring the states back', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  await given.publish(eventOf('t', quota(1)));
  await given.publish(eventOf('t', quota(2, { limit: 123.5, resetAt: null })));
  await settled(given);
  const before = await given.hash('t');
  await given.jetstream.purge('QUOTAS', 'quota.updated');

  await given.redis.flushall();

  await eventually(async () => expect(await given.hash('t')).toEqual(before));
});

test('given Redis lost its last writes but not its marker, when it is back, then the last values repair it', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis({ durable: true });
  await using given = await startedMirror(natsServer, redisServer);
  await given.publish(eventOf('t', quota(2)));
  await settled(given);
  await given.redis.del('quota:tenant:t');

  await redisServer.kill();
  await redisServer.start();

  await eventually(async () => expect(await given.hash('t')).toMatchObject({ used: '2' }));
});

test('given the key had expired, when an older event comes, then the last value is not set back', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  await given.publish(eventOf('t', quota(9), { eventId: 'new' }));
  await settled(given);
  await given.redis.del('quota:tenant:t');

  await given.publish(eventOf('t', quota(1), { occurredAt: '2025-01-01T00:00:00Z' }));
  await settled(given);

  expect(await given.hash('t')).toMatchObject({ used: '9', event_id: 'new' });
  expect((await given.jetstream.streamInfo('QUOTA_LATEST')).lastSeq).toBe(1);
});

test.each(['killed', 'frozen'] as const)(
  'given Redis is %s while events come, when it is back, then all are applied and none is a dead letter',
  async (how) => {
    await using natsServer = await startNats();
    await using redisServer = await startRedis({ durable: true });
    await using given = await startedMirror(natsServer, redisServer, { MAX_DELIVERIES: '1' });
    await given.publish(eventOf('before', quota(1)));
    await settled(given);

    if (how === 'killed') await redisServer.kill();
    else redisServer.freeze();
    for (let n = 0; n < 20; n++) await given.publish(eventOf(`t${n}`, quota(n)));
    await eventually(() => expect(given.mirror.problems()).toHaveProperty('redis'));
    await given.publish(eventOf('last', quota(1)));
    if (how === 'killed') await redisServer.start();
    else redisServer.thaw();
    await settled(given);

    for (let n = 0; n < 20; n++) expect(await given.hash(`t${n}`)).toMatchObject({ used: `${n}` });
    expect(await given.hash('last')).toMatchObject({ used: '1' });
    expect((await given.jetstream.streamInfo('DEADLETTER')).messages).toBe(0);
    await eventually(() => expect(given.mirror.problems()).toEqual({}));
  },
);

test('given Redis is away while events come, then the lag grows with the oldest of them, and is gone when they are applied', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis({ durable: true });
  await using given = await startedMirror(natsServer, redisServer);
  const shown = async (name: string): Promise<number> =>
    Number(new RegExp(`^sluice_quota_mirror_${name} (.+)$`, 'm').exec(await given.metrics.metrics())?.[1]);
  await redisServer.kill();
  await eventually(() => expect(given.mirror.problems()).toHaveProperty('redis'));
  for (let n = 0; n < 3; n++) await given.publish(eventOf(`t${n}`, quota(n)));

  await eventually(async () => {
    expect((await shown('pending')) + (await shown('ack_pending'))).toBe(3);
    expect(await shown('lag_seconds')).toBeGreaterThan(0);
  });

  await redisServer.start();
  await settled(given);
  await eventually(async () => expect(await shown('lag_seconds')).toBe(0));
});

test('given Redis takes no writes while events come, when it does again, then each is counted once', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer, { MAX_DELIVERIES: '1' });
  const { manager } = await given.jetstream.raw();

  await given.redis.config('SET', 'maxmemory', '1');
  for (let n = 0; n < 5; n++) await given.publish(eventOf(`t${n}`, { usage: { total_tokens: 5 } }));
  await eventually(async () => (await manager.consumers.info('QUOTAS', 'quota-mirror')).num_redelivered > 0);
  await given.redis.config('SET', 'maxmemory', '0');

  await settled(given);
  for (let n = 0; n < 5; n++) expect(await given.redis.hget(`quota:usage:{t${n}}`, 'total_tokens')).toBe('5');
  expect((await given.jetstream.streamInfo('DEADLETTER')).messages).toBe(0);
});

test('given nats-server is killed and restarted, then the mirror goes on', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  await given.publish(eventOf('before', quota(1)));
  await eventually(async () => expect(await given.hash('before')).toMatchObject({ used: '1' }));

  await natsServer.kill();
  await eventually(() => expect(given.mirror.problems()).toHaveProperty('nats'));
  await natsServer.start();
  await eventually(() => given.publish(eventOf('after', quota(2))));

  await eventually(async () => expect(await given.hash('after')).toMatchObject({ used: '2' }));
  await settled(given);
  expect((await given.jetstream.streamInfo('QUOTA_LATEST')).messages).toBe(2);
});

test.each(['consumer', 'stream'] as const)(
  'given the %s is deleted, then it is made again and events are applied',
  async (what) => {
    await using natsServer = await startNats();
    await using redisServer = await startRedis();
    await using given = await startedMirror(natsServer, redisServer);
    const { manager } = await given.jetstream.raw();
    for (let n = 0; n < 5; n++) await given.publish(eventOf('t', quota(n)));
    await settled(given);

    if (what === 'consumer') await manager.consumers.delete('QUOTAS', 'quota-mirror');
    else await manager.streams.delete('QUOTAS');
    await eventually(async () => (await manager.consumers.info('QUOTAS', 'quota-mirror')).name !== '');
    await given.publish(eventOf('t', quota(42))); // in a new stream its sequence is 1, lower than the one before

    await eventually(async () => expect(await given.hash('t')).toMatchObject({ used: '42' }));
  },
);

test('given NATS and Redis come up after the mirror, then it begins by itself', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await natsServer.kill();
  await redisServer.kill();
  const starting = startedMirror(natsServer, redisServer);
  await redisServer.start();
  await natsServer.start();

  await using given = await starting;
  await given.publish(eventOf('t', quota(1)));

  await eventually(async () => expect(await given.hash('t')).toMatchObject({ used: '1' }));
});
