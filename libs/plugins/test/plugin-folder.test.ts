import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
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
