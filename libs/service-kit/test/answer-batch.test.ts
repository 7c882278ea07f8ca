import { eventually, silentLogger, startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { answerBatch, Bus, CheckFailed, createLogger, Lane } from '../src/index.ts';
import { double } from './double.ts';

const CANARY = 'c4n4ry';

test('given a storm of failed checks, then the log has a line a second and code at most, counts all, and shows no data', async () => {
  await using nats = await startNats();
  const lines: { code: string; problem: string; leftOut: number; subject: string }[] = [];
  const logger = createLogger(
    { service: 'test', instance: 'test', level: 'warn' },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  const responder = Bus.open({ url: nats.url, name: 'responder', logger: silentLogger() });
  const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  const contract = double('test.v1.double');
  answerBatch(responder, contract, logger, ({ n }) => {
    const cause = Object.assign(new Error('ECONNRESET'), { command: { args: [CANARY] } });
    return Promise.reject(
      n % 2 === 0
        ? new CheckFailed('store_unavailable', 'redis is away', cause)
        : Object.assign(new TypeError('no such field'), { token: CANARY }),
    );
  });
  await (await responder.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, contract, { isIdempotent: true });
  const startedAt = performance.now();

  const outcomes = await Promise.allSettled(Array.from({ length: 400 }, (_, n) => lane.ask({ n })));

  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  const counted = (code: string) =>
    lines.filter((line) => line.code === code).reduce((sum, { leftOut }) => sum + 1 + leftOut, 0);
  await eventually(() => expect([counted('store_unavailable'), counted('internal')]).toEqual([200, 200]));
  const seconds = (performance.now() - startedAt) / 1000;
  expect(lines.length).toBeLessThanOrEqual(2 * (Math.ceil(seconds) + 1));
  expect(lines[0]).toMatchObject({ subject: 'test.v1.double', leftOut: 0 });
  expect(lines.find(({ code }) => code === 'store_unavailable')?.problem).toBe('CheckFailed: redis is away');
  expect(lines.find(({ code }) => code === 'internal')?.problem).toBe('TypeError: no such field');
  expect(JSON.stringify(lines)).not.toContain(CANARY);
  await asker.close();
  await responder.close();
});
