import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { bundle } from '../../tools/bundle.ts';
import { ROOT } from '../bundles/dockerfile.ts';
import { SERVICES } from '../bundles/image.ts';

/** The last release of each service: what processes of this version meet while a fleet is upgraded, one by one. */
export const RELEASED = z
  .record(
    z.enum([...SERVICES, 'contracts']),
    z.object({ version: z.string(), commit: z.string().regex(/^[0-9a-f]{40}$/) }),
  )
  .parse(JSON.parse(readFileSync(join(ROOT, 'libs', 'contracts', 'released', 'release.json'), 'utf8')));
const COMMITS = [...new Set(SERVICES.map((service) => RELEASED[service].commit))];

const git = (...args: readonly string[]): Buffer =>
  execFileSync('git', ['-C', ROOT, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 256 * 1024 * 1024,
  });

/** False in a clone that does not reach back so far. */
export const areReleasesHere = (): boolean => {
  try {
    for (const commit of COMMITS) git('cat-file', '-e', `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
};

/** Packages of today, but the tree's own libs. */
export const linkModules = (folder: string): void => {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@sluice'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '@sluice' && !name.startsWith('.'))
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  for (const lib of readdirSync(join(folder, 'libs')))
    symlinkSync(join(folder, 'libs', lib), join(modules, '@sluice', lib));
  for (const group of ['libs', 'services'])
    for (const room of readdirSync(join(folder, group))) {
      const own = join(ROOT, group, room, 'node_modules');
      if (existsSync(own)) symlinkSync(own, join(folder, group, room, 'node_modules'));
    }
};

/** Bundles the services whose last release is this commit. */
const bundleThoseOf = async (commit: string, into: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-released-'));
  try {
    const sources = ['libs', 'services', 'package.json'];
    execFileSync('tar', ['-x', '-C', folder], { input: git('archive', commit, ...sources) });
    linkModules(folder);
    for (const service of SERVICES.filter((name) => RELEASED[name].commit === commit))
      await bundle(join(folder, 'services', service, 'src', 'main.ts'), join(into, service));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A folder with a bundle of each service's last release, built once. */
export const releasedBundles = async (): Promise<string> => {
  const name = createHash('sha256').update(JSON.stringify(RELEASED)).digest('hex').slice(0, 16);
  const ready = join(ROOT, 'node_modules', '.cache', 'sluice', 'released', name);
  if (existsSync(ready)) return ready;
  const unready = `${ready}.${process.pid}`;
  for (const commit of COMMITS) await bundleThoseOf(commit, unready);
  renameSync(unready, ready);
  return ready;
};
