import type { ShadowSkip } from '@sluice/plugins';
import type { RequestBody } from '../request-body.ts';

/** Bodies of all requests that an edge keeps for their copies, in bytes. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/** What is kept of all bodies together, in bytes. */
export interface Room {
  keptBytes: number;
}

/** A request's body, kept as it passes on its way to the upstream. */
export class KeptBody {
  readonly #source: RequestBody;
  readonly #room: Room;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #problem: ShadowSkip | undefined;

  constructor(source: RequestBody, maxBytes: number, room: Room) {
    this.#source = source;
    this.#room = room;
    source.copyTo((chunk) => {
      if (this.#problem !== undefined) return;
      if (this.#bytes + chunk.length > maxBytes) this.#giveUp('body-too-large');
      else if (room.keptBytes + chunk.length > MAX_KEPT_BYTES) this.#giveUp('busy');
      else this.#keep(chunk);
    });
  }

  /** All of it, or why there is none; nothing is kept here from then on. */
  take(): Buffer | ShadowSkip {
    const body = Buffer.concat(this.#chunks);
    const problem = this.#problem ?? (this.#source.isRead ? undefined : 'body-unread');
    this.#giveUp('body-unread');
    return problem ?? body;
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#room.keptBytes += chunk.length;
  }

  #giveUp(problem: ShadowSkip): void {
    this.#problem ??= problem;
    this.#room.keptBytes -= this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
  }
}
