import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Commit } from './release/commits.ts';
import { nameless, planStep, raise } from './release/plan.ts';
import { readReleased } from './release/write-step.ts';

const ROOT = join(import.meta.dirname, '..');

const edge = {
  name: 'edge-proxy',
  root: 'services/edge-proxy',
  roots: ['services/edge-proxy', 'libs/routing', 'libs/contracts'],
};
const commitOf = (areas: string, ...files: string[]): Commit => ({
  ...{ hash: 'abc', subject: `${areas}: what`, areas: areas.replace('!', '').split(', ') },
  ...{ isBreaking: areas.endsWith('!'), files },
});
const OWN = 'services/edge-proxy/src/edge.ts';
const LIB = 'libs/routing/src/index.ts';

test.each<[string, Commit, string | undefined]>([
  ['something new in the service itself', commitOf('edge', OWN), 'minor'],
  ['a repair of the service', commitOf('fix', OWN), 'patch'],
  ['something new in a lib that it is made of', commitOf('routing', LIB), 'patch'],
  ['what breaks in a lib that it is made of', commitOf('routing!', LIB), 'major'],
  ['what breaks, of an area that is else silent', commitOf('deploy!', OWN), 'major'],
  [
    'something new in a lib that it does not need',
    commitOf('config-log', 'libs/config-log/src/index.ts'),
    undefined,
  ],
  ['a service of nearly the same name', commitOf('edge', 'services/edge-proxy-two/src/main.ts'), undefined],
  ['its tests alone', commitOf('edge', 'services/edge-proxy/test/tls.test.ts'), undefined],
  ['an area that changes nothing released', commitOf('tests, docs', OWN), undefined],
  ['newer packages', commitOf('deps', 'package-lock.json', 'package.json'), 'patch'],
  [
    'a package that another service got',
    commitOf('auth', 'package-lock.json', 'services/auth/package.json'),
    undefined,
  ],
])('%s', (_, commit, level) => {
  expect(planStep(edge, '1.2.3', [commit])?.level).toBe(level);
});

test('the next version is by the greatest of all commits, and tells those that are in it', () => {
  const commits = [commitOf('routing', LIB), commitOf('docs', 'README.md'), commitOf('edge', OWN)];
  const step = planStep(edge, '1.2.3', commits);
  expect(step).toMatchObject({ from: '1.2.3', to: '1.3.0', commits: [commits[0], commits[2]] });
});

test.each([
  ['0.1.9', '0.1.10', '0.1.10', '0.2.0'],
  ['1.9.9', '1.9.10', '1.10.0', '2.0.0'],
])('after %s come %s, %s and %s', (version, patch, minor, major) => {
  expect([raise(version, 'patch'), raise(version, 'minor'), raise(version, 'major')]).toEqual([
    patch,
    minor,
    major,
  ]);
});

test('a commit that names no area, or one that nobody knows, is found', () => {
  const commits = [commitOf('edge', OWN), commitOf('edge, faster', OWN), commitOf('', OWN)];
  expect(nameless(commits)).toEqual(commits.slice(1));
});

test.each(Object.entries(readReleased(ROOT)))(
  '%s says of itself the version that was released last, in its package and first in its changelog',
  (name, { version }) => {
    const room = join(ROOT, name === 'contracts' ? 'libs' : 'services', name);
    const manifest = JSON.parse(readFileSync(join(room, 'package.json'), 'utf8')) as { version: string };
    expect(manifest.version).toBe(version);
    const changes = readFileSync(join(room, 'CHANGELOG.md'), 'utf8');
    expect(changes).toMatch(
      new RegExp(`^# Changes of ${name}\n\n## ${version.replaceAll('.', '\\.')}\n\n- `),
    );
  },
);
