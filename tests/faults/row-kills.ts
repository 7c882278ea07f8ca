import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../../bench/measure/random.ts';
import { judgeQuota, VersionWatch } from './quota-judge.ts';
import { Publisher, QuotaModel, quotaMessages } from './quota-load.ts';
import type { QuotaWorld } from './quota-world.ts';

const PUBLISHERS = 64;
const WATCH_EVERY_MS = 5;
const JUDGED_AFTER_MS = 10_000;

export interface KillsRun {
  readonly events: number;
  readonly tenants: number;
  /** Of each of quota-mirror, nats-server and redis-server. */
  readonly kills: number;
  /** Between two kills of the same, at random. */
  readonly everyMs: readonly [number, number];
  readonly seed: number;
  readonly say: (line: string) => void;
}

const VICTIMS = ['quota-mirror', 'nats-server', 'redis-server'] as const;
type Victim = (typeof VICTIMS)[number];

/** Kills and starts one of them again, so many times. @returns when the last start was, in ms, monotonic. */
const killing = async (
  world: QuotaWorld,
  victim: Victim,
  { kills, everyMs: [least, most], seed }: KillsRun,
): Promise<number> => {
  const random = randomOf(seed + 1 + VICTIMS.indexOf(victim));
  for (let n = 0; n < kills; n++) {
    await sleep(least + random() * (most - least));
    const mirror = world.mirrors[Math.floor(random() * world.mirrors.length)];
    const part = { 'quota-mirror': mirror, 'nats-server': world.nats, 'redis-server': world.redis }[victim];
    await part?.kill();
    await part?.start();
  }
  return performance.now();
};

/** Publishes evenly over the time that the kills take, and on until they are over. @returns the messages' model. */
const publishing = async (
  world: QuotaWorld,
  run: KillsRun,
  areKillsOver: () => boolean,
): Promise<QuotaModel> => {
  const model = new QuotaModel();
  await using publisher = await Publisher.open(world.nats.url);
  const messages = quotaMessages(model, run.tenants, run.seed);
  const expectedMs = (run.kills * (run.everyMs[0] + run.everyMs[1])) / 2;
  const begun = performance.now();
  const due = () => ((performance.now() - begun) / expectedMs) * run.events;
  const isOver = () => areKillsOver() && model.published >= run.events;
  const publishNext = async () => {
    while (!isOver()) {
      if (model.published < due()) await publisher.publish(messages.next().value);
      else await sleep(1);
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publishNext));
  return model;
};

/**
 * Q1 and Q2: events of many tenants, with duplicates and out of order, while a mirror, the nats-server and Redis are
 * each killed again and again. Every 5 ms the versions of all tenants are looked at; 10 s after the last of them has
 * started again everything that was acknowledged must be there.
 * @returns what is missing or went back.
 */
export const killsRow = async (world: QuotaWorld, run: KillsRun): Promise<readonly string[]> => {
  const { jetstream, redis } = world.outside;
  const tenants = Array.from({ length: run.tenants }, (_, n) => `tenant-${n}`);
  const watch = new VersionWatch(redis, tenants);
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await sleep(WATCH_EVERY_MS)) await watch.look();
  })();
  const kills = { areOver: false };
  const killed = Promise.all(VICTIMS.map((victim) => killing(world, victim, run))).finally(() => {
    kills.areOver = true;
  });
  const model = await publishing(world, run, () => kills.areOver);
  const published = performance.now();
  const lastStart = Math.max(...(await killed));
  await sleep(Math.max(published, lastStart) + JUDGED_AFTER_MS - performance.now());
  const judgedMs = performance.now() - lastStart;
  const { wrong, poison } = await judgeQuota(model, jetstream, redis);
  isOver = true;
  await watching;
  run.say(
    `Q1 ${model.published} events of ${run.tenants} tenants, ${run.kills} kills of each of ${VICTIMS.join(', ')}; ` +
      `${(judgedMs / 1000).toFixed(1)} s after the last start: ${wrong.length} differences, ${poison.length} dead letters amiss`,
  );
  run.say(
    `Q2 ${watch.looks} looks at the versions of all ${run.tenants} tenants: ${watch.decreases.length} went back`,
  );
  return [...wrong, ...poison, ...watch.decreases];
};
