/**
 * What an outage costs requests: `npm run bench -- outages`. One client asks one after the other, first with
 * everything there, then with one dependency killed or stopped (SIGSTOP), until it is back and the answers are as
 * before. In the end everything is away, and an edge starts with its last known good configuration.
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, percentile, type Sample } from '../light-load.ts';
import { say } from '../measure/say.ts';
import { saveJson } from '../report/save.ts';
import { fixed, tableText } from '../report/table.ts';
import { OutageWorld } from './outage-world.ts';

const isQuick = process.argv.includes('--quick');
const REQUESTS = isQuick ? 100 : 400;
const PAUSE_MS = 5;
const POLL_MS = 2;
const GIVE_UP_MS = 60_000;
const MUTE_REQUESTS = 20;

interface Outage {
  readonly row: string;
  readonly what: string;
  /** Its own path is asked, and what it answers with everything there. */
  readonly path: string;
  readonly healthy: number;
  readonly begin: (world: OutageWorld) => Promise<void> | void;
  /** Returns when the dependency itself is there again. */
  readonly end: (world: OutageWorld) => Promise<void> | void;
}

const serviceOutages = (row: string, name: 'auth' | 'ratelimit', path: string, healthy: number): Outage[] => [
  {
    ...{ row, path, healthy, what: `${name} stopped` },
    begin: (world) => world.stop(name),
    end: (world) => world.goOn(name),
  },
  {
    ...{ row, path, healthy, what: `${name} killed` },
    begin: (world) => world.kill(name),
    end: (world) => world.startAnother(name),
  },
];

const serverOutages = (row: string, name: 'redis' | 'nats', path: string, healthy: number): Outage[] => [
  {
    ...{ row, path, healthy, what: `${name} stopped` },
    begin: (world) => world[name].freeze(),
    end: (world) => world[name].thaw(),
  },
  {
    ...{ row, path, healthy, what: `${name} killed` },
    begin: (world) => world[name].kill(),
    end: async (world) => void (await world[name].start()),
  },
];

const OUTAGES: readonly Outage[] = [
  ...serverOutages('D3', 'redis', '/limit', 200),
  ...serverOutages('D4', 'nats', '/plain', 200),
  ...serverOutages('D4', 'nats', '/auth', 401),
  ...serviceOutages('D1', 'auth', '/auth', 401),
  ...serviceOutages('D2', 'ratelimit', '/limit', 200),
  {
    ...{ row: 'D5', what: 'config-registry killed', path: '/plain', healthy: 200 },
    begin: (world) => world.kill('config-registry'),
    end: (world) => world.startAnother('config-registry'),
  },
  {
    ...{ row: 'D6', what: 'quota-mirror killed', path: '/plain', healthy: 200 },
    begin: (world) => world.kill('quota-mirror'),
    end: (world) => world.startAnother('quota-mirror'),
  },
];

let serial = 0;
/** Another key each time: no verdict is remembered. */
const fresh = (path: string): string => {
  serial += 1;
  return path === '/auth' ? `${path}?apikey=stranger-${serial}` : path;
};

const askMany = async (agent: Agent, origin: string, path: string): Promise<Sample[]> => {
  const samples: Sample[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    samples.push(await ask(agent, origin, fresh(path)));
    await sleep(PAUSE_MS);
  }
  return samples;
};

/** Ms until an answer is as with everything there; for limits by the route that says so. */
const healed = async (agent: Agent, origin: string, { path, healthy }: Outage): Promise<number> => {
  const begun = performance.now();
  const witness = path === '/limit' ? '/strict' : path;
  while (performance.now() - begun < GIVE_UP_MS) {
    const { status } = await ask(agent, origin, fresh(witness));
    if (status === healthy) return performance.now() - begun;
    await sleep(POLL_MS);
  }
  return Number.NaN;
};

const tooks = (samples: readonly Sample[]): number[] => samples.map(({ tookMs }) => tookMs);

const measureOutage = async (world: OutageWorld, agent: Agent, outage: Outage) => {
  const { origin } = world;
  const { row, what, path } = outage;
  say(`${row}: ${what}, ${path}`);
  const before = await askMany(agent, origin, path);
  await outage.begin(world);
  const during = await askMany(agent, origin, path);
  await outage.end(world);
  const backMs = await healed(agent, origin, outage);
  const statuses = [...new Set(during.map(({ status }) => status))].join(' ');
  const normalMs = percentile(tooks(before), 0.5);
  return {
    ...{ row, what, path, statuses, normalMs, backMs },
    firstMs: during[0]?.tookMs ?? Number.NaN,
    p50Ms: percentile(tooks(during), 0.5),
    p99Ms: percentile(tooks(during), 0.99),
    maxMs: Math.max(...tooks(during)),
    // What the waits until the breaker opened, and its one question a second, took: answers that were late by much.
    late: tooks(during).filter((ms) => ms > normalMs + 20).length,
  };
};

/** D8: collectors that accept and never answer, beside none. */
const measureCollectors = async ({ origin }: OutageWorld, agent: Agent) => {
  say('D8: collectors that never answer');
  const plain = tooks(await askMany(agent, origin, '/plain'));
  const traced = tooks(await askMany(agent, origin, '/traced'));
  return { plainP50Ms: percentile(plain, 0.5), tracedP50Ms: percentile(traced, 0.5) };
};

/** D7: an upstream that accepts and never answers, at a read timeout of 2,000 ms. */
const measureMuteUpstream = async ({ origin }: OutageWorld, agent: Agent) => {
  say('D7: an upstream that never answers');
  const samples = await Promise.all(Array.from({ length: MUTE_REQUESTS }, () => ask(agent, origin, '/mute')));
  const statuses = [...new Set(samples.map(({ status }) => status))].join(' ');
  return { statuses, leastMs: Math.min(...tooks(samples)), mostMs: Math.max(...tooks(samples)) };
};

/** C4: NATS, registry and Redis away. @returns ms from the start of the process until it serves and is ready. */
const measureBoot = async (world: OutageWorld, agent: Agent): Promise<number> => {
  say('C4: an edge starts with everything away');
  const first = await world.startEdge();
  await serving(agent, first.origin);
  await sleep(1000); // what it serves is written down within 300 ms
  await first.end();
  await Promise.all([world.nats.kill(), world.redis.kill()]); // and with NATS the registry is out of reach
  const begun = performance.now();
  const { origin, end } = await world.startEdge();
  await serving(agent, origin);
  const tookMs = performance.now() - begun;
  await end();
  return tookMs;
};

const serving = async (agent: Agent, origin: string): Promise<void> => {
  const until = performance.now() + GIVE_UP_MS;
  while ((await ask(agent, origin, '/plain')).status !== 200) {
    if (performance.now() > until) throw new Error(`${origin} does not serve`);
    await sleep(POLL_MS);
  }
};

const main = async (): Promise<void> => {
  await using world = await OutageWorld.start();
  const agent = new Agent({ keepAlive: true });
  for (const path of ['/plain', '/auth', '/strict', '/traced']) await askMany(agent, world.origin, path);
  const rows = [];
  for (const outage of OUTAGES) rows.push(await measureOutage(world, agent, outage));
  const collectors = await measureCollectors(world, agent);
  const muteUpstream = await measureMuteUpstream(world, agent);
  const bootMs = await measureBoot(world, agent);
  agent.destroy();
  const head = ['', 'asked', 'answers', 'normal p50', 'first', 'p50', 'p99', 'max', 'late', 'back after'];
  const cells = rows.map((one) => [
    ...[`${one.row} ${one.what}`, one.path, one.statuses],
    ...[one.normalMs, one.firstMs, one.p50Ms, one.p99Ms, one.maxMs].map((ms) => fixed(ms, 1)),
    ...[`${one.late}`, fixed(one.backMs, 0)],
  ]);
  process.stdout.write(`${tableText(head, cells)}\n\nms; ${REQUESTS} requests each\n`);
  const { plainP50Ms, tracedP50Ms } = collectors;
  process.stdout.write(
    `D8 p50 ${fixed(plainP50Ms, 1)} without, ${fixed(tracedP50Ms, 1)} with mute collectors\n`,
  );
  const { statuses, leastMs, mostMs } = muteUpstream;
  process.stdout.write(
    `D7 ${MUTE_REQUESTS} requests, read timeout 2000 ms: ${statuses} after ${fixed(leastMs, 0)} to ${fixed(mostMs, 0)} ms\n`,
  );
  process.stdout.write(
    `C4 serves ${fixed(bootMs, 0)} ms after its start with NATS, registry and Redis away\n`,
  );
  saveJson('outages', { rows, collectors, muteUpstream, bootMs });
};

await main();
