import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const ROOMS = ['auth', 'config-registry', 'contracts', 'edge-proxy', 'quota-mirror', 'ratelimit'];
/** What decides on releases, as it is here and not as it was committed. */
const OF_RELEASES = [
  '.ci',
  'tools/release',
  'deploy/kubernetes/released',
  'deploy/helm/sluice/values-released.yaml',
  'biome.json',
  'docs/asyncapi.json',
];
const RELEASED = 'libs/contracts/released';

const world = mkdtempSync(join(tmpdir(), 'sluice-release-'));
const [clone, remote] = [join(world, 'clone'), join(world, 'remote.git')];

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: clone, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const read = (path: string): string => readFileSync(join(clone, path), 'utf8');
const json = <T>(path: string): T => JSON.parse(read(path)) as T;
const versionOf = (room: string): string =>
  json<{ version: string }>(`services/${room}/package.json`).version;

const commit = (subject: string, ...touched: string[]): string => {
  for (const path of touched) appendFileSync(join(clone, path), '\n// more\n');
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', subject);
  return git('rev-parse', '--short', 'HEAD');
};

const release = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(clone, '.ci', 'release'), args, {
    ...{ cwd: clone, encoding: 'utf8' },
  });
  return { status, text: stdout + stderr };
};

/** A clone of this repository in which everything has just been released as 0.1.0, with a remote of its own. */
beforeAll(() => {
  execFileSync('git', ['clone', '--quiet', '--shared', '--no-tags', ROOT, clone]);
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  for (const path of OF_RELEASES) cpSync(join(ROOT, path), join(clone, path), { recursive: true });
  git('config', 'user.name', 'sluice');
  git('config', 'user.email', 'sluice@example.invalid');
  git('remote', 'set-url', 'origin', remote);
  git('checkout', '--quiet', '-B', 'main');
  cpSync(join(ROOT, 'docs/asyncapi.json'), join(clone, RELEASED, 'asyncapi.json'));
  commit('tools: as it is here');
  const sources = git('rev-parse', 'HEAD');
  const released = Object.fromEntries(ROOMS.map((room) => [room, { version: '0.1.0', commit: sources }]));
  writeFileSync(join(clone, RELEASED, 'release.json'), JSON.stringify(released));
  for (const room of ROOMS.filter((name) => name !== 'contracts')) {
    const manifest = json<object>(`services/${room}/package.json`);
    writeFileSync(
      join(clone, 'services', room, 'package.json'),
      JSON.stringify({ ...manifest, version: '0.1.0' }),
    );
    rmSync(join(clone, 'services', room, 'CHANGELOG.md'), { force: true });
  }
  commit('release: everything');
});
afterAll(() => rmSync(world, { recursive: true, force: true }));

test('given commits of some areas, when released, then what they changed has a version, a changelog and a tag, and nothing else has', () => {
  const limits = commit('ratelimit: a check is answered sooner', 'services/ratelimit/src/answer.ts');
  const repair = commit('fix: a route is found', 'libs/routing/src/index.ts');
  const breaking = commit('routing!: a path is read otherwise', 'libs/routing/src/index.ts');
  commit('tests: a check is forged', 'services/quota-mirror/src/main.ts');
  const sources = git('rev-parse', 'HEAD');

  const { status, text } = release('--real');
  expect(status, text).toBe(0);

  const versions = { 'config-registry': '0.2.0', 'edge-proxy': '0.2.0', ratelimit: '0.1.1' };
  const tags = Object.entries(versions).map(([room, version]) => `${room}@${version}`);
  expect(git('tag', '--points-at', 'HEAD').split('\n')).toEqual(tags);
  expect(git('ls-remote', '--tags', remote).match(/[\w-]+@[\d.]+$/gm)).toEqual(tags);
  expect(git('ls-remote', remote, 'refs/heads/main')).toContain(git('rev-parse', 'HEAD'));
  for (const [room, version] of Object.entries(versions)) {
    expect(versionOf(room)).toBe(version);
    const released = json<Record<string, unknown>>(`${RELEASED}/release.json`);
    expect(released[room]).toEqual({ version, commit: sources });
    const images = read('deploy/kubernetes/released/kustomization.yaml');
    expect(images).toContain(`{ name: sluice/${room}, newTag: "${version}" }`);
    expect(read('deploy/helm/sluice/values-released.yaml')).toContain(`\n    ${room}: "${version}"\n`);
  }
  expect(['auth', 'quota-mirror'].map(versionOf)).toEqual(['0.1.0', '0.1.0']);
  expect(read('services/ratelimit/CHANGELOG.md')).toBe(
    `# Changes of ratelimit\n\n## 0.1.1\n\n- ratelimit: a check is answered sooner (${limits})\n`,
  );
  expect(read('services/edge-proxy/CHANGELOG.md')).toContain(
    `## 0.2.0\n\n- **Breaking:** routing!: a path is read otherwise (${breaking})\n- fix: a route is found (${repair})\n`,
  );
});

test('given a release, then its commit is what CI holds every commit to: the lock knows the versions, and files have their form', () => {
  const { packages } = json<{ packages: Record<string, { version: string }> }>('package-lock.json');
  expect(packages['services/edge-proxy']?.version).toBe('0.2.0');
  const files = git('show', '--name-only', '--format=').split('\n');
  expect(files).toContain('services/edge-proxy/package.json');
  execFileSync(join(ROOT, 'node_modules/.bin/biome'), ['format', ...files], { cwd: clone, stdio: 'pipe' });
});

test('given a release, when its images are pushed, then there is one of each service that it has, by its version', () => {
  const bin = join(world, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'docker'), '#!/bin/sh\necho docker "$@"\n', { mode: 0o755 });
  const said = execFileSync(join(clone, '.ci', 'push-images'), ['registry.example/sluice'], {
    ...{ encoding: 'utf8', env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } },
  });
  const prefix = 'registry.example/sluice';
  const images = [
    `${prefix}/config-registry:0.2.0`,
    `${prefix}/edge-proxy:0.2.0`,
    `${prefix}/ratelimit:0.1.1`,
  ];
  expect(said.match(/(?<=docker push ).*/g)).toEqual(images);
  const revision = `REVISION=${git('rev-parse', 'HEAD')}`;
  expect(said).toContain(
    `--build-arg SERVICE=ratelimit --build-arg VERSION=0.1.1 --build-arg ${revision} --tag ${images[2]}`,
  );
});

test('given a release, when one more commit is asked about, then its service alone is named, and nothing is written', () => {
  const hash = commit('auth, cli: a key is read sooner', 'services/auth/src/main.ts', 'cli/src/main.ts');
  const { status, text } = release();
  expect(text).toBe(`auth 0.1.0 -> 0.1.1 (minor)\n  - auth, cli: a key is read sooner (${hash})\n\n`);
  expect(status).toBe(0);
  expect(git('status', '--porcelain')).toBe('');
  expect(git('tag', '--points-at', 'HEAD')).toBe('');
});

test('given a commit of no known area, a broken contract and a change that is not committed, then no release, and each is named', () => {
  const before = commit('faster: somehow', 'services/auth/src/main.ts');
  const asyncapi = join(clone, RELEASED, 'asyncapi.json');
  writeFileSync(asyncapi, readFileSync(asyncapi, 'utf8').replaceAll('auth.v1.verify', 'auth.v0.verify'));
  const { status, text } = release('--real');
  expect(text).toContain('"faster: somehow" begins with no area of tools/release/plan.ts');
  expect(text).toContain('auth.v0.verify is gone: a released auth or edge-proxy still speaks it');
  expect(text).toContain('what is here is not committed');
  expect(status).toBe(1);
  expect(git('rev-parse', '--short', 'HEAD')).toBe(before);
});
