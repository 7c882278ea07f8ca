import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStream, type Logger, readStream } from '@sluice/service-kit';
import { FINISH_REBUILD, RENEW_LOCK } from './apply.lua.ts';
import { applyEvents, UNSETTLED } from './apply-events.ts';
import { decodeEvent, type QuotaEvent } from './decode-event.ts';
import type { Store } from './keys.ts';
import { latestEvent } from './latest-values.ts';
import { runScript } from './run-script.ts';

const LOOK_EVERY_MS = 1000;
/** While the streams or Redis are not there yet: the process is ready only when Redis is known to be complete. */
const LOOK_FIRST_MS = 50;
/** A page takes far less; when the process that rebuilds dies, another begins after this. */
const LOCK_LIFE_MS = 5000;
/** A fail-over can lose the last writes and keep the marker: the last values are compared so often. */
const RECONCILE_EVERY_MS = 600_000;

export interface RebuildOptions {
  readonly store: Store;
  readonly jetstream: JetStream;
  readonly stream: string;
  readonly logger: Logger;
  /** Creation of the stream in Unix ms, the marker's value; undefined while it is not known. */
  readonly epoch: () => number | undefined;
  readonly isRedisThere: () => boolean;
}

/**
 * Watches over Redis having everything. The marker in it says so; when the marker is missing Redis was emptied, and
 * one process, chosen by a lock, replays the last values and then the events through the same scripts that live
 * events take. Live events go on meanwhile.
 */
export class Rebuilder {
  readonly #options: RebuildOptions;
  readonly #token = crypto.randomUUID();
  readonly #stop = new AbortController();
  #isLoaded = false;
  #reconciledAt = performance.now();
  readonly counters = { rebuilds: 0, reconciliations: 0 };

  constructor(options: RebuildOptions) {
    this.#options = options;
    void this.#watch();
  }

  /** Redis held everything when it was last looked at. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Redis was away and may have lost its last writes: the next look compares the last values. */
  redisCameBack(): void {
    this.#reconciledAt = Number.NEGATIVE_INFINITY;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { logger, epoch, isRedisThere } = this.#options;
    while (!this.#stop.signal.aborted) {
      const value = epoch();
      const canLook = value !== undefined && isRedisThere();
      if (canLook)
        await this.#look(value).catch((error: unknown) => {
          this.#isLoaded = false;
          if (!this.#stop.signal.aborted) logger.warn({ err: error }, 'rebuild interrupted; trying again');
        });
      const waitMs = canLook ? LOOK_EVERY_MS : LOOK_FIRST_MS;
      await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(epoch: number): Promise<void> {
    const { redis, keys } = this.#options.store;
    this.#isLoaded = (await redis.get(keys.loaded)) === `${epoch}`;
    if (!this.#isLoaded) {
      const isOurs = await redis.set(keys.rebuild, this.#token, 'PX', LOCK_LIFE_MS, 'NX');
      if (isOurs !== null) await this.#rebuild(epoch);
    } else if (performance.now() - this.#reconciledAt > RECONCILE_EVERY_MS) {
      await this.#replayLatest(async () => undefined);
      this.#reconciledAt = performance.now();
      this.counters.reconciliations += 1;
    }
  }

  async #rebuild(epoch: number): Promise<void> {
    const { jetstream, stream, store, logger } = this.#options;
    const { redis, keys } = store;
    logger.warn('redis holds no complete quota data: rebuilding it from the streams');
    try {
      const renew = async () => {
        const isOurs = await runScript(redis, RENEW_LOCK, [keys.rebuild], [this.#token, LOCK_LIFE_MS]);
        if (isOurs !== 1) throw new Error('the lock is lost: redis was emptied again or another goes on');
      };
      const tenants = await this.#replayLatest(renew);
      const events = await readStream(jetstream, stream, async (page) => {
        this.#stop.signal.throwIfAborted();
        const decoded = page.map((delivery) => decodeEvent(delivery.data, delivery));
        await this.#reapply(decoded.flatMap((one) => (one.outcome === 'event' ? [one.event] : [])));
        await renew();
      });
      const done = await runScript(
        redis,
        FINISH_REBUILD,
        [keys.loaded, keys.rebuild],
        [this.#token, `${epoch}`],
      );
      this.#isLoaded = done === 1;
      if (!this.#isLoaded) throw new Error('redis was emptied again');
      this.counters.rebuilds += 1;
      this.#reconciledAt = performance.now();
      logger.info({ tenants, events }, 'quota data rebuilt');
    } catch (error) {
      await this.#unlock();
      throw error;
    }
  }

  /** Poison and refused events are the live consumer's to report; here they must not stop the rest. */
  async #reapply(events: readonly QuotaEvent[]): Promise<void> {
    const applied = await applyEvents(this.#options.store, events, UNSETTLED);
    for (const one of applied) if (one.result === 'failed') throw one.error;
  }

  async #replayLatest(afterPage: () => Promise<void>): Promise<number> {
    return readStream(this.#options.jetstream, 'QUOTA_LATEST', async (page) => {
      this.#stop.signal.throwIfAborted();
      await this.#reapply(page.map(latestEvent).filter((event) => event !== undefined));
      await afterPage();
    });
  }

  /** So that the next try need not wait for the lock to run out; best effort, it does run out. */
  async #unlock(): Promise<void> {
    const { redis, keys } = this.#options.store;
    await runScript(redis, RENEW_LOCK, [keys.rebuild], [this.#token, 1]).catch(() => undefined);
  }
}
