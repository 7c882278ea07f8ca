import { setTimeout as sleep } from 'node:timers/promises';
import { ConsumerEvents, type ConsumerMessages, type NatsConnection } from 'nats';
import { type Delivery, deliveryOf } from './delivery.ts';
import { type ConsumerProgress, consumerProgress, type DurableOptions, ensureDurable } from './durable.ts';
import type { JetStream } from './jetstream.ts';
import type { Logger } from './logger.ts';

/** The server's sign of life while there is nothing to deliver, and how many of them may be missed. */
const HEARTBEAT_MS = 1000;
const MISSED_HEARTBEATS = 3;
/** A pull is renewed so often; it bounds what a lost one costs. */
const PULL_EXPIRES_MS = 5000;
const REOPEN_FIRST_MS = 50;
const REOPEN_LONGEST_MS = 2000;
/** What is in hand when the work cannot go on comes back after this, to whoever then can. */
const HAND_BACK_MS = 500;

const GONE: readonly string[] = [
  ConsumerEvents.ConsumerNotFound,
  ConsumerEvents.ConsumerDeleted,
  ConsumerEvents.StreamNotFound,
  ConsumerEvents.NoResponders,
];

export interface ConsumeOptions extends DurableOptions {
  /** Messages of one batch, at most. */
  readonly maxBatch: number;
  readonly logger: Logger;
  /** Before each opening, the first included: creates what must be there. */
  readonly beforeOpen?: () => Promise<void>;
  /** Starts paused; `resume` begins. */
  readonly paused?: boolean;
  /**
   * Works on a batch and settles each delivery, now or later. One batch at a time. When it fails, what it has not
   * settled is handed back.
   */
  readonly onBatch: (deliveries: readonly Delivery[]) => Promise<void>;
}

export interface BatchConsumer {
  readonly state: 'opening' | 'open' | 'paused' | 'stopped';
  readonly counters: {
    readonly delivered: number;
    readonly redelivered: number;
    readonly batches: number;
    /** Openings after the first: each is a lost connection, a deleted consumer or a silent server. */
    readonly reopened: number;
  };
  /** Stops pulling and hands back what waits; the batch under way goes on. */
  pause(): void;
  resume(): void;
  progress(): Promise<ConsumerProgress>;
  /** Stops pulling, works on what has arrived, and returns when the last batch is through. */
  stop(): Promise<void>;
}

interface Session {
  readonly ended: Promise<string>;
  readonly end: (why: string) => void;
}

/**
 * Consumes a stream through a durable pull consumer that several processes may share. What arrives while a batch
 * is worked on is the next batch: no timer, so a lone message waits for nobody and a flood travels in large
 * batches. A watchdog opens the consumer anew when the server falls silent, the consumer or the stream is deleted,
 * or the connection was lost.
 */
export const consumeBatches = (jetstream: JetStream, options: ConsumeOptions): BatchConsumer =>
  new DurableConsumer(jetstream, options);

class DurableConsumer implements BatchConsumer {
  readonly counters = { delivered: 0, redelivered: 0, batches: 0, reopened: 0 };
  readonly #jetstream: JetStream;
  readonly #options: ConsumeOptions;
  #isPaused: boolean;
  #isStopped = false;
  #session: Session | undefined;
  #watched: NatsConnection | undefined;
  #waiting: Delivery[] = [];
  #work: Promise<void> | undefined;
  #change = Promise.withResolvers<void>();

  constructor(jetstream: JetStream, options: ConsumeOptions) {
    this.#jetstream = jetstream;
    this.#options = options;
    this.#isPaused = options.paused ?? false;
    void this.#run();
  }

  get state(): BatchConsumer['state'] {
    if (this.#isStopped) return 'stopped';
    if (this.#isPaused) return 'paused';
    return this.#session === undefined ? 'opening' : 'open';
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#session?.end('paused');
    for (const delivery of this.#waiting.splice(0)) delivery.nak(HAND_BACK_MS);
    this.#changed();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#changed();
  }

  progress(): Promise<ConsumerProgress> {
    return consumerProgress(this.#jetstream, this.#options);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#session?.end('stopped');
    this.#changed();
    while (this.#work !== undefined) await this.#work;
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #run(): Promise<void> {
    const { stream, durable, logger } = this.#options;
    let waitMs = REOPEN_FIRST_MS;
    let openings = 0;
    while (!this.#isStopped) {
      if (this.#isPaused) {
        await this.#change.promise;
        continue;
      }
      const before = this.counters.delivered;
      try {
        const session = await this.#open();
        openings += 1;
        this.counters.reopened = openings - 1;
        const openedAt = performance.now();
        const why = await session.ended;
        this.#session = undefined;
        if (this.#isStopped || this.#isPaused) continue;
        // One that worked for a while earns a quick return; one that ends at once, over and over, does not.
        if (this.counters.delivered > before || performance.now() - openedAt > REOPEN_LONGEST_MS)
          waitMs = REOPEN_FIRST_MS;
        logger.warn({ stream, durable, why }, 'consumer is opened again');
      } catch (error) {
        this.#session = undefined;
        logger.warn({ err: error, stream, durable }, 'consumer cannot be opened; trying again');
      }
      await Promise.race([sleep(waitMs), this.#change.promise]);
      waitMs = Math.min(waitMs * 2, REOPEN_LONGEST_MS);
    }
  }

  async #open(): Promise<Session> {
    const { stream, durable, maxBatch, beforeOpen } = this.#options;
    const { connection, client, manager } = await this.#jetstream.raw();
    this.#watchConnection(connection);
    await beforeOpen?.();
    const createdMs = Date.parse((await manager.streams.info(stream)).created);
    await ensureDurable(manager, this.#options);
    const consumer = await client.consumers.get(stream, durable);
    const messages = await consumer.consume({
      max_messages: maxBatch,
      idle_heartbeat: HEARTBEAT_MS,
      expires: PULL_EXPIRES_MS,
      callback: (message) => this.#receive(deliveryOf(message, createdMs)),
    });
    const session = sessionOf(messages);
    this.#session = session;
    if (this.#isPaused || this.#isStopped) session.end('not wanted');
    return session;
  }

  #receive(delivery: Delivery): void {
    if (this.#isPaused) {
      delivery.nak(HAND_BACK_MS);
      return;
    }
    this.counters.delivered += 1;
    if (delivery.deliveryCount > 1) this.counters.redelivered += 1;
    this.#waiting.push(delivery);
    this.#work ??= this.#workOff();
  }

  async #workOff(): Promise<void> {
    await new Promise((done) => setImmediate(done)); // all that one read of the socket brought belongs together
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      this.counters.batches += 1;
      try {
        await this.#options.onBatch(batch);
      } catch (error) {
        this.#options.logger.error({ err: error, messages: batch.length }, 'batch failed; it comes again');
        for (const delivery of batch) delivery.nak(HAND_BACK_MS);
      }
    }
    this.#work = undefined;
  }

  /** A restarted server has forgotten every pull, and the client's own way back can take seconds: open anew. */
  #watchConnection(connection: NatsConnection): void {
    if (this.#watched === connection) return;
    this.#watched = connection;
    const watch = async () => {
      for await (const status of connection.status())
        if (status.type === 'reconnect') this.#session?.end('reconnected');
    };
    void watch().catch(() => undefined);
  }
}

const sessionOf = (messages: ConsumerMessages): Session => {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const end = (why: string) => {
    resolve(why);
    messages.stop();
  };
  const watch = async () => {
    for await (const { type, data } of await messages.status()) {
      if (GONE.includes(type)) end(type);
      if (type === ConsumerEvents.HeartbeatsMissed && Number(data) >= MISSED_HEARTBEATS) end(type);
    }
  };
  void watch().catch((error: unknown) => end(`${error}`));
  void messages.closed().then((error) => end(error instanceof Error ? error.message : 'closed'));
  return { ended, end };
};
