import type { Limit } from '@sluice/contracts';
import { connectRedis, type Redis } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger } from '@sluice/testkit';
import { CLIENT_WAITS, CounterStore, type StoreOptions } from '../src/store.ts';

export interface OpenStore extends AsyncDisposable {
  readonly store: CounterStore;
  readonly redis: Redis;
}

/** A store on a connection of its own. Patient unless told otherwise: a busy machine is not what is tested. */
export const openStore = async (
  server: ServerProcess,
  options: Partial<Omit<StoreOptions, 'redis'>> = {},
): Promise<OpenStore> => {
  const commandTimeoutMs = options.commandTimeoutMs ?? 10_000;
  const redis = await connectRedis({
    url: server.url,
    name: 'test',
    commandTimeoutMs: CLIENT_WAITS * commandTimeoutMs,
    logger: silentLogger(),
  });
  const store = new CounterStore({ keyStyle: 'kong', ...options, redis, commandTimeoutMs });
  await eventually(() => redis.status === 'ready');
  return {
    store,
    redis,
    [Symbol.asyncDispose]: () => {
      redis.disconnect();
      return Promise.resolve();
    },
  };
};

export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
export const BUDGET = `ratelimit:${NIL_UUID}:${NIL_UUID}:tenant-123`;

export const check = (limits: Limit[], cost = 1, key = BUDGET) => ({ key, cost, limits });

/** The counters of a budget by period; they must be of one window each. */
export const countersOf = async (redis: Redis, key = BUDGET): Promise<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const name of (await redis.keys(`${key}:*`)).filter((each) => !each.endsWith(':leases'))) {
    const period = name.slice(name.lastIndexOf(':') + 1);
    found[period] = (found[period] ?? 0) + Number(await redis.get(name));
  }
  return found;
};

/** Random numbers in [0, 1) that are the same for the same seed (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** An instant far ahead, so that counters of a made-up time do not expire under the real one. */
export const THEN = Date.UTC(2096, 1, 29, 23, 59, 30);
