import { connectRedis, type Redis } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger, startRedis } from '@sluice/testkit';
import { type Lease, leaseBudget, type Settle, settleLease } from '../../services/ratelimit/src/lease.ts';
import { type Check, spendBudget } from '../../services/ratelimit/src/spend.ts';
import { CounterStore } from '../../services/ratelimit/src/store.ts';

const PATIENCE_MS = 10_000; // of the real machine, which may be busy

interface Server {
  readonly process: ServerProcess;
  readonly redis: Redis;
  readonly store: CounterStore;
}

const startServer = async (stack: AsyncDisposableStack): Promise<Server> => {
  const process = stack.use(await startRedis());
  const redis = await connectRedis({
    ...{ url: process.url, name: 'bench', commandTimeoutMs: PATIENCE_MS, logger: silentLogger() },
  });
  stack.defer(() => redis.disconnect());
  await eventually(() => redis.status === 'ready');
  const store = new CounterStore({ redis, keyStyle: 'kong', commandTimeoutMs: PATIENCE_MS });
  return { process, redis, store };
};

/** The limiter's own code on a primary Redis with a replica; the time is the caller's. */
export class Limiter implements AsyncDisposable {
  /** Times that an edge asked. */
  asked = 0;
  isAway = false;
  readonly #primary: Server;
  readonly #replica: Server;
  readonly #stack: AsyncDisposableStack;
  #current: Server;

  private constructor(primary: Server, replica: Server, stack: AsyncDisposableStack) {
    this.#primary = primary;
    this.#replica = replica;
    this.#current = primary;
    this.#stack = stack;
  }

  static async start(): Promise<Limiter> {
    await using stack = new AsyncDisposableStack();
    const primary = await startServer(stack);
    const replica = await startServer(stack);
    await primary.redis.config('SET', 'repl-diskless-sync-delay', '0'); // else it waits 5 s for more replicas
    return new Limiter(primary, replica, stack.move());
  }

  /** The Redis that counts now. */
  get pid(): number {
    return this.#current.process.pid ?? 0;
  }

  /** Forgets everything, of both servers. */
  async reset(): Promise<void> {
    this.asked = 0;
    this.isAway = false;
    this.#current = this.#primary;
    await this.#replica.redis.replicaof('NO', 'ONE');
    await Promise.all([this.#primary.redis.flushall(), this.#replica.redis.flushall()]);
  }

  check(question: Check, nowMs: number) {
    this.asked += 1;
    return spendBudget(this.#current.store, question, nowMs);
  }

  lease(question: Lease, nowMs: number) {
    this.asked += 1;
    return leaseBudget(this.#current.store, question, nowMs);
  }

  settle(question: Settle, nowMs: number) {
    return settleLease(this.#current.store, question, nowMs);
  }

  /** The replica has every write until now. */
  async synchronise(): Promise<void> {
    const { port } = this.#primary.process;
    await this.#replica.redis.replicaof('127.0.0.1', port);
    await eventually(async () => (await this.#primary.redis.wait(1, PATIENCE_MS)) === 1);
    await eventually(async () => {
      const [there, here] = await Promise.all([this.#primary.redis.dbsize(), this.#replica.redis.dbsize()]);
      return there === here;
    });
  }

  /** The replica gets no further writes. */
  async partReplica(): Promise<void> {
    await this.#primary.redis.wait(1, PATIENCE_MS);
    await this.#replica.redis.replicaof('NO', 'ONE');
  }

  /**
   * The replica takes over. @returns by how much its counters are behind, by the name of the counter; less than 0
   * when it missed more returns than grants.
   */
  async failOver(): Promise<ReadonlyMap<string, number>> {
    const missed = new Map<string, number>();
    for (const key of await this.#primary.redis.keys('*')) {
      if (key.endsWith(':leases')) continue;
      const [there, here] = [await this.#primary.redis.get(key), await this.#replica.redis.get(key)];
      missed.set(key, Number(there ?? 0) - Number(here ?? 0));
    }
    this.#current = this.#replica;
    return missed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
