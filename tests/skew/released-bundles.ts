import { execFileSync } from 'node:child_process';
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

/** The last release: what processes of this version meet while a fleet is upgraded, one process after the other. */
export const RELEASE = z
  .object({ version: z.string(), commit: z.string().regex(/^[0-9a-f]{40}$/) })
  .parse(JSON.parse(readFileSync(join(ROOT, 'libs', 'contracts', 'released', 'release.json'), 'utf8')));

const git = (...args: readonly string[]): Buffer =>
  execFileSync('git', ['-C', ROOT, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 256 * 1024 * 1024,
  });

/** False in a clone that does not reach back so far. */
export const isReleaseHere = (): boolean => {
  try {
    git('cat-file', '-e', `${RELEASE.commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
};

/** Packages of today, but the release's own libs. */
const linkModules = (folder: string): void => {
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

/** A folder with a bundle of each service of the release, built once. */
export const releasedBundles = async (): Promise<string> => {
  const ready = join(ROOT, 'node_modules', '.cache', 'sluice', 'released', RELEASE.commit);
  if (existsSync(ready)) return ready;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-released-'));
  try {
    execFileSync('tar', ['-x', '-C', folder], {
      input: git('archive', RELEASE.commit, 'libs', 'services', 'package.json'),
    });
    linkModules(folder);
    for (const service of SERVICES)
      await bundle(join(folder, 'services', service, 'src', 'main.ts'), join(folder, 'bundles', service));
    mkdirSync(join(ready, '..'), { recursive: true });
    execFileSync('cp', ['-r', join(folder, 'bundles'), `${ready}.${process.pid}`]);
    renameSync(`${ready}.${process.pid}`, ready);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return ready;
};
