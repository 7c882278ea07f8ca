import { STREAMS } from '@sluice/contracts';
import { silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { Bus, JetStream, readStream } from '../src/index.ts';

test('given a stream, when it is read, then every message comes once, in order, and an empty one ends at once', async () => {
  await using nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream(STREAMS.QUOTAS);
  await jetstream.ensureStream(STREAMS.QUOTA_LATEST);
  for (let n = 0; n < 1203; n++) await jetstream.append('quota.updated', `${n}`);
  const seen: string[] = [];

  const read = await readStream(jetstream, 'QUOTAS', async (page) => {
    seen.push(...page.map((delivery) => new TextDecoder().decode(delivery.data)));
  });

  expect(read).toBe(1203);
  expect(seen).toEqual(Array.from({ length: 1203 }, (_, n) => `${n}`));
  expect(await readStream(jetstream, 'QUOTA_LATEST', async () => undefined)).toBe(0);
  await bus.drain();
});

test('given messages that come as fast as they are read, then it ends with those that were there', async () => {
  await using nats = await startNats();
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  await jetstream.ensureStream(STREAMS.QUOTAS);
  for (let n = 0; n < 3; n++) await jetstream.append('quota.updated', `${n}`);
  let more = 0;

  const read = await readStream(jetstream, 'QUOTAS', async (page) => {
    for (const _one of page) if (more < 20) await jetstream.append('quota.updated', `more ${more++}`);
  });

  expect(read).toBe(3);
  await bus.close();
});
