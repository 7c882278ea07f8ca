import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '@sluice/testkit';
import { QuotaFlow } from './quota-flow.ts';
import { quotaSettled } from './quota-judge.ts';
import type { QuotaWorld } from './quota-world.ts';

const BACK_WITHIN_MS = 120_000;
const AT_ONCE = 500;

export interface EmptiedRun {
  readonly tenants: number;
  readonly perSecond: number;
  readonly say: (line: string) => void;
}

const EMPTYING = [
  { how: 'FLUSHALL', name: 'flushed', empty: ({ outside }: QuotaWorld) => outside.redis.flushall() },
  {
    how: 'a restart without data',
    name: 'restarted',
    empty: async ({ redis }: QuotaWorld) => {
      await redis.kill();
      rmSync(join(redis.dataDir, 'appendonlydir'), { recursive: true, force: true });
      await redis.start();
    },
  },
] as const;

/** Tenants whose state in Redis is not there, or older than what was confirmed before. */
const missing = async (world: QuotaWorld, confirmed: ReadonlyMap<string, number>): Promise<number> => {
  const tenants = [...confirmed];
  let found = 0;
  for (let from = 0; from < tenants.length; from += AT_ONCE) {
    const some = tenants.slice(from, from + AT_ONCE);
    const held = await Promise.all(
      some.map(([tenant]) => world.outside.redis.hget(QuotaFlow.keyOf(tenant), 'used')),
    ).catch(() => []); // Redis is away: all are missing
    found += some.filter(([, used], n) => !(Number(held[n] ?? -1) >= used)).length;
  }
  return found;
};

/** Whether all mirrors say that Redis holds everything. */
const saysComplete = async ({ mirrors }: QuotaWorld): Promise<boolean> => {
  const answers = await Promise.all(mirrors.map(({ statusUrl }) => call(statusUrl, '/readyz')));
  return answers.every(({ status, text }) => status === 200 && !text.includes('being rebuilt'));
};

interface Emptied {
  readonly backMs: number;
  readonly flaggedMs: number | undefined;
  readonly unflaggedMs: number;
  /** Tenants that were missing when the flag was gone. */
  readonly missingThen: number;
}

/** Watches until everything is back and the mirrors say so. */
const untilBack = async (world: QuotaWorld, confirmed: ReadonlyMap<string, number>): Promise<Emptied> => {
  const begun = performance.now();
  const since = () => performance.now() - begun;
  let backMs: number | undefined;
  let flaggedMs: number | undefined;
  while (since() < BACK_WITHIN_MS) {
    const isComplete = await saysComplete(world);
    const left = await missing(world, confirmed);
    if (!isComplete) flaggedMs ??= since();
    if (left === 0) backMs ??= since();
    if (
      isComplete &&
      (flaggedMs !== undefined || left === 0) &&
      (await world.outside.redis.exists('quota:meta:loaded')) === 1
    )
      return { backMs: backMs ?? since(), flaggedMs, unflaggedMs: since(), missingThen: left };
    await sleep(10);
  }
  throw new Error(`${await missing(world, confirmed)} tenants are not back after ${BACK_WITHIN_MS} ms`);
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/**
 * Q5: Redis is emptied while events go on. Told is when every tenant is back, with a state at least as new as was
 * confirmed before, and when the mirrors said that Redis is not complete.
 * @returns what was not so.
 */
export const emptiedRow = async (world: QuotaWorld, run: EmptiedRun): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const { how, name, empty } of EMPTYING) {
    const flow = new QuotaFlow(world, { ...run, name });
    while (flow.confirmed.size < run.tenants) await flow.publishDue().then(() => sleep(1));
    const confirmed = new Map(flow.confirmed);
    let isBack = false;
    const flowing = (async () => {
      for (; !isBack; await sleep(1)) await flow.publishDue();
    })();
    await empty(world);
    const found = await untilBack(world, confirmed).finally(() => {
      isBack = true;
    });
    await flowing;
    await flow.allSeen(BACK_WITHIN_MS);
    await quotaSettled(world.outside.jetstream, world.outside.redis);
    const left = await missing(world, flow.confirmed);
    if (left > 0) wrong.push(`${how}: ${left} tenants are behind what was confirmed`);
    if (found.missingThen > 0)
      wrong.push(`${how}: complete was said with ${found.missingThen} tenants missing`);
    const flag =
      found.flaggedMs === undefined
        ? 'not seen'
        : `from ${seconds(found.flaggedMs)} to ${seconds(found.unflaggedMs)}`;
    run.say(
      `Q5 ${how} beside ${flow.published} events: ${run.tenants} tenants back after ${seconds(found.backMs)}, "being rebuilt" ${flag}`,
    );
  }
  return wrong;
};
