import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { byPriority, pluginCatalog } from './catalog.ts';
import type { Plugin } from './plugin.ts';

const PLUGIN_FILE = /^[a-z0-9][a-z0-9-]*\.(ts|mts|js|mjs)$/;
const PLUGIN_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Why a file is not in the catalog, or what it asks that it does not get. */
export interface FolderProblem {
  readonly file: string;
  readonly problem: string;
}

/**
 * The built-in plugins and a user's own: every `.ts` or `.js` file of a folder that exports what `definePlugin`
 * returns. Files are read again when they change; one that does not load leaves what it gave before in place.
 * A name of a built-in plugin is refused: nobody should lose `jwt` to a file.
 */
export class PluginFolder {
  readonly #folder: string;
  readonly #loaded = new Map<string, { readonly stamp: string; readonly plugins: readonly Plugin[] }>();
  readonly #problems = new Map<string, string>();
  #byName = new Map<string, Plugin>();
  #scanning: Promise<boolean> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
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
    return [...this.#problems].map(([file, problem]) => ({ file, problem }));
  }

  /** Looks at the folder again. @returns whether a plugin came, changed or went. Never throws. */
  refresh(): Promise<boolean> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async #scan(): Promise<boolean> {
    const files = (await readdir(this.#folder).catch(() => []))
      .filter((file) => PLUGIN_FILE.test(file))
      .sort();
    let hasChanged = false;
    for (const file of this.#loaded.keys()) if (!files.includes(file)) hasChanged = this.#loaded.delete(file);
    for (const file of [...this.#problems.keys()]) if (!files.includes(file)) this.#problems.delete(file);
    for (const file of files) if (await this.#load(file)) hasChanged = true;
    if (hasChanged) this.#byName = this.#index();
    return hasChanged;
  }

  async #load(file: string): Promise<boolean> {
    const path = join(this.#folder, file);
    try {
      const { mtimeMs, size } = await stat(path);
      const stamp = `${mtimeMs}-${size}`;
      if (this.#loaded.get(file)?.stamp === stamp) return false;
      // The stamp makes it another module for the loader, which otherwise gives back the one it has.
      const module = (await import(`${pathToFileURL(path).href}?v=${stamp}`)) as Record<string, unknown>;
      const plugins = Object.values(module).filter(isPlugin);
      if (plugins.length === 0) throw new Error('exports no plugin: export what definePlugin returns');
      for (const plugin of plugins) checkName(plugin);
      this.#loaded.set(file, { stamp, plugins });
      this.#problems.delete(file);
      return true;
    } catch (error) {
      this.#problems.set(file, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      return false;
    }
  }

  #index(): Map<string, Plugin> {
    const byName = new Map<string, Plugin>();
    for (const [file, { plugins }] of this.#loaded)
      for (const plugin of plugins) {
        if (byName.has(plugin.name))
          this.#problems.set(file, `plugin "${plugin.name}" is in another file, too`);
        else byName.set(plugin.name, plugin);
      }
    return byName;
  }
}

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
