import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigState } from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';
import type { Position, Replica } from './position.ts';
import { decodeState, encodeState, sealed, unsealed } from './state-codec.ts';

const DEBOUNCE_MS = 300;
/** A large configuration is written when the processes of its machine have made it live: 10,000 entities, 1 s. */
const DEBOUNCE_MS_PER_ENTITY = 0.1;
/** Of a large configuration that changes all the time a whole file is written only so often: 5 % of one core. */
const REST_PER_WORK = 20;

/** A state read from disk. */
export type LastKnownGood = Replica;

/**
 * The file a process boots from when the bus is away. It is replaced whole (temporary file, fsync, rename) and
 * the one before is kept as `<path>.previous`; a damaged file is never used. It holds secrets: mode 0600.
 */
export class LastKnownGoodFile {
  readonly #path: string;
  readonly #logger: Logger;
  #pending: Replica | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** The next write may begin then, by `performance.now()`. */
  #restsUntil = 0;
  /** False while the file on disk is damaged: it must not push out the good one before it. */
  #keepsPrevious = true;

  #problem: string | undefined;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Why the newest configuration is not on disk, a full disk say; undefined while it is. Traffic goes on. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The newest undamaged state on disk; undefined when there is none. Why one was passed over is logged. */
  async load(): Promise<LastKnownGood | undefined> {
    const current = await this.#read(this.#path);
    if (current !== undefined) return current;
    this.#keepsPrevious = false;
    return this.#read(`${this.#path}.previous`);
  }

  /**
   * Writes soon: changes within 300 ms of each other (of large configurations 1 s) become one write, and after
   * each write there is a rest of twenty times what it took. Call it for every change.
   */
  save(state: ConfigState, position: Position): void {
    this.#pending = { state, position };
    const debounceMs = Math.max(DEBOUNCE_MS, state.size * DEBOUNCE_MS_PER_ENTITY);
    const delayMs = Math.max(debounceMs, this.#restsUntil - performance.now());
    this.#timer ??= setTimeout(() => void this.flush(), delayMs);
  }

  /** Writes what is pending and waits for it. A failure is logged: traffic must not depend on this file. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return this.#writing;
    // Encoding starts at once, in this turn: the state and its position belong together only now.
    const begun = performance.now();
    const text = encodeState(pending.state, pending.position)
      .then(sealed)
      .finally(() => {
        const now = performance.now();
        this.#restsUntil = now + (now - begun) * REST_PER_WORK;
      });
    this.#writing = Promise.all([text, this.#writing])
      .then(([bytes]) => this.#write(bytes))
      .then(() => {
        this.#problem = undefined;
      })
      .catch((error: unknown) => {
        this.#problem = `the configuration is not on disk: ${(error as Error).message}`;
        this.#logger.warn({ err: error, path: this.#path }, 'last known good configuration not written');
      });
    return this.#writing;
  }

  async #write(bytes: Buffer): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const fresh = `${this.#path}.tmp-${process.pid}`;
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (this.#keepsPrevious) await this.#keepPrevious();
    await rename(fresh, this.#path);
    this.#keepsPrevious = true;
    const folder = await open(dirname(this.#path));
    await folder.sync().catch(() => undefined); // not every file system can
    await folder.close();
  }

  /** By a second link, so that there is no moment without a file at `path`. */
  async #keepPrevious(): Promise<void> {
    const kept = `${this.#path}.kept-${process.pid}`;
    await rm(kept, { force: true });
    const isThere = await link(this.#path, kept).then(
      () => true,
      () => false,
    );
    if (isThere) await rename(kept, `${this.#path}.previous`);
  }

  async #read(path: string): Promise<LastKnownGood | undefined> {
    try {
      return await decodeState(await unsealed(await readFile(path)));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.#logger.error({ path, problem: message }, 'configuration file not usable');
      return undefined;
    }
  }
}
