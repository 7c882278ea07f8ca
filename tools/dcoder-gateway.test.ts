import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unusedKongNames, withKongNames } from '../libs/service-kit/src/kong-environment.ts';
import { Settings as Mirror } from '../services/quota-mirror/src/settings.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/guides/from-dcoder-gateway.md'), 'utf8');

/** The cells of a table under a heading. */
const rowsUnder = (heading: string): string[][] =>
  (PAGE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
    .slice(1)
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
const namesIn = (text = ''): string[] =>
  [...text.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name);

test('the configuration of the original gateway loads', () => {
  const said = execFileSync(process.execPath, ['cli/src/main.ts', 'check', 'config/kong.yml'], {
    ...{ cwd: ROOT, encoding: 'utf8', stdio: 'pipe' },
  });
  expect(said).toContain('config/kong.yml is valid');
});

test('every name of the original environment is read as the page says, or told of', () => {
  const rows = rowsUnder('Environment');
  expect(rows.flatMap(([there]) => namesIn(there)).length).toBe(14);
  for (const [there, here = ''] of rows)
    for (const name of namesIn(there)) {
      if (here.startsWith('not read')) expect(unusedKongNames({ [name]: 'x' }), name).toContain(name);
      else if (here === 'read by quota-mirror') expect(Object.keys(Mirror.shape), name).toContain(name);
      else expect(withKongNames({ [name]: 'x' })[namesIn(here)[0] ?? ''], name).toBe('x');
    }
});
