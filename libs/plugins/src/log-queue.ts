import type { z } from 'zod';
import { between, choice, decimal, integer, record, text, unset } from './fields.ts';
import type { QueueSettings } from './log-sink.ts';

const MAX = 1_000_000;
const MAX_TIMEOUT_MS = 2_147_483_646; // Kong's
const within = (low: number, high: number) => {
  const message = `value should be between ${low} and ${high}`;
  return decimal().min(low, message).max(high, message);
};

/** Kong's queue settings (kong-compat 4.17); times in seconds. */
export const queueConfig = record({
  max_batch_size: between(1, MAX).default(1).describe('Records sent together.'),
  max_coalescing_delay: within(0, 3600).default(1).describe('Longest wait for a full batch, in seconds.'),
  max_entries: between(1, MAX).default(10_000).describe('Records that may wait; the oldest is dropped.'),
  max_bytes: unset(integer()).describe('Bytes that may wait; unset: not bounded.'),
  initial_retry_delay: within(0.001, MAX).default(0.01).describe('Wait before the second try, in seconds.'),
  max_retry_time: decimal().default(60).describe('A batch is given up after so many seconds.'),
  max_retry_delay: within(0.001, MAX).default(60).describe('Longest wait between tries, in seconds.'),
  concurrency_limit: integer()
    .refine((limit) => limit === 1 || limit === -1, 'expected one of: 1, -1')
    .default(1)
    .describe('Batches sent at the same time: 1, or -1 for any number.'),
}).prefault({});

/** The queue of a checked configuration. */
export const queueOf = (config: z.output<typeof queueConfig>): QueueSettings => ({
  maxBatchSize: config.max_batch_size,
  maxCoalescingDelay: config.max_coalescing_delay,
  maxEntries: config.max_entries,
  maxBytes: config.max_bytes,
  initialRetryDelay: config.initial_retry_delay,
  maxRetryDelay: config.max_retry_delay,
  maxRetryTime: config.max_retry_time,
  concurrencyLimit: config.concurrency_limit,
});

/** For sinks whose queue Kong does not let one configure: many records at once, soon. */
export const LINE_QUEUE: QueueSettings = {
  ...queueOf(queueConfig.parse({})),
  maxBatchSize: 500,
  maxCoalescingDelay: 0.1,
};

/** How long the three steps of sending a batch may take. */
export const sendTimeouts = (connectMs: number) => {
  const timeout = (byDefault: number, what: string) =>
    between(0, MAX_TIMEOUT_MS).default(byDefault).describe(what);
  return {
    connect_timeout: timeout(connectMs, 'Longest wait for a connection, in ms.'),
    send_timeout: timeout(5000, 'Longest wait while sending, in ms.'),
    read_timeout: timeout(5000, 'Longest wait for the answer, in ms.'),
  };
};

/** Fields that network sinks share. */
export const networkFields = (timeoutMs: number) => ({
  host: text().min(1, 'length must be at least 1').describe('Name or address of the receiver.'),
  port: between(0, 65_535).describe('Port of the receiver.'),
  timeout: decimal().default(timeoutMs).describe('Longest wait for the receiver, in ms.'),
});

/** `content_type` of http-log. */
export const jsonTypes = () => choice(['application/json', 'application/json; charset=utf-8']);
