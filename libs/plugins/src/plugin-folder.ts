import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { byPriority, pluginCatalog } from './catalog.ts';
import type { Plugin } from './plugin.ts';
import { shareModulesWith } from './plugin-imports.ts';

const PLUGIN_FILE = /^[a-z0-9][a-z0-9-]*\.(ts|mts|js|mjs)$/;
/** A module that waits for something at its top must not hold up everybody else, in ms. */
const LOAD_WITHIN_MS = 5000;
const PLUGIN_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Why a file is not in the catalog, or what it asks that it does not get. */
export interface FolderProblem {
  readonly file: string;
  readonly problem: string;
}

/** A file that a module was made of. */
interface LoadedFile {
  readonly stamp: string;
  readonly path: string;
  readonly plugins: readonly Plugin[];
}

/**
 * The built-in plugins and a user's own: every `.ts` or `.js` file of a folder that exports what `definePlugin`
 * returns. Files are read again when they change; one that does not load leaves what it gave before in place.
 * A name of a built-in plugin is refused: nobody should lose `jwt` to a file. Without a folder there are only the
 * built-in ones.
 */
export class PluginFolder {
  readonly #folder: string | undefined;
  readonly #loaded = new Map<string, LoadedFile>();
  readonly #broken = new Map<string, { readonly stamp: string; readonly problem: string }>();
  #doubles: readonly FolderProblem[] = [];
  #byName = new Map<string, Plugin>();
  #scanning: Promise<boolean> | undefined;

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** A folder that was read once. */
  static async open(folder: string | undefined): Promise<PluginFolder> {
    const opened = new PluginFolder(folder);
    await opened.refresh();
    return opened;
  }

  get(name: string): Plugin | undefined {
    return pluginCatalog.get(name) ?? this.#byName.get(name);
  }

  names(): readonly string[] {
    return this.all().map((plugin) => plugin.name);
  }

  all(): readonly Plugin[] {
    return [...pluginCatalog.all(), ...this.#byName.values()].sort(byPriority);
  }

  /** Files that could not be used, as of the last refresh. */
  get problems(): readonly FolderProblem[] {
    return [...[...this.#broken].map(([file, { problem }]) => ({ file, problem })), ...this.#doubles];
  }

  /** The plugin whose file an error came from, by its stack; for failures that no handler's call can catch. */
  ownerOf(error: unknown): string | undefined {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    for (const { path, plugins } of this.#loaded.values())
      if (stack.includes(path) || stack.includes(pathToFileURL(path).href)) return plugins[0]?.name;
    return undefined;
  }

  /** Looks at the folder again. @returns whether a plugin came, changed or went. Never throws. */
  refresh(): Promise<boolean> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async #scan(): Promise<boolean> {
    if (this.#folder === undefined) return false;
    const folder = await realpath(this.#folder).catch(() => undefined);
    if (folder !== undefined) shareModulesWith(pathToFileURL(`${folder}${sep}`).href);
    const listed = folder === undefined ? [] : await readdir(folder).catch(() => []);
    const files = listed.filter((file) => PLUGIN_FILE.test(file)).sort();
    let hasChanged = false;
    for (const file of [...this.#loaded.keys()])
      if (!files.includes(file)) hasChanged = this.#loaded.delete(file);
    for (const file of [...this.#broken.keys()]) if (!files.includes(file)) this.#broken.delete(file);
    for (const file of files) if (await this.#load(folder ?? '', file)) hasChanged = true;
    if (hasChanged) this.#index();
    return hasChanged;
  }

  async #load(folder: string, file: string): Promise<boolean> {
    // Node remembers where a link led when it was first followed; in a ConfigMap it leads elsewhere after each change.
    const path = await realpath(join(folder, file)).catch(() => '');
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return false; // gone while we looked
    // The time and size make it another module for the loader, which otherwise gives back the one it has.
    const stamp = `${pathToFileURL(path).href}?v=${found.mtimeMs}-${found.size}`;
    if (this.#loaded.get(file)?.stamp === stamp || this.#broken.get(file)?.stamp === stamp) return false;
    try {
      const module = await inTime(import(stamp) as Promise<Record<string, unknown>>);
      const plugins = [...new Set(Object.values(module).filter(isPlugin))];
      if (plugins.length === 0) throw new Error('exports no plugin: export what definePlugin returns');
      for (const plugin of plugins) checkName(plugin);
      this.#loaded.set(file, { stamp, path, plugins });
      this.#broken.delete(file);
      return true;
    } catch (error) {
      const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#broken.set(file, { stamp, problem });
      return false;
    }
  }

  #index(): void {
    const byName = new Map<string, Plugin>();
    const doubles: FolderProblem[] = [];
    for (const [file, { plugins }] of this.#loaded)
      for (const plugin of plugins) {
        if (byName.has(plugin.name))
          doubles.push({ file, problem: `plugin "${plugin.name}" is in another file, too` });
        else byName.set(plugin.name, plugin);
      }
    this.#byName = byName;
    this.#doubles = doubles;
  }
}

const inTime = async <T>(loading: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `was not loaded after ${LOAD_WITHIN_MS / 1000} s: does it wait for something at its top?`;
    timer = setTimeout(() => reject(new Error(message)), LOAD_WITHIN_MS);
  });
  return Promise.race([loading, late]).finally(() => clearTimeout(timer));
};

const isPlugin = (value: unknown): value is Plugin => {
  if (typeof value !== 'object' || value === null) return false;
  const { name, priority, config, prepare } = value as Partial<Plugin>;
  const hasSchema = typeof (config as { safeParse?: unknown } | undefined)?.safeParse === 'function';
  return (
    typeof name === 'string' && typeof priority === 'number' && hasSchema && typeof prepare === 'function'
  );
};

const checkName = ({ name, priority }: Plugin): void => {
  if (!PLUGIN_NAME.test(name))
    throw new Error(`plugin name "${name}" must be lower-case letters, digits and dashes`);
  if (pluginCatalog.get(name) !== undefined)
    throw new Error(`plugin name "${name}" is built in; choose another`);
  if (!Number.isFinite(priority)) throw new Error(`plugin "${name}": priority must be a number`);
};
