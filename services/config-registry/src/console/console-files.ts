import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** One file of the built console, as it is and packed. */
export interface ConsoleFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Partial<Record<'br' | 'gzip', Buffer>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const PACKED = { '.br': 'br', '.gz': 'gzip' } as const;

/** Beside a bundled process, and where the build lies when it runs from source. */
const PLACES = [
  join(import.meta.dirname, 'console'),
  join(import.meta.dirname, '..', '..', '..', '..', 'console', 'dist'),
];

interface Build {
  readonly writtenAtMs: number;
  readonly files: ReadonlyMap<string, ConsoleFile>;
}

/**
 * The built console, read when somebody first asks and kept: half a megabyte. `index.html` and what lies in `assets`,
 * by name. It is read anew after it was built anew. Undefined where there is no build.
 */
export class ConsoleFiles {
  readonly #places: readonly string[];
  #build: Build | undefined;

  constructor(places: readonly string[] = PLACES) {
    this.#places = places;
  }

  async all(): Promise<ReadonlyMap<string, ConsoleFile> | undefined> {
    for (const place of this.#places) {
      const writtenAtMs = (await stat(join(place, 'index.html')).catch(() => undefined))?.mtimeMs;
      if (writtenAtMs === undefined) continue;
      if (writtenAtMs === this.#build?.writtenAtMs) return this.#build.files;
      const files = await readBuild(place);
      if (files === undefined) continue;
      this.#build = { writtenAtMs, files };
      return files;
    }
    return undefined;
  }
}

const readBuild = async (folder: string): Promise<Map<string, ConsoleFile> | undefined> => {
  const index = await readOne(folder, 'index.html');
  if (index === undefined) return undefined;
  const files = new Map([['index.html', index]]);
  for (const name of await readdir(join(folder, 'assets')).catch(() => [])) {
    const file = await readOne(join(folder, 'assets'), name);
    if (file !== undefined) files.set(name, file);
  }
  return files;
};

const readOne = async (folder: string, name: string): Promise<ConsoleFile | undefined> => {
  const type = TYPES[extname(name)];
  const plain = type === undefined ? undefined : await bytesOf(join(folder, name));
  if (type === undefined || plain === undefined) return undefined;
  const packed: Partial<Record<'br' | 'gzip', Buffer>> = {};
  for (const [ending, coding] of Object.entries(PACKED)) {
    const bytes = await bytesOf(join(folder, `${name}${ending}`));
    if (bytes !== undefined) packed[coding] = bytes;
  }
  return { type, plain, packed };
};

const bytesOf = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined);
