/**
 * `npm run test:faults -- --events N [--kills N] [--seed S] [--tenants N]`: a long quota run. Duplicates, disorder
 * and poison are in the load; mirrors, Redis and nats-server are killed at random all the while; at the end there
 * may be no difference between what was published and what is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../../bench/measure/random.ts';
import { judgeQuota, quotaSettled, VersionWatch } from './quota-judge.ts';
import { Publisher, QuotaModel, quotaMessages } from './quota-load.ts';
import { QuotaWorld } from './quota-world.ts';

const PUBLISHED_AT_ONCE = 512;
const DOWN_AT_MOST_MS = 300;
const WATCHED_TENANTS = 50;
const WATCH_EVERY_MS = 20;
const SHOWN = 10;

export interface LongRun {
  readonly events: number;
  readonly kills: number;
  readonly tenants: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const VICTIMS = ['mirror 1', 'mirror 2', 'redis', 'nats'] as const;

const kill = async (world: QuotaWorld, random: () => number): Promise<(typeof VICTIMS)[number]> => {
  const share = random();
  const victim = share < 0.35 ? 'mirror 1' : share < 0.7 ? 'mirror 2' : share < 0.85 ? 'redis' : 'nats';
  const [first, second] = world.mirrors;
  const part = { 'mirror 1': first, 'mirror 2': second, redis: world.redis, nats: world.nats }[victim];
  await part?.kill();
  await sleep(DOWN_AT_MOST_MS * random());
  await part?.start();
  return victim;
};

/** Kills come evenly over the events: the next when so many are published. */
const killing = async (
  run: LongRun,
  world: QuotaWorld,
  model: QuotaModel,
): Promise<Record<string, number>> => {
  const random = randomOf(run.seed + 1);
  const kills: Record<string, number> = {};
  for (let n = 1; n <= run.kills; n++) {
    while (model.published < (n * run.events) / (run.kills + 1)) await sleep(5);
    const victim = await kill(world, random);
    kills[victim] = (kills[victim] ?? 0) + 1;
  }
  return kills;
};

const publishing = async (run: LongRun, world: QuotaWorld, model: QuotaModel): Promise<void> => {
  await using publisher = await Publisher.open(world.nats.url);
  const messages = quotaMessages(model, run.tenants, run.seed);
  const publishNext = async () => {
    while (model.published < run.events) await publisher.publish(messages.next().value);
  };
  await Promise.all(Array.from({ length: PUBLISHED_AT_ONCE }, publishNext));
};

/** @returns the number of violations. */
export const longRun = async (run: LongRun): Promise<number> => {
  await using world = await QuotaWorld.start();
  const { jetstream, redis } = world.outside;
  const model = new QuotaModel();
  const watch = new VersionWatch(
    redis,
    Array.from({ length: Math.min(WATCHED_TENANTS, run.tenants) }, (_, n) => `tenant-${n}`),
  );
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await sleep(WATCH_EVERY_MS)) await watch.look();
  })();
  const begun = performance.now();
  const killed = killing(run, world, model);
  await publishing(run, world, model);
  const kills = await killed;
  const publishedS = (performance.now() - begun) / 1000;
  await quotaSettled(jetstream, redis);
  const settledS = (performance.now() - begun) / 1000;
  isOver = true;
  await watching;
  const { wrong, poison } = await judgeQuota(model, jetstream, redis);
  const { lastSeq } = await jetstream.streamInfo('QUOTAS');
  run.say(
    `${run.events} events published, ${lastSeq} stored, ${model.poison.size} of them poison, ${run.tenants} tenants, seed ${run.seed}`,
  );
  run.say(`kills: ${VICTIMS.map((victim) => `${victim} ${kills[victim] ?? 0}`).join(', ')}`);
  run.say(
    `published in ${publishedS.toFixed(1)} s, settled after ${settledS.toFixed(1)} s: ${Math.round(run.events / settledS)} events/s`,
  );
  run.say(`versions looked at ${watch.looks} times, ${watch.decreases.length} went back (Q2)`);
  run.say(`differences from the model: ${wrong.length} (Q1, Q3), dead letters: ${poison.length} (Q4)`);
  const violations = [...wrong, ...poison, ...watch.decreases];
  for (const one of violations.slice(0, SHOWN)) run.say(`  ${one}`);
  return violations.length;
};
