import { Bus, JetStream } from '@sluice/service-kit';
import { Collector, eventually, type OtlpSpan, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { headers } from 'nats';
import { expect, test } from 'vitest';
import { ensureStreams } from '../src/ensure-streams.ts';
import { eventOf, quota } from './given.ts';
import { MirrorProcess } from './mirror-process.ts';

const CONSUMER = 5;
const hex = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
const publisherSpan = () => ({ traceId: hex(16), spanId: hex(8) });
type Publisher = ReturnType<typeof publisherSpan>;

/** NATS, Redis, a receiver of traces and a stream that waits for a mirror. */
const startWorld = async () => {
  const [nats, redis, collector] = await Promise.all([startNats(), startRedis(), Collector.start()]);
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await ensureStreams(jetstream, silentLogger(), { stream: 'QUOTAS', subject: 'quota.updated', replicas: 1 });
  const { client } = await jetstream.raw();
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
  return {
    spansOf: ({ traceId }: Publisher): readonly OtlpSpan[] =>
      collector.spans().filter((span) => span.traceId === traceId),
    spans: () => collector.spans(),
    mirror: (env: Record<string, string> = {}) =>
      new MirrorProcess(nats, redis, { ...tracing, ...env }).start(),
    publish: async (tenant: string, from: Publisher | undefined, flags = '01') => {
      const sent = headers();
      if (from !== undefined) sent.set('traceparent', `00-${from.traceId}-${from.spanId}-${flags}`);
      await client.publish('quota.updated', JSON.stringify(eventOf(tenant, quota(5))), { headers: sent });
    },
    [Symbol.asyncDispose]: async () => {
      await bus.close();
      for (const part of [collector, redis, nats]) await part[Symbol.asyncDispose]();
    },
  };
};

test('given publishers who record their traces, when the mirror applies their events, then each trace leads from publisher to Redis', async () => {
  await using world = await startWorld();
  const publishers = [publisherSpan(), publisherSpan(), publisherSpan()] as const;
  const silent = publisherSpan();
  for (const [n, publisher] of publishers.entries()) await world.publish(`t${n}`, publisher);
  await world.publish('t-silent', silent, '00');
  await world.publish('t-alone', undefined);
  await using mirror = world.mirror({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
  await mirror.ready;

  const redis = await eventually(() => {
    for (const publisher of publishers)
      expect(world.spansOf(publisher).filter(({ kind }) => kind === CONSUMER)).toHaveLength(1);
    const calls = world.spans().filter(({ name }) => name === 'EVALSHA apply_snapshots');
    expect(calls.length).toBeGreaterThan(0);
    return calls;
  });

  const batches = new Set(redis.map(({ parentId }) => parentId));
  for (const publisher of publishers) {
    const [process] = world.spansOf(publisher).filter(({ kind }) => kind === CONSUMER) as [OtlpSpan];
    expect(process.name).toBe('process quota.updated');
    expect(process.parentId).toBe(publisher.spanId);
    expect(process.attributes).toMatchObject({
      'messaging.system': 'nats',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'quota.updated',
      'messaging.consumer.group.name': 'quota-mirror',
    });
    // Either the call to Redis is in this very trace, or the span names the one in whose trace it is.
    const isBatch = batches.has(process.spanId);
    if (isBatch) expect(process.links).toContainEqual(publisher);
    else expect(process.links.map(({ spanId }) => batches.has(spanId))).toEqual([true]);
  }
  expect(redis[0]?.attributes).toMatchObject({ 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' });
  expect(world.spansOf(silent), 'its publisher decided not to record').toEqual([]);
  const known = new Set(publishers.map(({ traceId }) => traceId));
  expect(world.spans().filter(({ traceId }) => !known.has(traceId))).toEqual([]);
});

test('given publishers who decide nothing, when the lot falls on their batch, then it is a trace of its own', async () => {
  await using world = await startWorld();
  await using mirror = world.mirror();
  await mirror.ready;
  await world.publish('t', undefined);

  await eventually(() => expect(world.spans().length).toBeGreaterThanOrEqual(2));
  const [redis, process] = world.spans();
  expect([process?.name, redis?.name]).toEqual(['process quota.updated', 'EVALSHA apply_snapshots']);
  expect(process).toMatchObject({ parentId: '', links: [], kind: CONSUMER });
  expect(redis).toMatchObject({ parentId: process?.spanId, traceId: process?.traceId });
  expect(Object.keys(process?.attributes ?? {})).not.toContain('messaging.batch.message_count');
});
