import { quotaStatesRequested, STREAMS } from '@sluice/contracts';
import { createLogger } from '@sluice/service-kit';
import { eventually, startNats, startRedis } from '@sluice/testkit';
import { connect, DiscardPolicy } from 'nats';
import { expect, test } from 'vitest';
import type { createReport } from '../src/report.ts';
import { watchGaps } from '../src/watch-gaps.ts';
import { eventOf, quota, settled, startedMirror } from './given.ts';

test('given an outage that outlived the retention, when the mirror is back, then the gap is counted, once, the states are asked for, and the rest applied', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  {
    await using before = await startedMirror(natsServer, redisServer);
    await before.publish(eventOf('t', quota(1)));
    await settled(before);
  }
  const outside = await connect({ servers: natsServer.url });
  const manager = await outside.jetstreamManager();
  for (let n = 2; n <= 11; n++)
    await outside.jetstream().publish('quota.updated', JSON.stringify(eventOf('t', quota(n))));
  await manager.streams.purge('QUOTAS', { seq: 9 }); // as age does: 2 to 8 are gone
  const requests: unknown[] = [];
  outside.subscribe(quotaStatesRequested.subject, {
    callback: (_error, message) => requests.push(message.json()),
  });
  await outside.flush();

  await using given = await startedMirror(natsServer, redisServer);
  await settled(given);

  expect(await given.hash('t')).toMatchObject({ used: '11' });
  const said = await given.metrics.metrics();
  expect(said).toContain('sluice_quota_mirror_missed_total 7');
  await given.publish(eventOf('t', quota(12)));
  await settled(given);
  expect(await given.metrics.metrics()).toContain('sluice_quota_mirror_missed_total 7');
  await outside.flush();
  expect(requests).toMatchObject([{ payload: { missed: 7 } }]);
  await outside.close();
});

test('given the same gap at every look, then it is told once; a new one is told, too', () => {
  const told: number[] = [];
  const logger = createLogger({ service: 'test', instance: 'test', level: 'silent' });
  const requested: number[] = [];
  const look = watchGaps(
    { missed: (n: number) => told.push(n) } as unknown as ReturnType<typeof createReport>,
    logger,
    (n) => requested.push(n),
  );

  for (const missed of [0, 7, 7, 9, 0, 0, 3]) look({ missed });

  expect(told).toEqual([7, 2, 3]);
  expect(requested).toEqual([7, 2, 3]);
});

test.each([
  ['os', {}, 'durability="os",replicas="1"'],
  ['always', { NATS_SYNC: 'always' }, 'durability="disk",replicas="1"'],
])(
  'given servers set to sync %s, then the mirror exports what an acknowledgement is worth',
  async (_sync, env, labels) => {
    await using natsServer = await startNats();
    await using redisServer = await startRedis();
    await using given = await startedMirror(natsServer, redisServer, env);

    expect(await given.metrics.metrics()).toContain(`sluice_quota_mirror_durability{${labels}} 1`);
  },
);

test('given no room for last values, then no event is acked; when there is room again, all are kept', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  const outside = await connect({ servers: natsServer.url });
  const manager = await outside.jetstreamManager();
  const full = { max_bytes: 2000, discard: DiscardPolicy.New, max_msgs_per_subject: 1, allow_direct: true };
  await manager.streams.add({ name: 'QUOTA_LATEST', subjects: ['quota.updated.*'], ...full });
  await using given = await startedMirror(natsServer, redisServer);

  for (let n = 0; n < 20; n++) await given.publish(eventOf(`t${n}`, quota(n)));
  await eventually(async () => expect(await given.hash('t19')).toMatchObject({ used: '19' }));
  // It has tried: some of them are in, and the rest was refused.
  await eventually(async () => (await given.jetstream.streamInfo('QUOTA_LATEST')).messages > 0);
  const { num_ack_pending: held } = await manager.consumers.info('QUOTAS', 'quota-mirror');
  expect(held).toBeGreaterThan(0);
  await manager.streams.update('QUOTA_LATEST', { max_bytes: 10_000_000 });

  await settled(given);
  expect((await given.jetstream.streamInfo('QUOTA_LATEST')).messages).toBe(20);
  expect((await given.jetstream.streamInfo('DEADLETTER')).messages).toBe(0);
  await outside.close();
});

test('given a full stream of events that forgets nothing, then its publisher is told and nothing of the event is seen', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  const outside = await connect({ servers: natsServer.url });
  const manager = await outside.jetstreamManager();
  await given.publish(eventOf('t', quota(1)));
  await settled(given);
  await manager.streams.update(STREAMS.QUOTAS.name, { max_bytes: 1000, discard: DiscardPolicy.New });

  await expect(
    given.publish(eventOf('t', quota(2), { correlationId: 'x'.repeat(2000) })),
  ).rejects.toMatchObject({ api_error: { err_code: 10_077 } });

  await given.redis.ping();
  expect(await given.hash('t')).toMatchObject({ used: '1' });
  await outside.close();
});
