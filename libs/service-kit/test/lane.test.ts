import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { batchedRequest } from '@sluice/contracts';
import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { answerBatch, Bus, CheckFailed, Lane } from '../src/index.ts';

const double = batchedRequest({
  subject: 'test.v1.double',
  summary: 'Doubles a number.',
  owner: 'auth',
  askedBy: ['edge-proxy'],
  queue: 'double',
  timeoutMs: 250,
  check: z.object({ n: z.int() }),
  verdict: z.object({ outcome: z.enum(['allow', 'deny']), doubled: z.int() }),
  examples: [],
});
const open = (url: string, name: string) => Bus.open({ url, name, logger: silentLogger() });

test('given many checks of one turn, when asked, then each gets its own verdict and they travel together', async () => {
  await using nats = await startNats();
  const responder = open(nats.url, 'responder');
  const asker = open(nats.url, 'asker');
  let messages = 0;
  responder.answer(double, (request) => {
    messages += 1;
    return {
      v: 1 as const,
      results: request.checks.map(({ id, n }) => ({ id, outcome: 'allow' as const, doubled: 2 * n })),
    };
  });
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: true });

  const verdicts = await Promise.all(Array.from({ length: 100 }, (_, n) => lane.ask({ n })));

  expect(verdicts.map((verdict) => verdict.doubled)).toEqual(Array.from({ length: 100 }, (_, n) => 2 * n));
  expect(messages).toBe(2); // 100 checks, at most 64 in a message
  await asker.drain();
  await responder.drain();
});

test('given one check that cannot be decided, when it shares a message, then the others are unaffected', async () => {
  await using nats = await startNats();
  const responder = open(nats.url, 'responder');
  const asker = open(nats.url, 'asker');
  answerBatch(responder, double, silentLogger(), async ({ n }) => {
    if (n === 13) throw new CheckFailed('unlucky', 'no');
    return { outcome: 'allow' as const, doubled: 2 * n };
  });
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: true });

  const [good, bad] = await Promise.allSettled([lane.ask({ n: 1 }), lane.ask({ n: 13 })]);

  expect(good).toMatchObject({ status: 'fulfilled', value: { doubled: 2 } });
  expect(bad).toMatchObject({ status: 'rejected', reason: { kind: 'failed' } });
  await asker.drain();
  await responder.drain();
});

test('given nobody answers, when asked, then it fails as no-responders; given no bus, as disconnected', async () => {
  await using nats = await startNats();
  const asker = open(nats.url, 'asker');
  await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: true });

  await expect(lane.ask({ n: 1 })).rejects.toMatchObject({ kind: 'no-responders' });

  await nats.kill();
  await eventually(() => !asker.isConnected);
  await expect(lane.ask({ n: 1 })).rejects.toMatchObject({ kind: 'disconnected' });
  await asker.close();
});

test('given a responder that hangs, when asked again and again, then the breaker opens and closes after one answer', async () => {
  await using nats = await startNats();
  const responder = open(nats.url, 'responder');
  const asker = open(nats.url, 'asker');
  let hangs = true;
  responder.answer(double, (request) =>
    hangs
      ? new Promise(() => undefined)
      : {
          v: 1 as const,
          results: request.checks.map(({ id, n }) => ({ id, outcome: 'allow' as const, doubled: 2 * n })),
        },
  );
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: false });

  for (let i = 0; i < 5; i++) await expect(lane.ask({ n: i })).rejects.toMatchObject({ kind: 'timeout' });
  await expect(lane.ask({ n: 6 })).rejects.toMatchObject({ kind: 'open' });

  hangs = false;
  await eventually(async () => expect(await lane.ask({ n: 7 })).toMatchObject({ doubled: 14 }));
  await expect(lane.ask({ n: 8 })).resolves.toMatchObject({ doubled: 16 });
  await asker.close();
  await responder.close();
});

test('given an answer that came while the asker was busy beyond its time, when it looks up, then the answer counts', async () => {
  await using nats = await startNats();
  const responder = new Worker(new URL('./slow-responder.ts', import.meta.url), {
    workerData: { url: nats.url, subject: double.subject, delayMs: 100 },
  });
  await once(responder, 'message'); // it listens
  const asker = open(nats.url, 'asker');
  const connection = await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: false });

  const asked = lane.ask({ n: 21 });
  await connection.flush(); // the question is out
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * double.timeoutMs);

  await expect(asked).resolves.toMatchObject({ doubled: 42 });
  await asker.drain();
  await responder.terminate();
});

test('given an answer that breaks the contract, when it comes, then its checks fail as malformed', async () => {
  await using nats = await startNats();
  const responder = open(nats.url, 'responder');
  const asker = open(nats.url, 'asker');
  responder.answer(double, () => ({ v: 1 as const, results: [{ id: 1, outcome: 'maybe' }] }) as never);
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, double, { isIdempotent: true });

  await expect(lane.ask({ n: 1 })).rejects.toMatchObject({ kind: 'malformed' });
  await asker.close();
  await responder.close();
});
