import { type FSWatcher, watch } from 'node:fs';
import { type Plugin, PluginFolder } from '@sluice/plugins';
import type { Logger } from '@sluice/service-kit';
import { guarded, UnknownPlugin } from './own-plugins.ts';

/** Editors write a file in several steps, in ms. */
const SETTLE_MS = 50;
/** Some mounts tell nobody about changes, in ms. */
const LOOK_EVERY_MS = 2000;

/** The plugins of this edge: the built-in ones, and a folder of a user's own that may change at any time. */
export class PluginSource {
  readonly #folder: PluginFolder;
  readonly #path: string | undefined;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  /** One guarded plugin for each loaded one, so that the same code is the same object. */
  readonly #guarded = new WeakMap<Plugin, Plugin>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #reported = '';
  /** Why instances go on with the code they had. */
  staleness: readonly string[] = [];

  constructor(parts: { folder: string | undefined; timeoutMs: number; logger: Logger }) {
    this.#path = parts.folder;
    this.#folder = new PluginFolder(parts.folder);
    this.#timeoutMs = parts.timeoutMs;
    this.#logger = parts.logger;
  }

  readonly named = (name: string): Plugin | undefined => {
    const plugin = this.#folder.get(name);
    if (plugin === undefined) return undefined;
    const known = this.#guarded.get(plugin);
    if (known !== undefined) return known;
    const made = guarded(plugin, this.#timeoutMs);
    this.#guarded.set(plugin, made);
    return made;
  };

  /** The user's plugin whose file an error came from. */
  ownerOf(error: unknown): string | undefined {
    return this.#folder.ownerOf(error);
  }

  get problems(): readonly string[] {
    return [...this.#folder.problems.map(({ file, problem }) => `${file}: ${problem}`), ...this.staleness];
  }

  /** Looks at the folder again. @returns whether a plugin came, changed or went. */
  async refresh(): Promise<boolean> {
    const hasChanged = await this.#folder.refresh();
    const problems = this.#folder.problems;
    const text = JSON.stringify(problems);
    if (text !== this.#reported && problems.length > 0)
      this.#logger.warn({ problems }, 'plugin files not usable');
    this.#reported = text;
    return hasChanged;
  }

  /** Does a change once more after a look at the folder, where it names a plugin that is not there yet. */
  takeOrRefresh(take: () => Promise<void> | undefined): Promise<void> | undefined {
    const again = async (error: unknown): Promise<void> => {
      if (!(error instanceof UnknownPlugin)) throw error;
      await this.refresh();
      await take();
    };
    try {
      return take()?.catch(again);
    } catch (error) {
      return again(error);
    }
  }

  /** Calls `onChange` after every change of the folder. */
  watch(onChange: () => void): void {
    const path = this.#path;
    if (path === undefined) return;
    const look = () =>
      void this.refresh().then((hasChanged) => {
        if (hasChanged) onChange();
      });
    const soon = () => {
      this.#settling ??= setTimeout(() => {
        this.#settling = undefined;
        look();
      }, SETTLE_MS);
    };
    const open = () => {
      if (this.#watcher !== undefined) return;
      try {
        const watcher = watch(path, { persistent: false }, soon);
        watcher.on('error', () => {
          watcher.close();
          this.#watcher = undefined;
        });
        this.#watcher = watcher;
      } catch {
        this.#watcher = undefined; // the folder is not there yet; the timer looks again
      }
    };
    open();
    this.#timer = setInterval(() => {
      open();
      look();
    }, LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#settling);
    this.#watcher?.close();
  }
}
