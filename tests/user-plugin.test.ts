import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Document, World } from './conformance/world.ts';

// Outside the repository: nothing of ours can be resolved from there.
const folder = mkdtempSync(join(tmpdir(), 'sluice-plugins-'));
const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

/** A plugin of a user's own, with types, as the guide shows it. */
const source = (name: string, handlers: string) => `
import { answerWith, definePlugin } from '@sluice/plugins';
import type { Exchange } from '@sluice/plugins';
import { z } from 'zod';

const forbidden = (exchange: Exchange): boolean => exchange.query === 'forbidden';

export const plugin = definePlugin({
  name: '${name}',
  priority: 700,
  summary: 'A plugin of a test.',
  config: z.strictObject({ word: z.string().min(1).default('x') }),
  ${handlers}
});
`;
const saying = (version: string) => `
  access(exchange, { word }) {
    if (forbidden(exchange)) return answerWith(403, { no: word });
    exchange.toUpstream.set('X-Word', word);
    return undefined;
  },
  response({ toClient }) {
    toClient.set('X-Version', '${version}');
  },`;

let world: World;
beforeAll(async () => {
  world = await World.start({ PLUGIN_TIMEOUT_MS: '300' }, ['--plugins', folder]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const withPlugins = (plugins: Readonly<Record<string, Document>>): Document => ({
  _format_version: '3.0',
  services: [
    world.service('echo', [
      { name: 'plain', paths: ['/plain'] },
      ...Object.entries(plugins).map(([name, config]) => ({
        name,
        paths: [`/${name}`],
        plugins: [{ name, config }],
      })),
    ]),
  ],
});
const metric = async (name: string): Promise<string[]> =>
  (await world.admin('/metrics')).text.split('\n').filter((line) => line.startsWith(name));
const BODY = '{"message":"An unexpected error occurred"}';

test('given a running gateway, when a file is dropped and named in the next configuration, then it acts at once', async () => {
  const refused = await world.post('/config', withPlugins({ greeter: { word: 'hello' } }));
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(
    "plugin 'greeter' not enabled; add it to the 'plugins' configuration property",
  );

  write('greeter.ts', source('greeter', saying('one')));
  await world.load(withPlugins({ greeter: { word: 'hello' } }));

  const { answer, seen } = await world.through('/greeter');
  expect(seen.headers['x-word']).toBe('hello');
  expect(answer.headers['x-version']).toBe('one');
  expect(await world.ask('/greeter?forbidden')).toMatchObject({ status: 403, text: '{"no":"hello"}' });
  expect((await world.ask('/plain')).headers['x-version']).toBeUndefined();
});

test('the Admin API knows it as any other plugin', async () => {
  const enabled = JSON.parse((await world.admin('/plugins/enabled')).text) as { enabled_plugins: string[] };
  expect(enabled.enabled_plugins).toContain('greeter');
  const schema = await world.admin('/schemas/plugins/greeter');
  expect(schema.status).toBe(200);
  expect(schema.text).toContain('"word"');
  const node = JSON.parse((await world.admin('/')).text) as { plugins: { available_on_server: object } };
  expect(node.plugins.available_on_server).toMatchObject({ greeter: { priority: 700 } });
  const wrong = await world.post('/plugins', { name: 'greeter', config: { word: '', other: 1 } });
  expect(wrong.status).toBe(400);
  expect(JSON.parse(wrong.text)).toMatchObject({
    fields: { config: { word: 'length must be at least 1', other: 'unknown field' } },
  });
});

test('given requests under way, when its file is edited, then they change from one version to the next and none fails', async () => {
  const answers: Answer[] = [];
  let isOver = false;
  const client = async () => {
    while (!isOver) answers.push(await world.ask('/greeter'));
  };
  const clients = Array.from({ length: 4 }, client);
  await eventually(() => answers.length > 20);
  write('greeter.ts', source('greeter', saying('second')));
  await eventually(() => answers.slice(-4).every(({ headers }) => headers['x-version'] === 'second'));
  isOver = true;
  await Promise.all(clients);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const versions = answers.map(({ headers }) => headers['x-version']);
  expect(new Set(versions)).toEqual(new Set(['one', 'second']));
  expect(answers.length).toBeGreaterThan(20);
});

test('given a file that breaks, or no longer fits its configuration, then the code before goes on and the metrics say so', async () => {
  const problems = async () => Number(/ (\d+)$/.exec((await metric('sluice_plugin_problems'))[0] ?? '')?.[1]);
  write('greeter.ts', 'export const broken = ;');
  await eventually(async () => (await problems()) === 1);
  expect((await world.ask('/greeter')).headers['x-version']).toBe('second');

  write('greeter.ts', source('greeter', saying('fits no more')).replace("default('x')", 'max(2)'));
  const tooLong = { name: 'greeter', config: { word: 'hello' } };
  await eventually(async () => (await world.post('/schemas/plugins/validate', tooLong)).status === 400);
  await eventually(async () => (await problems()) === 1);
  expect((await world.ask('/greeter')).headers['x-version']).toBe('second');

  write('greeter.ts', source('greeter', saying('fourth')));
  await eventually(async () => (await world.ask('/greeter')).headers['x-version'] === 'fourth');
  expect(await problems()).toBe(0);

  rmSync(join(folder, 'greeter.ts'));
  await eventually(async () => !(await world.admin('/plugins/enabled')).text.includes('greeter'));
  expect((await world.ask('/greeter')).headers['x-version']).toBe('fourth');
  write('greeter.ts', source('greeter', saying('fourth')));
});

/** As the kubelet changes a mounted ConfigMap: a new folder, one link turned to it at once, the old folder gone. */
const mount = (version: string, before?: string) => {
  mkdirSync(join(folder, `..${version}`));
  write(`..${version}/mounted.ts`, source('mounted', saying(version)));
  symlinkSync(`..${version}`, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  if (before !== undefined) rmSync(join(folder, `..${before}`), { recursive: true });
};

test('given a file of a mounted ConfigMap, when the kubelet swaps it, then its new code serves, and the next one, too', async () => {
  const problems = () => metric('sluice_plugin_problems');
  mount('first');
  symlinkSync('..data/mounted.ts', join(folder, 'mounted.ts'));
  await world.load(withPlugins({ mounted: {} }));
  expect((await world.ask('/mounted')).headers['x-version']).toBe('first');

  for (const [before, version] of [
    ['first', 'second'],
    ['second', 'third'],
  ] as const) {
    mount(version, before);
    await eventually(async () => (await world.ask('/mounted')).headers['x-version'] === version);
  }
  expect((await problems()).map((line) => line.slice(-2))).toEqual([' 0']);
  rmSync(join(folder, 'mounted.ts'));
});

const FAULTS: Readonly<Record<string, string>> = {
  throws: `access() { throw new Error('boom'); },`,
  rejects: `async access() { await null; throw new Error('boom'); },`,
  hangs: `access: () => new Promise(() => undefined),`,
  returns: `access: () => ({ status: 403 }) as never,`,
  headers: `access({ toUpstream }) { toUpstream.set('X-Bad', 'a\\nb'); return undefined; },`,
};

test('given plugins that crash or hang, when they are asked, then 500 on their routes alone, counted by name', async () => {
  for (const [name, handlers] of Object.entries(FAULTS)) write(`${name}.ts`, source(name, handlers));
  write('answers.ts', source('answers', `response() { throw new Error('boom'); },`));
  write(
    'stray.ts',
    source(
      'stray',
      `
  access() {
    setTimeout(() => { throw new Error('stray'); });
    void Promise.reject(new Error('stray'));
    return undefined;
  },`,
    ),
  );
  const names = [...Object.keys(FAULTS), 'answers', 'stray'];
  await world.load(withPlugins(Object.fromEntries(names.map((name) => [name, {}]))));

  for (const name of Object.keys(FAULTS)) {
    const [failed, plain] = await Promise.all([world.ask(`/${name}`), world.ask('/plain')]);
    expect([name, failed.status, failed.text]).toEqual([name, 500, BODY]);
    expect(failed.headers['x-kong-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(plain.status).toBe(200);
  }
  expect((await world.ask('/answers')).status).toBe(200);
  expect((await world.ask('/stray')).status).toBe(200);

  const errors = await metric('sluice_plugin_errors_total');
  const counted = (plugin: string, phase: string, reason: string) =>
    errors.some((line) =>
      [`plugin="${plugin}"`, `phase="${phase}"`, `reason="${reason}"`].every((label) => line.includes(label)),
    );
  expect(errors.join('\n')).toContain('plugin="throws"');
  for (const name of ['throws', 'rejects', 'returns', 'headers'])
    expect(counted(name, 'access', 'thrown'), name).toBe(true);
  expect(counted('hangs', 'access', 'timeout')).toBe(true);
  expect(counted('answers', 'response', 'thrown')).toBe(true);
  await eventually(async () =>
    (await metric('sluice_plugin_errors_total')).some((line) => line.includes('background')),
  );
  expect((await world.ask('/plain')).status).toBe(200);
});

test('given a configuration whose plugin is gone since, when another is simulated, then the requests it served cannot be told', async () => {
  write('leaver.ts', source('leaver', saying('one')));
  await world.load(withPlugins({ leaver: {} }));
  await world.ask('/leaver');
  await world.load(withPlugins({}));
  rmSync(join(folder, 'leaver.ts'));
  await eventually(async () => expect((await world.admin('/plugins/enabled')).text).not.toContain('leaver'));

  await eventually(async () => {
    const told = await world.post('/sluice/simulate?since=600', withPlugins({}));
    expect(told.status).toBe(200);
    expect(told.text).toContain('that configuration, or a plugin in it, is no longer there');
  });
});
