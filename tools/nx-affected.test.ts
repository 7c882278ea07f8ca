import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** What `nx affected` would work on after a change of these files. */
const affectedBy = (...files: string[]): string[] =>
  execFileSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/nx/dist/bin/nx.js'),
      'show',
      'projects',
      '--affected',
      `--files=${files.join(',')}`,
    ],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false' },
    },
  )
    .trim()
    .split('\n');

test('given a change in one service alone, when asked what is affected, then no other project is', () => {
  expect(affectedBy('services/auth/src/verify-jwt.ts')).toEqual(['@sluice/auth']);
});

test('given a change in the console, when asked what is affected, then the registry is, which holds it in its bundle', () => {
  expect(affectedBy('console/src/app.tsx').toSorted()).toEqual([
    '@sluice/config-registry',
    '@sluice/console',
  ]);
});

test('given a change in the contracts, when asked what is affected, then every service is', () => {
  const affected = affectedBy('libs/contracts/src/contract.ts');
  for (const service of ['auth', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'])
    expect(affected).toContain(`@sluice/${service}`);
});
