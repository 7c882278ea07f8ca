import { STREAMS } from '@sluice/contracts';
import { eventually, type ServerProcess, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { Bus, type ConsumeOptions, consumeBatches, type Delivery, JetStream } from '../src/index.ts';

const text = (data: Uint8Array): string => new TextDecoder().decode(data);

const given = async (nats: ServerProcess) => {
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream(STREAMS.QUOTAS);
  return { bus, jetstream };
};

const options = (more: Partial<ConsumeOptions> & Pick<ConsumeOptions, 'onBatch'>): ConsumeOptions => ({
  stream: 'QUOTAS',
  durable: 'reader',
  filter: 'quota.updated',
  ackWaitMs: 1000,
  maxAckPending: 1000,
  maxBatch: 100,
  logger: silentLogger(),
  ...more,
});

test('given messages that wait, when consumed, then they come in order, in batches up to the bound, and are settled', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  for (let n = 0; n < 250; n++) await jetstream.append('quota.updated', `${n}`);
  const seen: string[] = [];
  let largest = 0;
  const consumer = consumeBatches(
    jetstream,
    options({
      maxBatch: 64,
      onBatch: async (batch) => {
        largest = Math.max(largest, batch.length);
        for (const delivery of batch) {
          seen.push(text(delivery.data));
          delivery.ack();
        }
      },
    }),
  );

  await eventually(() => expect(seen).toHaveLength(250));

  expect(seen).toEqual(Array.from({ length: 250 }, (_, n) => `${n}`));
  expect(largest).toBeGreaterThan(1);
  expect(largest).toBeLessThanOrEqual(64);
  await eventually(async () =>
    expect(await consumer.progress()).toMatchObject({ pending: 0, ackPending: 0, lagMs: 0, missed: 0 }),
  );
  await consumer.stop();
  await bus.drain();
});

test('given a delivery, then it tells its place and instant exactly and keeps its headers', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  const createdMs = (await jetstream.streamInfo('QUOTAS')).createdMs;
  await jetstream.append('quota.updated', 'x', { headers: { 'X-Trace': 'abc' } });
  const stored = await (await jetstream.raw()).manager.streams.getMessage('QUOTAS', { seq: 1 });
  const seen: Delivery[] = [];
  const consumer = consumeBatches(jetstream, options({ onBatch: async (batch) => void seen.push(...batch) }));

  await eventually(() => expect(seen.length).toBeGreaterThan(0));

  const [first] = seen;
  expect(first).toMatchObject({
    stream: 'QUOTAS',
    subject: 'quota.updated',
    seq: 1,
    streamCreatedMs: createdMs,
  });
  expect(first?.deliveryCount).toBe(1);
  expect(first?.header('X-Trace')).toBe('abc');
  expect(first?.header('X-Other')).toBeUndefined();
  expect(first?.headers()).toEqual({ 'X-Trace': 'abc' });
  const fraction = /\.(\d+)Z/.exec(stored.timestamp)?.[1]?.padEnd(9, '0') ?? '';
  expect((first?.timeMicros ?? 0) % 1_000_000).toBe(Number(fraction.slice(0, 6)));
  expect(first?.timeMs).toBe(stored.time.getTime());
  await consumer.stop();
  await bus.drain();
});

test('given a batch that fails or is handed back, then its messages come again until they are acked', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  for (const body of ['a', 'b', 'c']) await jetstream.append('quota.updated', body);
  const acked: string[] = [];
  let calls = 0;
  const consumer = consumeBatches(
    jetstream,
    options({
      onBatch: async (batch) => {
        calls += 1;
        if (calls === 1) throw new Error('not now');
        for (const delivery of batch) {
          if (text(delivery.data) === 'b' && delivery.deliveryCount < 4) delivery.nak(10);
          else {
            acked.push(text(delivery.data));
            delivery.ack();
          }
        }
      },
    }),
  );

  await eventually(() => expect(acked.sort()).toEqual(['a', 'b', 'c']));

  expect(consumer.counters.redelivered).toBeGreaterThan(0);
  await consumer.stop();
  await bus.drain();
});

test('given a message that is terminated, then it never comes again', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  await jetstream.append('quota.updated', 'poison');
  let deliveries = 0;
  const consumer = consumeBatches(
    jetstream,
    options({
      ackWaitMs: 200,
      onBatch: async (batch) => {
        for (const delivery of batch) {
          deliveries += 1;
          delivery.term();
        }
      },
    }),
  );

  await eventually(async () => expect((await consumer.progress()).ackPending).toBe(0));
  await jetstream.append('quota.updated', 'next');
  await eventually(async () =>
    expect(await consumer.progress()).toMatchObject({ pending: 0, ackPending: 0 }),
  );

  expect(deliveries).toBe(2);
  await consumer.stop();
  await bus.drain();
});

test.each(['consumer', 'stream'] as const)(
  'given the %s is deleted while it is read, then it is made again and reading goes on',
  async (what) => {
    await using nats = await startNats();
    const { bus, jetstream } = await given(nats);
    const { manager } = await jetstream.raw();
    const seen: { body: string; created: number }[] = [];
    const consumer = consumeBatches(
      jetstream,
      options({
        beforeOpen: async () => void (await jetstream.ensureStream(STREAMS.QUOTAS)),
        onBatch: async (batch) => {
          for (const delivery of batch) {
            seen.push({ body: text(delivery.data), created: delivery.streamCreatedMs });
            delivery.ack();
          }
        },
      }),
    );
    await jetstream.append('quota.updated', 'before');
    await eventually(() => expect(seen.map((s) => s.body)).toContain('before'));

    if (what === 'consumer') await manager.consumers.delete('QUOTAS', 'reader');
    else await manager.streams.delete('QUOTAS');
    await eventually(() => consumer.counters.reopened > 0);
    await eventually(() => jetstream.append('quota.updated', 'after'));

    await eventually(() => expect(seen.map((s) => s.body)).toContain('after'));
    const [before, after] = [seen[0]?.created ?? 0, seen.at(-1)?.created ?? 0];
    if (what === 'stream') expect(after).toBeGreaterThan(before);
    else expect(after).toBe(before);
    await consumer.stop();
    await bus.drain();
  },
);

test('given the server is killed and restarted, when messages come, then reading goes on', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  const seen = new Set<string>();
  const consumer = consumeBatches(
    jetstream,
    options({
      onBatch: async (batch) => {
        for (const delivery of batch) {
          seen.add(text(delivery.data));
          delivery.ack();
        }
      },
    }),
  );
  await jetstream.append('quota.updated', 'before');
  await eventually(() => seen.has('before'));

  await nats.kill();
  await nats.start();
  await eventually(() => jetstream.append('quota.updated', 'after', { timeoutMs: 500 }));

  await eventually(() => seen.has('after'));
  await consumer.stop();
  await bus.drain();
});

test('given it is paused, then nothing is pulled and what was in hand goes back; resumed, it comes', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  const seen: string[] = [];
  const consumer = consumeBatches(
    jetstream,
    options({
      paused: true,
      onBatch: async (batch) => {
        for (const delivery of batch) {
          seen.push(text(delivery.data));
          delivery.ack();
        }
      },
    }),
  );
  await jetstream.append('quota.updated', 'first');
  expect(consumer.state).toBe('paused');
  expect(seen).toEqual([]);

  consumer.resume();
  await eventually(() => expect(seen).toEqual(['first']));
  expect(consumer.state).toBe('open');
  consumer.pause();
  await jetstream.append('quota.updated', 'second');
  expect(consumer.state).toBe('paused');
  consumer.resume();

  await eventually(() => expect(seen).toEqual(['first', 'second']));
  await consumer.stop();
  await bus.drain();
});

test('given it is stopped under load, then every message it was handed is worked on before stop returns', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  for (let n = 0; n < 200; n++) await jetstream.append('quota.updated', `${n}`);
  let settled = 0;
  const consumer = consumeBatches(
    jetstream,
    options({
      maxBatch: 20,
      onBatch: async (batch) => {
        await new Promise((done) => setImmediate(done));
        for (const delivery of batch) delivery.ack();
        settled += batch.length;
      },
    }),
  );
  await eventually(() => settled > 0);

  await consumer.stop();

  expect(settled).toBe(consumer.counters.delivered);
  expect(consumer.state).toBe('stopped');
  await bus.drain();
});

test('given a durable with other limits, when consumed, then it is brought to these; a push consumer is refused', async () => {
  await using nats = await startNats();
  const { bus, jetstream } = await given(nats);
  const { manager } = await jetstream.raw();
  await manager.consumers.add('QUOTAS', {
    durable_name: 'reader',
    ack_policy: 'explicit' as never,
    max_deliver: 5,
  });
  await manager.consumers.add('QUOTAS', {
    durable_name: 'pusher',
    deliver_subject: 'x',
    ack_policy: 'none' as never,
  });
  const consumer = consumeBatches(jetstream, options({ onBatch: async () => undefined }));
  const refused = consumeBatches(jetstream, options({ durable: 'pusher', onBatch: async () => undefined }));

  await eventually(() => consumer.state === 'open');

  const { config } = await manager.consumers.info('QUOTAS', 'reader');
  expect(config).toMatchObject({ max_deliver: -1, max_ack_pending: 1000, filter_subject: 'quota.updated' });
  expect(refused.state).toBe('opening');
  await consumer.stop();
  await refused.stop();
  await bus.drain();
});
