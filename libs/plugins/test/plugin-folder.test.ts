import { cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PluginFolder } from '../src/plugin-folder.ts';

// Beside the packages, so that a plugin's own imports resolve as they do for a user.
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(import.meta.dirname, 'folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SAMPLE = join(import.meta.dirname, '../../../plugins/my-plugin.ts');
const source = (name: string, extra = '') => `
import { z } from 'zod';
import { definePlugin } from '@sluice/plugins';
export const plugin = definePlugin({ name: '${name}', priority: 5, summary: 's', config: z.strictObject({}), ${extra} });`;
const write = (file: string, text: string, secondsAhead = 0) => {
  writeFileSync(join(folder, file), text);
  const at = Date.now() / 1000 + secondsAhead;
  utimesSync(join(folder, file), at, at);
};

test('given the sample file, when the folder is read, then it is a plugin beside the built-in ones', async () => {
  cpSync(SAMPLE, join(folder, 'my-plugin.ts'));
  const plugins = new PluginFolder(folder);
  expect(await plugins.refresh()).toBe(true);
  expect(plugins.problems).toEqual([]);
  expect(plugins.get('my-plugin')?.config.safeParse({ my_setting: 'x' }).success).toBe(true);
  expect(plugins.names()).toContain('jwt');
  expect(plugins.names().indexOf('my-plugin')).toBeGreaterThan(plugins.names().indexOf('rate-limiting'));
});

test('given a file that changes, breaks and goes, when read again, then the plugin follows, stays, and goes', async () => {
  const plugins = new PluginFolder(folder);
  write('a.ts', source('first'));
  await plugins.refresh();
  expect(plugins.get('first')).toBeDefined();
  expect(await plugins.refresh()).toBe(false);

  write('a.ts', source('second'), 10);
  expect(await plugins.refresh()).toBe(true);
  expect(plugins.get('first')).toBeUndefined();
  expect(plugins.get('second')).toBeDefined();

  write('a.ts', 'export const broken = ;', 20);
  expect(await plugins.refresh()).toBe(false);
  expect(plugins.get('second')).toBeDefined();
  expect(plugins.problems).toMatchObject([{ file: 'a.ts' }]);

  rmSync(join(folder, 'a.ts'));
  expect(await plugins.refresh()).toBe(true);
  expect(plugins.get('second')).toBeUndefined();
  expect(plugins.problems).toEqual([]);
});

test.each([
  ['a built-in name', source('jwt'), 'built in'],
  ['a bad name', source('Not A Name'), 'lower-case'],
  ['nothing to use', 'export const x = 1;', 'exports no plugin'],
])(
  'given a file with %s, when read, then it is named with the reason and nothing else suffers',
  async (_what, text, reason) => {
    write('bad.ts', text);
    write('good.ts', source('good'));
    const plugins = new PluginFolder(folder);
    await plugins.refresh();
    expect(plugins.get('good')).toBeDefined();
    expect(plugins.problems).toMatchObject([{ file: 'bad.ts', problem: expect.stringContaining(reason) }]);
  },
);

test('given no folder at all, when read, then the built-in plugins are there', async () => {
  const plugins = new PluginFolder(join(tmpdir(), 'no-such-folder'));
  expect(await plugins.refresh()).toBe(false);
  expect(plugins.names()).toContain('cors');
});

test('given two files with one plugin, when one of them goes, then the other one’s is no problem any more', async () => {
  const plugins = new PluginFolder(folder);
  write('a.ts', source('same'));
  write('b.ts', source('same'));
  await plugins.refresh();
  expect(plugins.problems).toEqual([{ file: 'b.ts', problem: 'plugin "same" is in another file, too' }]);
  rmSync(join(folder, 'a.ts'));
  await plugins.refresh();
  expect(plugins.problems).toEqual([]);
  expect(plugins.get('same')).toBeDefined();
});

test('given an error, when its stack leads into a file, then the file’s plugin is named', async () => {
  write('faulty.ts', source('faulty', `access: () => { throw new Error('boom'); },`));
  const plugins = await PluginFolder.open(folder);
  const run = () => plugins.get('faulty')?.access?.({} as never, {}, {} as never);
  const thrown = await Promise.resolve()
    .then(run)
    .catch((error: unknown) => error);
  expect(plugins.ownerOf(thrown)).toBe('faulty');
  expect(plugins.ownerOf(new Error('elsewhere'))).toBeUndefined();
});

test('the plugin that the guide shows is loaded as it stands there', async () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/write-a-plugin.md'), 'utf8');
  write(
    'tenant-greeting.ts',
    /```ts file="plugins\/tenant-greeting\.ts"\n([\s\S]*?)```/.exec(guide)?.[1] ?? '',
  );
  const plugins = await PluginFolder.open(folder);
  expect(plugins.problems).toEqual([]);
  const { config, access } = plugins.get('tenant-greeting') ?? {};
  const exchange = { identity: { tenantId: 't-9' } };
  const answer = access?.(exchange as never, config?.parse({ closed: ['t-9'] }), {} as never);
  expect(answer).toMatchObject({ status: 403, body: { message: 'tenant t-9 is closed' } });
});
