import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@sluice/service-kit';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;

const interruptible = (): PromiseWithResolvers<never> => {
  const interrupt = Promise.withResolvers<never>();
  interrupt.promise.catch(() => undefined);
  return interrupt;
};

/** Runs rounds of work one after the other for as long as they are wanted, again after a failure. */
export class Rounds {
  readonly #round: () => Promise<void>;
  readonly #mayRun: () => boolean;
  readonly #logger: Logger;
  #isWanted = false;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #interrupt = interruptible();

  constructor(options: { round: () => Promise<void>; mayRun: () => boolean; logger: Logger }) {
    this.#round = options.round;
    this.#mayRun = options.mayRun;
    this.#logger = options.logger;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Asks for a round; one under way is followed by another. */
  want(): void {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#hasNext()) this.want();
    });
  }

  /** Settles when no round is wanted any more, or none may run. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Gives up what the round under way waits for and begins a new one. */
  restart(): void {
    this.#interrupt.reject(new Error('interrupted'));
    this.want();
  }

  stop(): void {
    this.#isStopped = true;
    this.#interrupt.reject(new Error('stopped'));
  }

  /** A wait that `restart` ends. */
  bounded<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.#interrupt.promise]);
  }

  #hasNext(): boolean {
    return this.#isWanted && !this.#isStopped && this.#mayRun();
  }

  async #run(): Promise<void> {
    let pauseMs = FIRST_RETRY_MS;
    await Promise.resolve(); // #running is set before the first round begins
    while (this.#hasNext()) {
      this.#isWanted = false;
      this.#interrupt = interruptible(); // one a round: a promise that lives on would keep every wait on it
      try {
        await this.#round();
        pauseMs = FIRST_RETRY_MS;
      } catch (error) {
        this.#isWanted = true;
        this.#logger.debug({ err: error }, 'round failed, trying again');
        if (this.#isStopped) return;
        await sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS);
      }
    }
  }
}
