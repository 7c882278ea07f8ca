import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeCandidate } from '@sluice/config-log';
import { configApplied, configOffered } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { eventually } from '@sluice/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

// Beside the packages: under the test runner a plugin's imports are resolved as everybody's.
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(import.meta.dirname, 'plugins-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (version: string, config = 'z.strictObject({})', file = 'mine.ts') =>
  writeFileSync(
    join(folder, file),
    `import { z } from 'zod';
     import { definePlugin } from '@sluice/plugins';
     export const plugin = definePlugin({ name: 'mine', priority: 5, summary: 's', config: ${config},
       response: ({ toClient }) => toClient.set('X-Mine', '${version}') });`,
  );

/** An edge with a folder, and what it says about the commits it sees. */
const started = async (upstream: Upstream) => {
  const to = service('up', upstream.url);
  const entities = { services: [to], routes: [route('all', to)] };
  const world = await EdgeWorld.start(entities, { PLUGINS_DIR: folder });
  const said: { version: number; outcome: string; reason?: string | undefined }[] = [];
  world.bus.on(configApplied, ({ version, outcome, reason }) => {
    said.push({ version, outcome, reason });
  });
  const mine = async () => (await call(world.port, '/x')).headers['x-mine'];
  const problems = async () => {
    const { ports } = world.edges[0] ?? { ports: { status: 0 } };
    return (await call(ports.status, '/readyz')).json<{ problems: Record<string, string> }>().problems;
  };
  return { world, entities, said, mine, problems };
};

test('given a commit that names a plugin the edge has not, then it is refused by name, the rest serves, and the file heals it', async () => {
  await using upstream = await Upstream.start();
  const { world, entities, said, mine, problems } = await started(upstream);
  await using _closing = world;

  await world.commit({ ...entities, plugins: [plugin('mine', {})] });
  await eventually(() => said.some(({ outcome }) => outcome === 'refused'));
  expect(said.find(({ outcome }) => outcome === 'refused')?.reason).toContain(
    'this edge has no plugin named "mine"; put its file into PLUGINS_DIR',
  );
  expect((await problems()).refused).toContain('no plugin named "mine"');
  expect((await call(world.port, '/x')).status).toBe(200);

  const { version } = said.at(-1) ?? { version: 0 };
  write('one');
  await eventually(async () => (await mine()) === 'one');
  await eventually(() => said.at(-1)?.outcome === 'applied' && said.at(-1)?.version === version);
  expect(await problems()).not.toHaveProperty('refused');
});

test('given a file put there right before the commit, then no edge refuses it even for a moment', async () => {
  await using upstream = await Upstream.start();
  const { world, entities, said, mine } = await started(upstream);
  await using _closing = world;

  write('one');
  await world.commit({ ...entities, plugins: [plugin('mine', {})] });
  await eventually(async () => (await mine()) === 'one');
  expect(said.filter(({ outcome }) => outcome === 'refused')).toEqual([]);
});

test('given a plugin in use, when its file changes, misfits and goes, then the newest code that fits serves', async () => {
  await using upstream = await Upstream.start();
  const { world, entities, said, mine, problems } = await started(upstream);
  await using _closing = world;
  write('one');
  const plugins = [plugin('mine', {})];
  await world.commit({ ...entities, plugins });
  await eventually(async () => (await mine()) === 'one');

  write('second');
  await eventually(async () => (await mine()) === 'second');

  write('misfit', 'z.strictObject({ needed: z.string() })');
  await eventually(async () => (await problems()).plugins?.includes('config.needed') === true);
  expect(await mine()).toBe('second');

  rmSync(join(folder, 'mine.ts'));
  const other = route('other', entities.services[0] ?? null, { paths: ['/other'] });
  await world.commit({ ...entities, routes: [...entities.routes, other], plugins });
  expect(await mine()).toBe('second');
  expect(said.filter(({ outcome }) => outcome === 'refused')).toEqual([]);
});

test('given a candidate that is tried, when the file of its plugin changes, then it has the new code and stays', async () => {
  await using upstream = await Upstream.start();
  const { world, entities, mine } = await started(upstream);
  await using _closing = world;
  write('one');
  const tried = ConfigState.fromEntities({ ...entities, plugins: [plugin('mine', {})] });
  const { epoch, version } = world.position;
  const id = await storeCandidate(world.jetstream, tried, world.position);
  const offer = { id, base: { epoch, version }, instance: 'r', edges: ['edge-0'], leaseMs: 60_000 };
  world.bus.publish(configOffered, offer);
  await eventually(async () => (await mine()) === 'one');

  write('two');

  await eventually(async () => (await mine()) === 'two'); // the log's configuration has no such header
});
