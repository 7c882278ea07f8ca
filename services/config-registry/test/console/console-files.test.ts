import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConsoleFiles } from '../../src/console/console-files.ts';

const folderOf = (files: Readonly<Record<string, string>>) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-console-files-'));
  mkdirSync(join(folder, 'assets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
};

test('given a build, then its files are kept with their packed forms; what is no part of a page is left out', async () => {
  using built = folderOf({
    ...{ 'index.html': '<p>', 'assets/a-1.js': 'plain', 'assets/a-1.js.br': 'packed' },
    ...{ 'assets/a-1.js.map': '{}', 'assets/notes.txt': 'no' },
  });
  const files = await new ConsoleFiles([join(built.folder, 'nowhere'), built.folder]).all();
  expect([...(files?.keys() ?? [])].toSorted()).toEqual(['a-1.js', 'index.html']);
  const script = files?.get('a-1.js');
  expect(script?.type).toBe('text/javascript; charset=utf-8');
  expect([`${script?.plain}`, `${script?.packed.br}`, script?.packed.gzip]).toEqual([
    ...['plain', 'packed', undefined],
  ]);
});

test('given no build, then there are no files until one is made', async () => {
  using empty = folderOf({});
  const files = new ConsoleFiles([empty.folder]);
  expect(await files.all()).toBeUndefined();
  writeFileSync(join(empty.folder, 'index.html'), '<p>');
  expect((await files.all())?.size).toBe(1);
});
