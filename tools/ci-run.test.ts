import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'sluice-ci-'));
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=sluice', '-c', 'user.email=sluice@example.invalid', ...args], {
    ...{ cwd: folder, encoding: 'utf8' },
  }).trim();

/** A repository of two commits with .ci/run, whose npm, nx and node only say what they were asked for. */
beforeAll(() => {
  cpSync(join(ROOT, '.ci', 'run'), join(folder, '.ci', 'run'));
  const bin = join(folder, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['npm', 'nx']) writeFileSync(join(bin, name), '#!/bin/sh\n', { mode: 0o755 });
  const chosen = '#!/bin/sh\nprintf "%s\\n" --project=auth --project="of-$2"\n';
  writeFileSync(join(bin, 'node'), chosen, { mode: 0o755 });
  git('init', '--quiet', '--initial-branch=main');
  for (const file of ['package-lock.json', 'more']) {
    writeFileSync(join(folder, file), '{}\n');
    git('add', file);
    git('commit', '--quiet', '--message', `tests: ${file}`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (base: Record<string, string>) => {
  const { CI_BASE: _, ...env } = process.env;
  const path = `${join(folder, 'node_modules', '.bin')}:${env.PATH}`;
  const { status, stdout, stderr } = spawnSync(join(folder, '.ci', 'run'), {
    ...{ cwd: folder, encoding: 'utf8', env: { ...env, PATH: path, ...base } },
  });
  expect(status, stdout + stderr).toBe(0);
  return [...stdout.matchAll(/^==> (.*)$/gm)].map(([, step = '']) => step.trim());
};

const FIRST = [
  'npm install --no-audit --no-fund --loglevel=error',
  'git diff --exit-code package-lock.json',
  'npm run check',
];
const EVERYTHING = [...FIRST, 'npm run bundle', 'npm test'];

test('given no base, or one that is not here, when CI runs, then everything', () => {
  expect(run({})).toEqual(EVERYTHING);
  expect(run({ CI_BASE: '' })).toEqual(EVERYTHING);
  expect(run({ CI_BASE: 'origin/gone' })).toEqual(EVERYTHING);
});

test('given a base, when CI runs, then everything is checked, and what has changed since is bundled and tested', () => {
  const base = git('rev-parse', 'HEAD~1');
  expect(run({ CI_BASE: 'HEAD~1' })).toEqual([
    ...FIRST,
    `node_modules/.bin/nx affected -t bundle --base=${base}`,
    `npm test -- --project=auth --project=of-${base}`,
  ]);
});
