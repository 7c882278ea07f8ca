/**
 * Which tests a change since a commit asks for: `node tools/affected-tests.ts BASE` prints `--project=NAME` for each of
 * vitest's projects, or nothing where all of them are to run.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const ROOM = /^(?:services|libs)\/[^/]+\/|^(?:cli|console)\//;

/** What runs processes of several rooms, by the rooms whose change it would notice. */
const ACROSS: Readonly<Record<string, readonly string[]>> = {
  e2e: ['auth', 'cli', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'],
  bundles: ['auth', 'cli', 'config-registry', 'console', 'edge-proxy', 'quota-mirror', 'ratelimit'],
  skew: ['auth', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'],
  faults: ['auth', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'],
  guides: ['auth', 'cli', 'config-registry', 'edge-proxy', 'quota-mirror', 'ratelimit'],
  conformance: ['auth', 'config-registry', 'edge-proxy', 'ratelimit'],
  security: ['auth', 'config-registry', 'edge-proxy', 'ratelimit'],
  'console-browser': ['auth', 'cli', 'config-registry', 'console', 'edge-proxy', 'ratelimit'],
};

/** What tests of folders outside of all rooms notice; a folder that is not here may concern anything. */
const OUTSIDE: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^[\w.-]+\.md$|^docs\//, ['workspace', 'e2e', 'guides']],
  [/^deploy\//, ['workspace', 'e2e', 'bundles', 'kubernetes', 'skew', 'faults']],
  [/^bench\/|^tools\/(release\/|[\w-]+\.test\.ts$)|^\.github\//, ['workspace']],
  [/^tests\/[\w.-]+\.ts$/, ['e2e', 'guides']],
  [/^tests\/bundles\//, ['bundles', 'skew', 'e2e']],
  [/^tests\/console\//, ['console-browser']],
  [/^tests\/(?:kubernetes|skew|faults|guides|conformance|security)\//, []],
];
const OWN_FOLDER = /^tests\/(kubernetes|skew|faults|guides|conformance|security)\//;

/** Undefined: all of them. `rooms` are the folders' names of what nx calls affected. */
export const testsFor = (files: readonly string[], rooms: readonly string[]): string[] | undefined => {
  const chosen = new Set(['workspace', ...rooms.filter((room) => room !== 'console')]);
  for (const [project, noticed] of Object.entries(ACROSS))
    if (rooms.some((room) => noticed.includes(room))) chosen.add(project);
  for (const file of files.filter((path) => !ROOM.test(path))) {
    const noticed = OUTSIDE.find(([pattern]) => pattern.test(file))?.[1];
    if (noticed === undefined) return undefined;
    for (const project of [...noticed, OWN_FOLDER.exec(file)?.[1] ?? 'workspace']) chosen.add(project);
  }
  return [...chosen].toSorted();
};

/** By Nx's project graph: the rooms that a change of these files concerns. */
export const affectedRooms = (files: readonly string[]): string[] => {
  const nx = join(ROOT, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const args = [nx, 'show', 'projects', '--affected', '--json', `--files=${files.join(',')}`];
  const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
  const projects = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env }));
  return (projects as string[]).map((name) => name.slice(name.indexOf('/') + 1)).toSorted();
};

const changedSince = (base: string): string[] =>
  execFileSync('git', ['diff', '--name-only', '--no-renames', base], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '');

if (import.meta.main) {
  const [base = 'HEAD'] = process.argv.slice(2);
  const files = changedSince(base);
  const rooms = files.length === 0 ? [] : affectedRooms(files);
  for (const project of testsFor(files, rooms) ?? []) process.stdout.write(`--project=${project}\n`);
}
