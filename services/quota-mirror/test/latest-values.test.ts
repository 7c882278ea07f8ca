import { Bus, connectRedis, type Delivery, JetStream } from '@sluice/service-kit';
import { eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { decodeEvent, type SnapshotEvent } from '../src/decode-event.ts';
import { ensureStreams } from '../src/ensure-streams.ts';
import { keysOf } from '../src/keys.ts';
import { LatestValues } from '../src/latest-values.ts';
import { eventOf, quota } from './given.ts';

const stateOf = (tenant: string): SnapshotEvent => {
  const data = Buffer.from(JSON.stringify(eventOf(tenant, quota(1))));
  const decoded = decodeEvent(data, { seq: 1, timeMicros: Date.now() * 1000, streamCreatedMs: 1 });
  if (decoded.outcome !== 'event' || decoded.event.kind !== 'snapshot') throw new Error('no state');
  return decoded.event;
};

/** What a flush does to a delivery. */
const deliveryInto = (settled: string[], name: string): Delivery => ({
  ...{
    data: new Uint8Array(),
    subject: '',
    stream: '',
    streamCreatedMs: 0,
    seq: 1,
    timeMs: 0,
    timeMicros: 0,
  },
  ...{ deliveryCount: 1, header: () => undefined, headers: () => ({}), term: () => undefined },
  ack: () => settled.push(`${name} acked`),
  nak: () => settled.push(`${name} handed back`),
});

test('given an event that comes while a slow flush is under way, then the flush after it stores and acks it', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  const logger = silentLogger();
  const bus = Bus.open({ url: natsServer.url, name: 'test', logger });
  const redis = await connectRedis({ url: redisServer.url, name: 'test', commandTimeoutMs: 1000, logger });
  const jetstream = new JetStream(bus);
  await ensureStreams(jetstream, logger, { stream: 'QUOTAS', subject: 'quota.updated', replicas: 1 });
  const latest = new LatestValues({ redis, keys: keysOf('quota:tenant:') }, jetstream, logger);
  const settled: string[] = [];
  const reached = (ms: number) => eventually(() => performance.now() >= ms);

  const begun = performance.now();
  natsServer.freeze();
  latest.mark(stateOf('first'), deliveryInto(settled, 'first'));
  await reached(begun + 250); // the flush of every 200 ms waits for the server
  latest.mark(stateOf('second'), deliveryInto(settled, 'second'));
  await reached(begun + 600); // the next is due and finds it under way
  natsServer.thaw();

  await eventually(() => expect(settled).toEqual(['first acked', 'second acked']));
  expect((await jetstream.streamInfo('QUOTA_LATEST')).messages).toBe(2);
  redis.disconnect();
  await bus.close();
});
