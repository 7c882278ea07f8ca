import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Commit } from './commits.ts';
import type { Step } from './plan.ts';

/** Where the tag of each image stands, and after what. */
const IMAGES = [
  ['deploy/kubernetes/released/kustomization.yaml', (name: string) => `sluice/${name}, newTag: `],
  ['deploy/helm/sluice/values-released.yaml', (name: string) => `    ${name}: `],
] as const;
const RELEASED = 'libs/contracts/released';

interface Lock {
  readonly packages: Readonly<Record<string, { version?: string }>>;
}
/** Of each room the last release, and the commit it was made from. */
export type Released = Readonly<Record<string, { readonly version: string; readonly commit: string }>>;

/** The last release of each room. */
export const readReleased = (folder: string): Released =>
  JSON.parse(readFileSync(join(folder, RELEASED, 'release.json'), 'utf8')) as Released;

/** Writes a version to every place that names it; `sources` is the commit it is made from. */
export const writeStep = (folder: string, { room, to: version, commits }: Step, sources: string): void => {
  const edit = (path: string, change: (was: string) => string) =>
    writeFileSync(join(folder, path), change(readFileSync(join(folder, path), 'utf8')));
  const editJson = <T>(path: string, change: (was: T) => unknown) =>
    edit(path, (was) => `${JSON.stringify(change(JSON.parse(was) as T), null, 2)}\n`);

  editJson<object>(`${room.root}/package.json`, (manifest) => ({ ...manifest, version }));
  editJson<Lock>('package-lock.json', (lock) => {
    Object.assign(lock.packages[room.root] ?? {}, { version });
    return lock;
  });
  editJson<Released>(`${RELEASED}/release.json`, (released) => ({
    ...released,
    [room.name]: { version, commit: sources },
  }));
  if (room.name === 'contracts')
    edit(`${RELEASED}/asyncapi.json`, () => readFileSync(join(folder, 'docs/asyncapi.json'), 'utf8'));
  else
    for (const [path, before] of IMAGES)
      edit(path, (was) => was.replace(new RegExp(`(${before(room.name)})"[^"]*"`), `$1"${version}"`));
  writeChangelog(join(folder, room.root, 'CHANGELOG.md'), room.name, entryOf(version, commits));
};

/** One version of a changelog: a line for each commit, what breaks first. */
export const entryOf = (version: string, commits: readonly Commit[]): string => {
  const lines = commits
    .toSorted((a, b) => Number(b.isBreaking) - Number(a.isBreaking))
    .map(({ isBreaking, subject, hash }) => `- ${isBreaking ? '**Breaking:** ' : ''}${subject} (${hash})`);
  return `## ${version}\n\n${lines.join('\n')}\n`;
};

const writeChangelog = (file: string, name: string, entry: string): void => {
  const head = `# Changes of ${name}\n`;
  const before = existsSync(file) ? readFileSync(file, 'utf8').slice(head.length) : '';
  writeFileSync(file, `${head}\n${entry}${before}`);
};
