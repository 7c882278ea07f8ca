import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export type Process = 'auth' | 'config-registry' | 'edge-proxy' | 'quota-mirror' | 'ratelimit';

/** A process's file from source: its functions have names and its frames have files. */
export const sourceOf = (name: Process): string => join(ROOT, 'services', name, 'src', 'main.ts');

/** What a deployment runs: the bundle where the starter has made bundles, else the source. */
export const mainOf = (name: Process): string => {
  const folder = process.env.SLUICE_PROCESSES ?? '';
  return folder === '' ? sourceOf(name) : join(folder, name, 'main.js');
};

/** What every process of ours is started with, so that it starts quickly. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'sluice') };
