/**
 * `npm run test:faults -- --partition SECONDS [--kills N]`: how soon after a fault all edges hold the same
 * configuration again. One edge is cut off while 20 changes are made, by each kind of partition; and the registry is
 * killed when a change is written and it does not know so yet.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { configLiveCommitted } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { call, type NetworkFault, silentLogger } from '@sluice/testkit';
import { generationAt } from './config-load.ts';
import { GatewayWorld } from './gateway-world.ts';

const CHANGES = 20;
const WITHIN_MS = 2000;
const GIVE_UP_MS = 60_000;
const POLL_MS = 2;
/** What the registry is told comes so late that it is killed before. */
const ACK_DELAY_MS = 300;
/** `partition`: what is sent meanwhile comes later; `blackhole`: connections opened meanwhile are lost. */
export const CUTS = ['partition', 'blackhole', 'refuse'] as const satisfies NetworkFault['kind'][];

export interface Cut {
  readonly kind: (typeof CUTS)[number];
  readonly forMs: number;
  readonly changes: number;
}

const hashAt = async (statusUrl: string): Promise<unknown> => {
  const { text } = await call(statusUrl, '/status');
  return (JSON.parse(text) as { configuration_hash?: unknown }).configuration_hash;
};

/** Whether every edge holds the same configuration and serves its newest change. */
const haveConverged = async ({ edges, config }: GatewayWorld): Promise<boolean> => {
  const [hashes, generations] = await Promise.all([
    Promise.all(edges.map(({ part }) => hashAt(part.statusUrl))),
    Promise.all(edges.map(({ url }) => generationAt(url))),
  ]);
  return new Set(hashes).size === 1 && generations.every((generation) => generation === config.sent);
};

/** @returns ms from `since` until it is so; throws when it does not become so. */
const until = async (isSo: () => Promise<boolean>, since = performance.now()): Promise<number> => {
  while (!(await isSo().catch(() => false))) {
    if (performance.now() - since > GIVE_UP_MS) throw new Error(`edges differ after ${GIVE_UP_MS} ms`);
    await sleep(POLL_MS);
  }
  return performance.now() - since;
};

/** Sends a change, and returns when the first edge serves it; its answer waits for the edges that are cut off. */
const change = async ({ edges: [near], config }: GatewayWorld): Promise<{ answer: Promise<boolean> }> => {
  const answer = config.post();
  await until(async () => near !== undefined && (await generationAt(near.url)) === config.sent);
  return { answer };
};

/** Cuts the second edge off while changes are made. @returns ms after healing until all edges are equal. */
export const cutOff = async (world: GatewayWorld, { kind, forMs, changes }: Cut): Promise<number> => {
  const begun = performance.now();
  world.farLink.inject({ kind });
  const answers: Promise<boolean>[] = [];
  for (let n = 1; n <= changes; n++) {
    answers.push((await change(world)).answer);
    await sleep(Math.max(0, begun + (n * forMs) / changes - performance.now()));
  }
  if (await haveConverged(world)) throw new Error('the second edge was not cut off');
  world.farLink.heal();
  const tookMs = await until(() => haveConverged(world));
  await Promise.all(answers);
  return tookMs;
};

/** Kills the registry between the write of a change and its knowing so. @returns ms until all edges have the change. */
export const killAfterWrite = async (world: GatewayWorld): Promise<number> => {
  const { quota, configLink, registry, config } = world;
  const bus = Bus.open({ url: quota.nats.url, name: 'watcher', logger: silentLogger() });
  try {
    const written = Promise.withResolvers<void>();
    bus.on(configLiveCommitted, () => written.resolve());
    await (await bus.connection).flush();
    configLink.inject({ kind: 'delay', ms: ACK_DELAY_MS });
    const answer = config.post();
    await written.promise;
    await registry.kill();
    const begun = performance.now();
    configLink.heal();
    const tookMs = await until(() => haveConverged(world), begun);
    const wasInTime = !(await answer);
    await registry.start();
    await registry.ready();
    if (!(await haveConverged(world))) throw new Error('the change was lost with the registry');
    return wasInTime ? tookMs : await killAfterWrite(world); // on a busy machine the signal may come late
  } finally {
    await bus.close();
  }
};

/** @returns how often the edges took longer than they may. */
export const measureConvergence = async (options: {
  readonly seconds: number;
  readonly kills: number;
  readonly say: (line: string) => void;
}): Promise<number> => {
  const { seconds, kills, say } = options;
  await using world = await GatewayWorld.start();
  let late = 0;
  const judge = (what: string, tookMs: number) => {
    if (tookMs > WITHIN_MS) late += 1;
    say(`${what}: the same configuration everywhere after ${tookMs.toFixed(0)} ms`);
  };
  for (const kind of CUTS) {
    const tookMs = await cutOff(world, { kind, forMs: seconds * 1000, changes: CHANGES });
    judge(`${kind} of one edge for ${seconds} s, ${CHANGES} changes, healed`, tookMs);
  }
  for (let n = 1; n <= kills; n++)
    judge(`registry killed after its write, ${n}`, await killAfterWrite(world));
  say(`later than ${WITHIN_MS} ms: ${late} of ${CUTS.length + kills}`);
  return late;
};
