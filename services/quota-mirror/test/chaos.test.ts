import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, connectRedis, JetStream, type Redis, readStream } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { decodeEvent, type SnapshotEvent } from '../src/decode-event.ts';
import { latestEvent } from '../src/latest-values.ts';
import { eventOf, quota, settled } from './given.ts';
import { MirrorProcess } from './mirror-process.ts';
import { randomOf } from './random.ts';

/** The short form; `KILLS=50` runs the long one. */
const KILLS = Number(process.env.KILLS ?? 20);
const SEED = Number(process.env.CHAOS_SEED ?? 11);
const TENANTS = ['Ä corp/eu', ...Array.from({ length: 20 }, (_, n) => `tenant-${n}`)];

/** What publishers do: clocks that lag or lead, naive and zoned times, repeated ids, two payload forms, 3 % garbage. */
const bodyOf = (n: number, random: () => number): string => {
  const tenant = TENANTS[Math.floor(random() * TENANTS.length)] ?? '';
  const skewMs = random() < 0.1 ? 3_600_000 : random() < 0.4 ? -5000 * random() : 0;
  const zone = random() < 0.5 ? '' : 'Z';
  const occurredAt = `${new Date(Date.now() + skewMs).toISOString().slice(0, -1)}${n % 1000}${zone}`;
  const kind = random();
  if (kind < 0.03)
    return (
      ['{bad', 'null', JSON.stringify(eventOf('', quota(1))), JSON.stringify(eventOf('t', {}))][n % 4] ?? ''
    );
  const more = { eventId: `e${random() < 0.05 ? n - 1 : n}`, occurredAt };
  if (kind < 0.3)
    return JSON.stringify(eventOf(tenant, { usage: { prompt_tokens: n, cost_usd: 0.001 * (n % 7) } }, more));
  return JSON.stringify(eventOf(tenant, quota(n), more));
};

/** Publishes until told to stop; what is not acknowledged is published again, as a careful publisher does. */
const publishing = async (url: string, random: () => number, signal: AbortSignal): Promise<number> => {
  const client = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  let acknowledged = 0;
  for (let n = 1; !signal.aborted; n++) {
    const body = bodyOf(n, random);
    const tried = async () =>
      (await client.jetstream().publish('quota.updated', body, { timeout: 1000 })).seq > 0;
    await eventually(tried);
    acknowledged += 1;
    await sleep(5 * random());
  }
  await client.close();
  return acknowledged;
};

/** The state that follows from the stream alone. */
const modelOf = async (jetstream: JetStream) => {
  const states = new Map<string, SnapshotEvent>();
  const sums = new Map<string, Record<string, number>>();
  const counted = new Set<string>();
  let poison = 0;
  const rank = ({ version }: SnapshotEvent) => version.occ + version.epoch + version.seq;
  const events = await readStream(jetstream, 'QUOTAS', async (page) => {
    for (const delivery of page) {
      const decoded = decodeEvent(delivery.data, delivery);
      if (decoded.outcome === 'poison') {
        poison += 1;
        continue;
      }
      const { event } = decoded;
      const { tenantId } = event;
      if (event.kind === 'snapshot') {
        const held = states.get(tenantId);
        if (held === undefined || rank(event) > rank(held)) states.set(tenantId, event);
      } else if (!counted.has(`${tenantId} ${event.eventId}`)) {
        counted.add(`${tenantId} ${event.eventId}`);
        const sum = sums.get(tenantId) ?? {};
        for (const [name, amount] of Object.entries(event.amounts))
          sum[name] = (sum[name] ?? 0) + Number(amount);
        sums.set(tenantId, sum);
      }
    }
  });
  return { states, sums, poison, events };
};

const differences = async (
  model: Awaited<ReturnType<typeof modelOf>>,
  jetstream: JetStream,
  redis: Redis,
) => {
  const found: string[] = [];
  const latest = new Map<string, string>();
  await readStream(jetstream, 'QUOTA_LATEST', async (page) => {
    for (const event of page.map(latestEvent))
      if (event !== undefined) latest.set(event.tenantId, event.version.seq);
  });
  for (const [tenant, event] of model.states) {
    const held = await redis.hgetall(`quota:tenant:${tenant}`);
    const wanted = { ...event.fields, event_id: event.eventId, v_seq: event.version.seq };
    for (const [field, value] of Object.entries(wanted))
      if (held[field] !== value) found.push(`${tenant} ${field}: ${held[field]}, not ${value}`);
    if (latest.get(tenant) !== event.version.seq) found.push(`${tenant}: last value ${latest.get(tenant)}`);
  }
  for (const [tenant, sums] of model.sums) {
    const held = await redis.hgetall(`quota:usage:{${tenant}}`);
    for (const [name, sum] of Object.entries(sums))
      if (held[name] !== `${sum}`) found.push(`${tenant} ${name}: ${held[name]}, not ${sum}`);
  }
  const { messages } = await jetstream.streamInfo('DEADLETTER');
  if (messages !== model.poison) found.push(`${messages} dead letters for ${model.poison} poison messages`);
  return found;
};

const killing = async (
  parts: { replicas: MirrorProcess[]; nats: ServerProcess; redis: ServerProcess; url: string },
  random: () => number,
): Promise<Record<string, number>> => {
  const kills: Record<string, number> = { replica: 0, redis: 0, wipe: 0, nats: 0 };
  for (let n = 0; n < KILLS; n++) {
    await sleep(150 + 450 * random());
    const choice = random();
    const victim = choice < 0.6 ? 'replica' : choice < 0.75 ? 'redis' : choice < 0.85 ? 'wipe' : 'nats';
    kills[victim] = (kills[victim] ?? 0) + 1;
    const replica = parts.replicas[Math.floor(random() * parts.replicas.length)];
    if (victim === 'replica') {
      await replica?.kill();
      replica?.start();
    } else if (victim === 'wipe') {
      const redis = await connectRedis({
        url: parts.url,
        name: 'wipe',
        commandTimeoutMs: 5000,
        logger: silentLogger(),
      });
      await eventually(() => redis.flushall());
      redis.disconnect();
    } else {
      const server = victim === 'redis' ? parts.redis : parts.nats;
      await server.kill();
      await sleep(300 * random());
      await server.start();
    }
  }
  return kills;
};

test(
  `given replicas, Redis and NATS are killed ${KILLS} times under load (seed ${SEED}), then Redis holds exactly what the stream says`,
  async () => {
    await using nats = await startNats();
    await using redisServer = await startRedis({ durable: true });
    await using first = new MirrorProcess(nats, redisServer).start();
    await using second = new MirrorProcess(nats, redisServer).start();
    await using third = new MirrorProcess(nats, redisServer).start();
    const replicas = [first, second, third];
    await Promise.all(replicas.map((replica) => replica.ready));
    const stop = new AbortController();
    const published = publishing(nats.url, randomOf(SEED), stop.signal);

    const kills = await killing(
      { replicas, nats, redis: redisServer, url: redisServer.url },
      randomOf(SEED + 1),
    );
    stop.abort();
    const acknowledged = await published;

    const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
    const jetstream = new JetStream(bus);
    const redis = await connectRedis({
      url: redisServer.url,
      name: 'test',
      commandTimeoutMs: 5000,
      logger: silentLogger(),
    });
    await settled({ jetstream });
    await eventually(async () => (await redis.exists('quota:meta:loaded')) === 1);
    const model = await modelOf(jetstream);
    await eventually(async () => expect(await differences(model, jetstream, redis)).toEqual([]));
    expect(model.events).toBeGreaterThanOrEqual(acknowledged);
    expect(Object.values(kills).reduce((a, b) => a + b)).toBe(KILLS);
    redis.disconnect();
    await bus.close();
  },
  60_000 + KILLS * 4000,
);
