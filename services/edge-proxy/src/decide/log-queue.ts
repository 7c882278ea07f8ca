import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueSettings, SinkEntry } from '@sluice/plugins';
import type { Logger } from '@sluice/service-kit';

/** Brings one batch to its receiver; rejects when that did not work. */
export type Deliver = (entries: readonly SinkEntry[], signal: AbortSignal) => Promise<void>;

/** Batches under way at the same time where a configuration sets no bound. */
const MAX_CONCURRENT = 64;

/**
 * Log records on their way to one receiver: bounded, in batches, tried again with doubling delays. Requests never
 * wait for it; when it is full the oldest record goes.
 */
export class LogQueue {
  readonly #deliver: Deliver;
  readonly #settings: QueueSettings;
  readonly #logger: Logger;
  readonly #onLost: (records: number) => void;
  readonly #waiting: SinkEntry[] = [];
  readonly #stopped = new AbortController();
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #running = 0;
  #dropped = 0;
  #isClosing = false;
  #onIdle: (() => void) | undefined;

  /** `onLost` hears of records that never reach the receiver. */
  constructor(
    deliver: Deliver,
    settings: QueueSettings,
    logger: Logger,
    onLost: (records: number) => void = () => undefined,
  ) {
    this.#deliver = deliver;
    this.#settings = settings;
    this.#logger = logger;
    this.#onLost = onLost;
  }

  push(line: SinkEntry): void {
    const { maxEntries, maxBytes } = this.#settings;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    while (this.#waiting.length > maxEntries || (maxBytes !== null && this.#waitingBytes > maxBytes))
      this.#dropOldest();
    this.#schedule();
  }

  /** Sends what waits, for so long at most; what is left then is lost and counted in the log. */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    this.#schedule();
    if (this.#running > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await Promise.race([idle, sleep(withinMs, undefined, { ref: false })]);
    }
    clearTimeout(this.#timer);
    this.#stopped.abort();
    if (this.#waiting.length > 0) {
      this.#logger.warn({ records: this.#waiting.length }, 'log records lost at shutdown');
      this.#onLost(this.#waiting.length);
    }
    this.#waiting.length = 0;
  }

  #dropOldest(): void {
    this.#waitingBytes -= this.#waiting.shift()?.length ?? 0;
    if (this.#dropped === 0) this.#logger.warn('log queue is full, the oldest records are dropped');
    this.#dropped += 1;
    this.#onLost(1);
  }

  #schedule(): void {
    const { maxBatchSize, maxCoalescingDelay, concurrencyLimit } = this.#settings;
    const mayRun = concurrencyLimit === -1 ? MAX_CONCURRENT : concurrencyLimit;
    while (
      this.#running < mayRun &&
      this.#waiting.length > 0 &&
      (this.#isClosing || this.#waiting.length >= maxBatchSize)
    )
      this.#start();
    if (this.#waiting.length === 0 || this.#running >= mayRun || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.length > 0 && this.#running < mayRun) this.#start();
    }, maxCoalescingDelay * 1000).unref();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting.splice(0, this.#settings.maxBatchSize);
    for (const line of batch) this.#waitingBytes -= line.length;
    this.#running += 1;
    void this.#send(batch).finally(() => {
      this.#running -= 1;
      this.#schedule();
      if (this.#running === 0 && this.#waiting.length === 0) this.#onIdle?.();
    });
  }

  async #send(batch: readonly SinkEntry[]): Promise<void> {
    const { initialRetryDelay, maxRetryDelay, maxRetryTime } = this.#settings;
    const { signal } = this.#stopped;
    const startedAt = performance.now();
    let delaySeconds = initialRetryDelay;
    for (;;) {
      try {
        await this.#deliver(batch, signal);
        if (this.#dropped > 0) this.#logger.warn({ records: this.#dropped }, 'log records were dropped');
        this.#dropped = 0;
        return;
      } catch (error) {
        const triedSeconds = (performance.now() - startedAt) / 1000;
        if (signal.aborted || triedSeconds + delaySeconds > maxRetryTime) {
          const problem = (error as Error).message;
          this.#logger.warn({ records: batch.length, problem }, 'log records could not be delivered');
          this.#onLost(batch.length);
          return;
        }
      }
      await sleep(delaySeconds * 1000, undefined, { signal, ref: false }).catch(() => undefined);
      delaySeconds = Math.min(delaySeconds * 2, maxRetryDelay);
    }
  }
}
