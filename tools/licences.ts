import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What may be shipped with the product: nothing that asks for more than its notice. */
export const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
] as const;
/** What may besides be used to build and test it; none of it is shipped. */
export const ALLOWED_FOR_TOOLS = [...ALLOWED, 'MIT OR Apache-2.0', 'MPL-2.0', 'Python-2.0'] as const;

/** A package of others, as the lock file has it. */
export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Part of a process; otherwise of the tools. */
  readonly isShipped: boolean;
}

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

const FOLDER = 'node_modules/';

/** Every package of the lock file that is not ours, by name; of other systems, too. */
export const licences = (): Licensed[] => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const all = Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes(FOLDER) && link !== true)
    .map(([path, { version = '?', license = 'none', dev, devOptional }]) => ({
      name: path.slice(path.lastIndexOf(FOLDER) + FOLDER.length),
      version,
      licence: license,
      isShipped: dev !== true && devOptional !== true,
    }));
  const unique = new Map(all.map((one) => [`${one.name}@${one.version} ${one.isShipped}`, one]));
  return [...unique.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
};
