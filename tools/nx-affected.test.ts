import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import config from '../vitest.config.ts';
import { affectedRooms, testsFor } from './affected-tests.ts';

const ROOT = join(import.meta.dirname, '..');
const SERVICES = ['auth', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'];

test('given a change in one service alone, when asked what is affected, then no other project is', () => {
  const files = ['services/quota-mirror/src/keys.ts'];
  const rooms = affectedRooms(files);
  expect(rooms).toEqual(['quota-mirror']);
  expect(testsFor(files, rooms)).toEqual([
    'bundles',
    'e2e',
    'faults',
    'guides',
    'quota-mirror',
    'skew',
    'workspace',
  ]);
});

test('given a change in the console, when asked what is affected, then the registry is, which holds it in its bundle', () => {
  const files = ['console/src/app.tsx'];
  const rooms = affectedRooms(files);
  expect(rooms).toEqual(['config-registry', 'console']);
  expect(testsFor(files, rooms)).toContain('console-browser');
});

test('given a change in the contracts, when asked what is affected, then every service is, and all that runs them', () => {
  const files = ['libs/contracts/src/contract.ts'];
  const rooms = affectedRooms(files);
  expect(rooms).toEqual(expect.arrayContaining(SERVICES));
  expect(testsFor(files, rooms)).toEqual(
    expect.arrayContaining([...SERVICES, 'contracts', 'e2e', 'conformance', 'security', 'skew', 'faults']),
  );
});

test.each([
  ['README.md', ['e2e', 'guides', 'workspace']],
  ['docs/guides/develop.md', ['e2e', 'guides', 'workspace']],
  ['deploy/kubernetes/base/auth.yaml', ['bundles', 'e2e', 'faults', 'kubernetes', 'skew', 'workspace']],
  ['tests/verbs.test.ts', ['e2e', 'guides', 'workspace']],
  ['tests/security/fuzz.test.ts', ['security', 'workspace']],
  ['tools/release/plan.ts', ['workspace']],
])('%s asks for %j alone', (file, projects) => {
  expect(testsFor([file], [])).toEqual(projects);
});

test.each([
  'package-lock.json',
  'vitest.config.ts',
  'tools/bundle.ts',
  '.ci/run',
  'config/kong.yml',
  'somewhere/else.ts',
])('%s asks for everything, also beside a change of one room', (file) => {
  expect(testsFor(['services/auth/src/main.ts', file], ['auth'])).toBeUndefined();
});

test('whatever is chosen is a project of vitest, and each of them can be chosen', () => {
  const known = (config.test?.projects ?? []).map((one) => (one as { test: { name: string } }).test.name);
  const rooms = globSync('{libs,services}/*', { cwd: ROOT }).map((path) => basename(path));
  const folders = ['docs/a.md', 'deploy/a.yaml', 'tests/console/a.ts', 'tests/kubernetes/a.ts'];
  expect(testsFor(folders, [...rooms, 'cli', 'console'])?.toSorted()).toEqual(known.toSorted());
});
