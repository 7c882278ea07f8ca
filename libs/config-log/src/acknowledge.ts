import { configApplied } from '@sluice/contracts';
import type { FollowOptions } from './follow-options.ts';
import type { Position } from './position.ts';

/** Tells the registry where this process stands, and remembers what its owner refused. */
export class Acknowledger {
  readonly #options: FollowOptions;
  #refusal: string | undefined;
  #hasLeft = false;
  refused = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  /**
   * Hands a change to the owner. A refusal is remembered until the owner takes a change again.
   * @returns a promise where the owner takes its time.
   */
  handOver(at: Position, change: () => void | Promise<void>): Promise<void> | undefined {
    try {
      const work = change();
      if (work instanceof Promise)
        return work.then(
          () => this.#taken(at),
          (error: unknown) => this.#refused(at, error),
        );
      this.#taken(at);
    } catch (error) {
      this.#refused(at, error);
    }
    return undefined;
  }

  #taken(at: Position): void {
    this.#refusal = undefined;
    this.publish(at);
  }

  #refused(at: Position, error: unknown): void {
    this.refused += 1;
    this.#refusal = (error instanceof Error ? error.message : 'unknown failure').slice(0, 2000);
    this.#options.logger.error({ err: error, version: at.version }, 'configuration refused');
    this.publish(at);
  }

  publish(at: Position, isLeaving = false): void {
    const { bus, process, instance } = this.#options;
    if (at.epoch === '' || this.#hasLeft) return; // nobody waits for somebody who knows of no log
    this.#hasLeft = isLeaving;
    const refusal = this.#refusal;
    const candidate = this.#options.candidate?.();
    bus.publish(configApplied, {
      process,
      instance,
      epoch: at.epoch,
      version: at.version,
      digest: at.digest,
      ...(isLeaving
        ? { outcome: 'leaving' }
        : refusal === undefined
          ? { outcome: 'applied' }
          : { outcome: 'refused', reason: refusal }),
      ...(candidate === undefined ? {} : { candidate }),
    });
  }
}
