import { type Answer, eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from './conformance/world.ts';
import { limitDecisions } from './gateway.ts';

/** `count` requests, 32 at a time, each on a connection of its own: so they meet every edge. */
const offer = async (world: World, path: string, count: number): Promise<Answer[]> => {
  const answers: Answer[] = [];
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      sent += 1;
      answers.push(await world.ask(path));
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
