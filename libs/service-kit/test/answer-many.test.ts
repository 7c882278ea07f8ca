import { silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { answerBatch, Bus, CheckFailed, type Deciders, Lane } from '../src/index.ts';
import { double } from './double.ts';

const contract = double('test.v1.double');
type Double = Deciders<(typeof contract)['check']['shape'], (typeof contract)['verdict']['shape']>;
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Asks for the doubles of 0 to 3 in one message, the last of them traced. */
const askFour = async (deciders: Double) => {
  await using nats = await startNats();
  const responder = Bus.open({ url: nats.url, name: 'responder', logger: silentLogger() });
  const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  answerBatch(responder, contract, silentLogger(), deciders);
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, { ...contract, timeoutMs: 5000 }, { isIdempotent: false });
  const answers = await Promise.allSettled(
    [0, 1, 2, 3].map((n) => lane.ask({ n }, n === 3 ? TRACEPARENT : undefined)),
  );
  await asker.close();
  await responder.close();
  return answers;
};

const doubled = (n: number) => ({ outcome: 'allow' as const, doubled: 2 * n });
const alone: Double['one'] = async ({ n }) => doubled(n + 100);

test('given a way to decide many checks, then all of a message without a trace go there at once, and each gets its own answer', async () => {
  const asked: number[][] = [];

  const answers = await askFour({
    one: alone,
    many: async (checks) => {
      asked.push(checks.map(({ n }) => n));
      return checks.map(({ n }) => (n === 1 ? new CheckFailed('store_unavailable', 'away') : doubled(n)));
    },
  });

  expect(asked).toEqual([[0, 1, 2]]);
  expect(answers).toMatchObject([
    { value: { doubled: 0 } },
    { reason: { kind: 'failed', message: expect.stringContaining('store_unavailable') } },
    { value: { doubled: 4 } },
    { value: { doubled: 206 } },
  ]);
});

test.each([
  ['fails', () => Promise.reject(new CheckFailed('store_unavailable', 'away')), 'store_unavailable'],
  ['has too few verdicts', () => Promise.resolve([]), 'internal'],
])(
  'given the way for many %s, then all its checks say so and the traced one is answered',
  async (_what, many, code) => {
    const answers = await askFour({ one: alone, many });

    const failed = { reason: { kind: 'failed', message: expect.stringContaining(code) } };
    expect(answers).toMatchObject([failed, failed, failed, { value: { doubled: 206 } }]);
  },
);
