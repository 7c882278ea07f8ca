import type { QueueSettings, SinkEntry } from '@sluice/plugins';
import { eventually, silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { LogQueue } from '../../src/decide/log-queue.ts';

const SETTINGS: QueueSettings = {
  maxBatchSize: 1,
  maxCoalescingDelay: 0.01,
  maxEntries: 100,
  maxBytes: null,
  initialRetryDelay: 0.001,
  maxRetryDelay: 0.002,
  maxRetryTime: 60,
  concurrencyLimit: 1,
};

/** A receiver that takes batches only while its gate is open. */
const gated = () => {
  const taken: SinkEntry[][] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const deliver = async (lines: readonly SinkEntry[]): Promise<void> => {
    await gate;
    taken.push([...lines]);
  };
  return { taken, open, deliver };
};

test('given a receiver that waits, when more records come than may wait, then the oldest are gone', async () => {
  const { taken, open, deliver } = gated();
  let lost = 0;
  const queue = new LogQueue(deliver, { ...SETTINGS, maxEntries: 2 }, silentLogger(), (records) => {
    lost += records;
  });
  for (const line of ['1', '2', '3', '4', '5']) queue.push(line);
  expect(lost).toBe(2);
  open();
  await eventually(() => expect(taken).toEqual([['1'], ['4'], ['5']])); // the first was under way already
});

test('given a bound in bytes, when it is passed, then the oldest make room', async () => {
  const { taken, open, deliver } = gated();
  const queue = new LogQueue(deliver, { ...SETTINGS, maxBytes: 6 }, silentLogger());
  for (const line of ['11', '222', '333', '444']) queue.push(line);
  open();
  await eventually(() => expect(taken).toEqual([['11'], ['333'], ['444']]));
});

test('given a batch size, when it is not reached, then what waits goes after the delay', async () => {
  const { taken, open, deliver } = gated();
  open();
  const queue = new LogQueue(deliver, { ...SETTINGS, maxBatchSize: 3 }, silentLogger());
  for (const line of ['1', '2', '3', '4']) queue.push(line);
  await eventually(() => expect(taken).toEqual([['1', '2', '3'], ['4']]));
});

test('given no bound on concurrency, when one batch hangs, then the next goes beside it', async () => {
  const started: SinkEntry[] = [];
  const deliver = async ([line = '']: readonly SinkEntry[]): Promise<void> => {
    started.push(line);
    if (line === '1') await new Promise(() => undefined);
  };
  const queue = new LogQueue(deliver, { ...SETTINGS, concurrencyLimit: -1 }, silentLogger());
  queue.push('1');
  queue.push('2');
  await eventually(() => expect(started).toEqual(['1', '2']));
});

test('given a receiver that fails for good, when the retry time is over, then the next batch has its turn', async () => {
  const tries: SinkEntry[] = [];
  const deliver = async ([line = '']: readonly SinkEntry[]): Promise<void> => {
    tries.push(line);
    if (line === '1') throw new Error('refused');
  };
  const queue = new LogQueue(deliver, { ...SETTINGS, maxRetryTime: 0.3 }, silentLogger());
  queue.push('1');
  queue.push('2');
  await eventually(() => expect(tries.at(-1)).toBe('2'));
  expect(tries.filter((line) => line === '1').length).toBeGreaterThan(1);
});

test('given a receiver that never answers, when the queue closes, then it is over within the bound', async () => {
  let aborted = false;
  const deliver = (_lines: readonly SinkEntry[], signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(new Error('stopped'));
      });
    });
  const queue = new LogQueue(deliver, SETTINGS, silentLogger());
  queue.push('1');
  await queue.close(20);
  expect(aborted).toBe(true);
});
