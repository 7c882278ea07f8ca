import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, type ServerProcess } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { World } from '../conformance/world.ts';
import { AS_SHIPPED } from '../gateway.ts';
import { type Cluster, startNatsCluster, startRedisCluster, startSentinels } from './edge-servers.ts';

// A minute and a half of elections: SLUICE_FAULTS=long. What they are made of is tested in short where it lives.
const isLong = process.env.SLUICE_FAULTS === 'long';
/** A leader that is killed is replaced, and clients notice nothing more, within this, in ms. */
const HEALED_WITHIN_MS = 20_000;
/** What a replica may be behind its primary when that is killed, in ms of the load. */
const LAG_MS = 1000;

/** What one answer says: who decided about the limit, and when. */
interface Sample {
  readonly status: number;
  readonly isCounted: boolean;
  readonly at: number;
}

/** Requests a second, where the machine can; what became of it is told. */
const PER_SECOND = 1000;
const CLIENTS = 32;

const askOn = (agent: Agent, url: URL): Promise<Sample> =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { agent }, (answer) => {
      const { statusCode: status = 0, headers } = answer;
      const isCounted = headers['ratelimit-limit'] !== undefined;
      answer.resume().once('end', () => resolve({ status, isCounted, at: performance.now() }));
      answer.once('error', reject);
    });
    outgoing.once('error', reject).end();
  });

/** Asks a thousand times a second on connections that are kept; samples all answers. */
const startSampling = (world: World, path: string) => {
  const samples: Sample[] = [];
  const agent = new Agent({ keepAlive: true });
  const url = new URL(path, world.gateway.ready.proxy);
  const everyMs = (1000 * CLIENTS) / PER_SECOND;
  let isAsking = true;
  const clients = Array.from({ length: CLIENTS }, async (_, n) => {
    await sleep((n * everyMs) / CLIENTS);
    for (let due = performance.now() + everyMs; isAsking; due = Math.max(due, performance.now()) + everyMs) {
      samples.push(await askOn(agent, url));
      await sleep(due - performance.now());
    }
  });
  return {
    samples,
    counted: (more: number) => {
      const now = () => samples.filter(({ isCounted }) => isCounted).length;
      const from = now();
      return eventually(() => now() > from + more, HEALED_WITHIN_MS);
    },
    stop: async () => {
      isAsking = false;
      await Promise.all(clients);
      agent.destroy();
      return samples;
    },
  };
};

const limitedBy = (world: World) => ({
  services: [world.service('echo', [{ name: 'all', paths: ['/all'] }])],
  plugins: [
    {
      name: 'rate-limiting',
      config: { year: 100_000_000, policy: 'redis', limit_by: 'service', redis: { host: '127.0.0.1' } },
    },
  ],
});

const onServer = async <T>(
  server: ServerProcess | undefined,
  ask: (redis: Redis) => Promise<T>,
): Promise<T> => {
  const redis = new Redis(server?.url ?? '');
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
};

/** The one counter that a server has; 0 when it has none. */
const counterOn = (server: ServerProcess | undefined): Promise<number> =>
  onServer(server, async (redis) => {
    const [key] = (await redis.keys('*ratelimit*')).filter((name) => !name.endsWith(':leases'));
    return key === undefined ? 0 : Number(await redis.get(key));
  });

/** Kills the primary that counts while requests are counted; what that cost, in requests and ms. */
const killPrimaryUnderLoad = async (
  world: World,
  primary: ServerProcess,
  survivors: readonly ServerProcess[],
) => {
  const sampling = startSampling(world, '/all');
  await sampling.counted(2000);
  const ratePerMs = sampling.samples.length / (performance.now() - (sampling.samples[0]?.at ?? 0));
  await primary.kill('SIGKILL');
  const killedAt = performance.now();
  await eventually(() => sampling.samples.some(({ isCounted, at }) => !isCounted && at > killedAt));
  await sampling.counted(300);
  const samples = await sampling.stop();
  const counted = samples.filter(({ isCounted }) => isCounted).length;
  const alone = samples.filter(({ isCounted }) => !isCounted);
  const counters = await Promise.all(survivors.map(counterOn));
  return {
    statuses: [...new Set(samples.map(({ status }) => status))],
    lost: counted - Math.max(...counters),
    bound: Math.ceil(ratePerMs * LAG_MS),
    perSecond: Math.round(ratePerMs * 1000),
    alone: alone.length,
    outageMs: Math.round((alone.at(-1)?.at ?? killedAt) - killedAt),
  };
};

const say = (
  what: string,
  { lost, bound, alone, outageMs, perSecond }: Awaited<ReturnType<typeof killPrimaryUnderLoad>>,
) =>
  process.stdout.write(
    `${what} at ${perSecond} requests a second: ${outageMs} ms without counting, ${alone} requests decided by the edge alone, ` +
      `${lost} counts lost (rate x ${LAG_MS} ms allows ${bound})\n`,
  );

test.skipIf(!isLong)(
  'given Redis behind sentinels, when the primary is killed under load, then no request fails, counting goes on at the replica, and what is lost is what it had not got',
  async () => {
    await using redis = await startSentinels();
    await using world = await World.start({ ...AS_SHIPPED, LEASES: 'off' }, ['--redis', redis.url]);
    await world.load(limitedBy(world));
    await world.until('/all', 200);
    const [primary, replica] = redis.servers as [ServerProcess, ServerProcess];
    const seen = await killPrimaryUnderLoad(world, primary, [replica]);
    say('sentinel', seen);
    expect(seen.statuses).toEqual([200]);
    expect(seen.lost).toBeLessThanOrEqual(seen.bound);
    expect(seen.outageMs).toBeLessThan(HEALED_WITHIN_MS);
  },
  120_000,
);

test.skipIf(!isLong)(
  'given a Redis cluster, when the node that counts is killed under load, then no request fails and its replica goes on counting',
  async () => {
    await using redis = await startRedisCluster();
    const settings = {
      ...AS_SHIPPED,
      LEASES: 'off',
      KEY_STYLE: 'tagged',
      REDIS_KEY_PREFIX: '{quota}:tenant:',
    };
    await using world = await World.start(settings, ['--redis', redis.url]);
    await world.load(limitedBy(world));
    await eventually(async () => (await world.ask('/all')).headers['ratelimit-limit'] !== undefined);
    const primaries = redis.servers.slice(0, 3);
    const counters = await Promise.all(primaries.map(counterOn));
    const at = counters.findIndex((count) => count > 0);
    const [primary, replica] = [redis.servers[at], redis.servers[at + 3]] as [ServerProcess, ServerProcess];
    const seen = await killPrimaryUnderLoad(world, primary, [replica]);
    say('cluster', seen);
    expect(seen.statuses).toEqual([200]);
    expect(seen.lost).toBeLessThanOrEqual(seen.bound);
    expect(seen.outageMs).toBeLessThan(HEALED_WITHIN_MS);
  },
  120_000,
);

const untilReady = async ({ url }: Cluster): Promise<void> => {
  const connection = await connect({ servers: url.split(',') });
  await eventually(async () => (await connection.jetstreamManager()).getAccountInfo(), HEALED_WITHIN_MS);
  await connection.close();
};

const leaderOf = async ({ url, servers }: Cluster, stream: string): Promise<ServerProcess> => {
  const connection = await connect({ servers: url.split(',') });
  const manager = await connection.jetstreamManager();
  const { cluster, config } = await manager.streams.info(stream);
  expect(config.num_replicas).toBe(3);
  await connection.close();
  return servers[Number(cluster?.leader?.slice(1))] as ServerProcess;
};

const publishQuota = async (servers: readonly ServerProcess[], used: number): Promise<void> => {
  const connection = await connect({ servers: servers.map(({ url }) => url) });
  const occurredAt = new Date().toISOString();
  const event = {
    ...{ eventId: crypto.randomUUID(), occurredAt, tenantId: 'acme' },
    payload: { limit: 100, used, period: 'monthly' },
  };
  await eventually(
    () => connection.jetstream().publish('quota.updated', JSON.stringify(event)),
    HEALED_WITHIN_MS,
  );
  await connection.close();
};

const quotaIs = (world: World, used: number) =>
  eventually(async () => {
    const client = new Redis(world.gateway.ready.redis);
    try {
      expect(await client.hget('quota:tenant:acme', 'used')).toBe(`${used}`);
    } finally {
      client.disconnect();
    }
  }, HEALED_WITHIN_MS);

test.skipIf(!isLong)(
  'given three nats-servers, when the leader of the configuration is killed under load, then no request fails, and configuration, quotas and limits go on',
  async () => {
    await using nats = await startNatsCluster();
    await untilReady(nats);
    await using world = await World.start({ ...AS_SHIPPED, NATS_REPLICAS: '3' }, ['--nats', nats.url]);
    await world.load(limitedBy(world));
    await world.until('/all', 200);
    await publishQuota(nats.servers, 10);
    await quotaIs(world, 10);

    const sampling = startSampling(world, '/all');
    await sampling.counted(100);
    const leader = await leaderOf(nats, 'CONFIG');
    const killedAt = performance.now();
    await leader.kill('SIGKILL');
    const next = { _format_version: '3.0', ...limitedBy(world), tags: undefined };
    next.services = [world.service('echo', [{ name: 'all', paths: ['/all', '/more'] }])];
    await eventually(async () => (await world.post('/config', next)).status === 201, HEALED_WITHIN_MS);
    const writableAfterMs = Math.round(performance.now() - killedAt);
    await world.until('/more', 200);
    await sampling.counted(100);
    const samples = await sampling.stop();
    const alone = samples.filter(({ isCounted }) => !isCounted);
    process.stdout.write(
      `nats: configuration written again after ${writableAfterMs} ms, ` +
        `${alone.length} of ${samples.length} requests decided by the edge alone, ` +
        `for ${Math.round((alone.at(-1)?.at ?? 0) - (alone[0]?.at ?? 0))} ms\n`,
    );
    expect([...new Set(samples.map(({ status }) => status))]).toEqual([200]);
    await publishQuota(
      nats.servers.filter((server) => server !== leader),
      20,
    );
    await quotaIs(world, 20);

    await leader.start();
    await eventually(async () => (await world.post('/config', { ...next, _transform: true })).status === 201);
  },
  180_000,
);
