import { afterAll, beforeAll, expect, test } from 'vitest';
import { CUTS, cutOff, killAfterWrite } from './faults/convergence.ts';
import { GatewayWorld } from './faults/gateway-world.ts';
import { FaultRun } from './faults/rounds.ts';
import { postsRow } from './faults/row-posts.ts';
import { reloadsRow } from './faults/row-reloads.ts';
import { type Fault, type Part, roundOf } from './faults/schedule.ts';

// The long form: npm run test:faults -- --rounds 50
const SEED = Number(process.env.FAULT_SEED ?? 3);
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
const STARTS_WITHIN_MS = 200_000;

const stack = new AsyncDisposableStack();
let world: GatewayWorld;
beforeAll(async () => {
  world = stack.use(await GatewayWorld.start());
}, STARTS_WITHIN_MS);
afterAll(() => stack.disposeAsync());

test(
  `given ${ROUNDS} rounds of faults on everything under load (seed ${SEED}), then no guarantee is violated`,
  async () => {
    const said: string[] = [];
    const run = new FaultRun(world, (line) => said.push(line));

    await run.rounds(ROUNDS, SEED);

    expect(
      run.results.flatMap(({ violations }) => violations),
      said.join('\n'),
    ).toEqual([]);
    expect(run.counts.requests).toBeGreaterThan(0);
    expect(run.counts.looks).toBeGreaterThan(0);
    expect(run.who.tally.of('let in')).toBeGreaterThan(0);
    expect(run.limits.tally.of('admitted')).toBeGreaterThan(0);
    expect(run.upstreams.tally.of('answered')).toBeGreaterThan(0);
  },
  120_000 + ROUNDS * 60_000,
);

/** At the middle of an answer most of these find one. */
const RESETS = Array.from({ length: 12 }, (_, n) => [50 + n * 100, 'link upstream-1', 'reset', 0] as const);
/**
 * What decisions need, and upstreams: when, what, how, for how long. Auth comes back while the issuer is away; later
 * Redis hangs, then NATS, and ratelimit is killed.
 */
const WITHOUT_DECISIONS: readonly (readonly [number, Part, Fault, number])[] = [
  ...RESETS,
  [0, 'link issuer', 'refuse', 3800],
  [50, 'auth', 'kill', 50],
  [150, 'link upstream-2', 'partition', 900],
  [1900, 'link limits-redis', 'partition', 500],
  [2450, 'link decisions-nats', 'partition', 900],
  [3400, 'ratelimit', 'kill', 200],
];

test('given auth, ratelimit, their links, the issuer and upstreams are hurt, then each route does what its row says, and all is exact again', async () => {
  const said: string[] = [];
  const run = new FaultRun(world, (line) => said.push(line));

  await run.withoutQuotas(
    WITHOUT_DECISIONS.map(([atMs, part, fault, forMs]) => ({ part, fault, atMs, forMs })),
  );

  expect(
    run.results.flatMap(({ violations }) => violations),
    said.join('\n'),
  ).toEqual([]);
  expect(run.who.tally.of('503')).toBeGreaterThan(0);
  expect(run.limits.tally.text).toContain('by an edge alone');
  expect(run.upstreams.tally.of('broken off')).toBeGreaterThan(0);
}, 120_000);

// The long form, with its figures: npm run test:faults -- --partition 60
test('given an edge that is cut off for some changes, and a registry killed after its write, then all edges end equal', async () => {
  const within = { forMs: 200, changes: 2 };

  for (const kind of CUTS) expect(await cutOff(world, { kind, ...within })).toBeGreaterThan(0);
  expect(await killAfterWrite(world)).toBeGreaterThan(0);
}, 120_000);

// The long form, with C3, O3 and O4: npm run test:faults -- --gateway C1,C2,C3,O3,O4
test('given 24 documents posted at once, eight of them malformed, then one whole accepted document is live on every edge', async () => {
  const said: string[] = [];
  expect(await postsRow(world, { times: 2, say: (line) => said.push(line) }), said.join('\n')).toEqual([]);
}, 120_000);

test('given 60 reloads beside clients that keep their connections, some asking several requests at once, then nothing is lost', async () => {
  const said: string[] = [];
  expect(await reloadsRow(world, { reloads: 60, say: (line) => said.push(line) }), said.join('\n')).toEqual(
    [],
  );
}, 120_000);

test('given a seed, then every round of it is the same again, and another seed is another schedule', () => {
  expect(roundOf(7, 3)).toEqual(roundOf(7, 3));
  expect(roundOf(7, 3)).not.toEqual(roundOf(8, 3));
  const parts = new Set(
    Array.from({ length: 60 }, (_, n) => roundOf(7, n))
      .flat()
      .map(({ part }) => part),
  );
  expect(parts.size).toBe(17);
});
