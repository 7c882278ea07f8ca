import { type Answer, eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from './conformance/world.ts';
import { limitDecisions } from './gateway.ts';

const LIMIT = 2000;
/** A fifth of what is left, shared by the edges, of each of two leases that one may hold at a time. */
const LARGEST_LEASE = (2 * LIMIT) / 5 / 4;

/** `count` requests, 32 at a time, each on a connection of its own: so they meet every edge. Calls `at` half-way. */
const offer = async (world: World, path: string, count: number, at?: () => void): Promise<Answer[]> => {
  const answers: Answer[] = [];
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      sent += 1;
      if (sent === count / 2) at?.();
      const answer = await world.ask(path).catch((error: unknown) => {
        if (at === undefined) throw error; // else it was under way at the edge that died
      });
      if (answer !== undefined) answers.push(answer);
    }
  };
  await Promise.all(Array.from({ length: 32 }, client));
  return answers;
};

const admitted = (answers: readonly Answer[]): number =>
  answers.filter(({ status }) => status === 200).length;

test('given four edges, then a small limit is met exactly, and a large one is never passed though the limiter is hardly asked', async () => {
  await using world = await World.start({}, ['--edges', '4']);
  const limited = (name: string, config: Record<string, unknown>) => ({
    name,
    paths: [`/${name}`],
    plugins: [{ name: 'rate-limiting', config: { limit_by: 'ip', ...config } }],
  });
  await world.load({
    services: [
      world.service('echo', [
        limited('warm', { minute: 10_000, exact: true }),
        limited('small', { minute: 100 }),
        limited('exact', { minute: 1000, exact: true }),
        limited('large', { minute: 2000 }),
      ]),
    ],
  });
  await eventually(() => new Date().getUTCSeconds() < 40, 30_000); // everything in one window

  // On a busy machine the limiter may be too late for a request; then the edge decides alone, and says so.
  await offer(world, '/warm', 100);
  const start = await limitDecisions(world);
  const small = admitted(await offer(world, '/small', 150));
  const exact = admitted(await offer(world, '/exact', 1100));
  const middle = await limitDecisions(world);
  const alone = (middle.local ?? 0) - (start.local ?? 0);
  expect(small).toBeGreaterThanOrEqual(100);
  expect(exact).toBeGreaterThanOrEqual(1000);
  expect(small + exact).toBeLessThanOrEqual(1100 + alone);
  expect(middle.lease ?? 0).toBe(start.lease ?? 0);

  const answers = await offer(world, '/large', 2400);
  const end = await limitDecisions(world);
  const made = (source: string) => (end[source] ?? 0) - (middle[source] ?? 0);
  expect(admitted(answers)).toBeLessThanOrEqual(2000 + made('local'));
  expect(admitted(answers)).toBeGreaterThanOrEqual(1900);
  expect(made('lease')).toBeGreaterThan(2 * made('service'));
}, 120_000);

test('given an edge is killed while it holds a lease, then the limit is never passed, and at most its lease is missing', async () => {
  await using world = await World.start({}, ['--edges', '4']);
  const route = { name: 'large', paths: ['/large'] };
  const config = { limit_by: 'ip', minute: LIMIT };
  await world.load({
    services: [world.service('echo', [{ ...route, plugins: [{ name: 'rate-limiting', config }] }])],
  });
  await eventually(async () => (await world.ask('/other')).status === 404);
  await eventually(() => new Date().getUTCSeconds() < 20, 45_000); // everything in one window
  const start = await limitDecisions(world);
  const [pid = 0] = world.gateway.ready.pids['edge-proxy'];

  // Half of them are half of the limit: every edge holds a lease then.
  const answers = await offer(world, '/large', LIMIT, () => process.kill(pid, 'SIGKILL'));
  const rest = await offer(world, '/large', LIMIT);

  const passed = admitted(answers) + admitted(rest);
  const end = await limitDecisions(world);
  expect(end.lease ?? 0).toBeGreaterThan(start.lease ?? 0);
  // Decided alone: by edges that live; what the killed one decided alone is not told any more.
  expect(passed).toBeLessThanOrEqual(LIMIT + (end.local ?? 0));
  expect(passed).toBeGreaterThanOrEqual(LIMIT - LARGEST_LEASE - (LIMIT - answers.length));
}, 120_000);
