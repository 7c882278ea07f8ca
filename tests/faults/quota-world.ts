import { Bus, connectRedis, JetStream, type Redis } from '@sluice/service-kit';
import {
  FaultProxy,
  freePort,
  type ServerProcess,
  silentLogger,
  startNats,
  startRedis,
} from '@sluice/testkit';
import { ProcessPart } from './process-part.ts';

/** Past the proxies and the faults: what judges must not be hurt itself. */
export interface Outside {
  readonly jetstream: JetStream;
  readonly redis: Redis;
}

/** NATS, a durable Redis and two mirrors that reach them through fault proxies. */
export class QuotaWorld implements AsyncDisposable {
  readonly nats: ServerProcess;
  readonly redis: ServerProcess;
  readonly natsLink: FaultProxy;
  readonly redisLink: FaultProxy;
  readonly mirrors: readonly ProcessPart[];
  readonly outside: Outside;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<QuotaWorld, 'nats' | 'redis' | 'natsLink' | 'redisLink' | 'mirrors' | 'outside'>,
    stack: AsyncDisposableStack,
  ) {
    this.nats = parts.nats;
    this.redis = parts.redis;
    this.natsLink = parts.natsLink;
    this.redisLink = parts.redisLink;
    this.mirrors = parts.mirrors;
    this.outside = parts.outside;
    this.#stack = stack;
  }

  static async start(): Promise<QuotaWorld> {
    await using stack = new AsyncDisposableStack();
    const logger = silentLogger();
    const nats = stack.use(await startNats());
    const redis = stack.use(await startRedis({ durable: true }));
    const natsLink = stack.use(await FaultProxy.start(nats.port));
    const redisLink = stack.use(await FaultProxy.start(redis.port));
    const env = { NATS_URL: natsLink.urlFor(nats.url), REDIS_URL: redisLink.urlFor(redis.url) };
    const mirrors: ProcessPart[] = [];
    for (let n = 0; n < 2; n++)
      mirrors.push(stack.use(await new ProcessPart('quota-mirror', await freePort(), env).start()));
    const bus = Bus.open({ url: nats.url, name: 'judge', logger });
    stack.defer(() => bus.close());
    const judge = await connectRedis({ url: redis.url, name: 'judge', commandTimeoutMs: 5000, logger });
    stack.defer(() => judge.disconnect());
    await Promise.all(mirrors.map((mirror) => mirror.ready()));
    const outside = { jetstream: new JetStream(bus), redis: judge };
    return new QuotaWorld({ nats, redis, natsLink, redisLink, mirrors, outside }, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
