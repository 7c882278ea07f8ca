import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { answerBatch, Bus, createMetrics, Lane, observeBus } from '../src/index.ts';
import { double } from './double.ts';

test('given a process with its hands full, then the next question is turned away at once, and told; when they are free, it answers', async () => {
  await using nats = await startNats();
  const logger = silentLogger();
  const responder = Bus.open({ url: nats.url, name: 'responder', logger, maxInHand: 2 });
  const metrics = createMetrics('test', '0');
  observeBus(metrics, responder);
  const asker = Bus.open({ url: nats.url, name: 'asker', logger });
  const contract = double('test.v1.held', 60_000);
  const held = Promise.withResolvers<void>();
  answerBatch(responder, contract, logger, async ({ n }) => {
    await held.promise;
    return { outcome: 'allow' as const, doubled: 2 * n };
  });
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, contract, { isIdempotent: true });

  const first = lane.ask({ n: 1 });
  await eventually(() => expect(responder.work.count).toBe(1));
  const second = lane.ask({ n: 2 });
  await eventually(() => expect(responder.work.count).toBe(2));
  await expect(lane.ask({ n: 3 })).rejects.toMatchObject({ kind: 'no-responders' });
  const full = await metrics.metrics();
  held.resolve();

  expect(await first).toMatchObject({ doubled: 2 });
  expect(await second).toMatchObject({ doubled: 4 });
  expect(await lane.ask({ n: 4 })).toMatchObject({ doubled: 8 });
  expect(full).toMatch(/^sluice_bus_questions_in_hand 2$/m);
  expect(full).toMatch(/^sluice_bus_questions_turned_away 1$/m);
  await eventually(() => expect(responder.work.count).toBe(0));
  await Promise.all([asker.close(), responder.close()]);
});
