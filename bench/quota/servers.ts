import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, connectRedis, JetStream, type Redis, readStream } from '@sluice/service-kit';
import {
  call,
  eventually,
  freePort,
  type ServerProcess,
  silentLogger,
  startNats,
  startRedis,
} from '@sluice/testkit';
import { type Child, startChild } from '../measure/children.ts';
import { COMPILE_CACHE, mainOf } from '../measure/processes.ts';
import { sum } from '../measure/statistics.ts';
import type { Event, Expected } from './events.ts';
import { EventPublisher } from './publisher.ts';

const POLL_MS = 5;
/** Each look makes the mirror write all its metrics: a millisecond of its time. */
const LOOK_MS = 100;
/** What became of an event, poison aside, is the last word about it: its part of Redis is done. */
const APPLIED = /^sluice_quota_events_total\{result="(?:applied|duplicate|stale|expired)"\} (\d+)$/gm;
const SETTLES_WITHIN_MS = 60_000;

/** NATS, Redis and one quota-mirror, as a deployment runs them. */
export class QuotaWorld implements AsyncDisposable {
  readonly nats: ServerProcess;
  readonly redisServer: ServerProcess;
  readonly redis: Redis;
  readonly jetstream: JetStream;
  readonly #publisher: EventPublisher;
  readonly #stack: AsyncDisposableStack;
  readonly #logFile: string;
  #mirror: Child | undefined;
  #status = '';

  private constructor(
    parts: Pick<QuotaWorld, 'nats' | 'redisServer' | 'redis' | 'jetstream'>,
    publisher: EventPublisher,
    logFile: string,
    stack: AsyncDisposableStack,
  ) {
    this.nats = parts.nats;
    this.redisServer = parts.redisServer;
    this.redis = parts.redis;
    this.jetstream = parts.jetstream;
    this.#publisher = publisher;
    this.#logFile = logFile;
    this.#stack = stack;
  }

  static async start(): Promise<QuotaWorld> {
    await using stack = new AsyncDisposableStack();
    const logger = silentLogger();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const removeFolder = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', removeFolder); // also when a signal ends the bench
    stack.defer(removeFolder);
    const nats = stack.use(await startNats());
    const redisServer = stack.use(await startRedis());
    const redis = await connectRedis({
      url: redisServer.url,
      name: 'bench',
      commandTimeoutMs: 10_000,
      logger,
    });
    stack.defer(() => redis.disconnect());
    const bus = Bus.open({ url: nats.url, name: 'bench', logger });
    stack.defer(() => bus.close());
    const publisher = stack.use(await EventPublisher.open(nats.url));
    const parts = { nats, redisServer, redis, jetstream: new JetStream(bus) };
    const world = new QuotaWorld(parts, publisher, join(folder, 'mirror.log'), stack.move());
    await world.startMirror();
    return world;
  }

  get mirrorPid(): number {
    return this.#mirror?.pid ?? 0;
  }

  /** Returns when it is ready to work. */
  async startMirror(): Promise<void> {
    const port = await freePort();
    const env = {
      ...COMPILE_CACHE,
      NATS_URL: this.nats.url,
      REDIS_URL: this.redisServer.url,
      STATUS_PORT: `${port}`,
      LOG_LEVEL: 'warn',
    };
    const args = [mainOf('quota-mirror')];
    const mirror = await startChild({ command: process.execPath, args, env, logFile: this.#logFile, port });
    this.#mirror = mirror;
    this.#status = `http://127.0.0.1:${port}`;
    this.#stack.defer(() => mirror.stop());
    await eventually(async () => (await call(this.#status, '/readyz')).status === 200);
  }

  /** Stores the events and tells the model where. The order of the events is their order in the stream. */
  async publish(events: readonly Event[], expected: Expected): Promise<void> {
    const bodies = events.map(({ body }) => body);
    const seqs = await this.#publisher.publish('quota.updated', bodies);
    for (const [n, event] of events.entries()) expected.add(event, seqs[n] ?? 0);
  }

  /** Events that this mirror has brought into Redis so far, by its own metrics. */
  async applied(): Promise<number> {
    const { text } = await call(this.#status, '/metrics');
    return sum([...text.matchAll(APPLIED)].map(([, count]) => Number(count)));
  }

  /** Returns when the mirror has applied so many events in all. */
  async appliedAll(count: number): Promise<void> {
    const until = performance.now() + SETTLES_WITHIN_MS;
    while ((await this.applied()) < count) {
      if (performance.now() > until) throw new Error(`fewer than ${count} events are applied`);
      await sleep(LOOK_MS);
    }
  }

  /** Stored events that are not settled yet, and those of them that were delivered more than once. */
  async unsettled(): Promise<{ unsettled: number; redelivered: number }> {
    const { manager } = await this.jetstream.raw();
    const info = await manager.consumers.info('QUOTAS', 'quota-mirror');
    return { unsettled: info.num_pending + info.num_ack_pending, redelivered: info.num_redelivered };
  }

  /** Returns when no more than `left` events are unsettled, with the most that were redelivered at once. */
  async settled(left = 0): Promise<number> {
    const until = performance.now() + SETTLES_WITHIN_MS;
    let most = 0;
    for (;;) {
      const { unsettled, redelivered } = await this.unsettled();
      most = Math.max(most, redelivered);
      if (unsettled <= left) return most;
      if (performance.now() > until) throw new Error(`${unsettled} events are still unsettled`);
      await sleep(POLL_MS);
    }
  }

  /** The newest state of each tenant as the stream keeps it, by tenant: the event it came from. */
  async latest(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    await readStream(this.jetstream, 'QUOTA_LATEST', (page) => {
      for (const { data } of page) {
        const { tenantId, eventId } = JSON.parse(Buffer.from(data).toString()) as Record<string, string>;
        if (tenantId !== undefined && eventId !== undefined) found.set(tenantId, eventId);
      }
      return Promise.resolve();
    });
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
