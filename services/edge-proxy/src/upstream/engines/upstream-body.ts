import { EventEmitter } from 'node:events';
import type { BodyDestination } from '../../request-body.ts';

/**
 * A request's body between RequestBody, which writes, and undici, which reads: as much of a Writable as the one and
 * as much of a Readable as the other use, and no buffer of its own between them. Only what comes before undici has
 * a connection waits here, and pauses the client after its first piece.
 */
export class UpstreamBody extends EventEmitter implements BodyDestination {
  destroyed = false;
  /** Tells undici that nobody has to destroy this at its end. */
  readonly _readableState = { autoDestroy: true };
  #isStarted = false;
  #isPaused = false;
  #hasEnded = false;
  #waiting: Buffer[] = [];

  write(chunk: Buffer): boolean {
    if (!this.#isStarted) {
      this.#waiting.push(chunk);
      return false;
    }
    this.emit('data', chunk);
    return !this.#isPaused;
  }

  end(chunk?: Buffer): void {
    if (chunk !== undefined) this.write(chunk);
    this.#hasEnded = true;
    if (this.#isStarted) this.emit('end');
  }

  /** Undici's connection is full. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Undici is ready for the first piece, or for more. */
  resume(): void {
    this.#isPaused = false;
    if (this.#isStarted) this.emit('drain');
    else queueMicrotask(() => this.#start()); // it has not put all its listeners on yet
  }

  /** Undici looks for it to know a stream. */
  pipe(): never {
    throw new Error('an upstream body is read by events');
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#waiting = [];
    if (!this.#hasEnded) this.emit('close');
  }

  #start(): void {
    if (this.#isStarted || this.destroyed) return;
    this.#isStarted = true;
    for (const chunk of this.#waiting) this.emit('data', chunk);
    this.#waiting = [];
    if (this.#hasEnded) this.emit('end');
    else if (!this.#isPaused) this.emit('drain');
  }
}
