import type { ServerResponse } from 'node:http';
import type { Logger } from '@sluice/service-kit';

const EVERY_MS = 1000;
const MAX_CLIENTS = 64;
/** Who reads this much too slowly is let go: the browser comes again. */
const MAX_UNREAD_BYTES = 256 * 1024;

interface Client {
  readonly response: ServerResponse;
  readonly mayGoOn: () => boolean;
}

/** One view a second for everybody who watches, as server-sent events. Nobody watches: nothing is asked. */
export class LiveFeed {
  readonly #clients = new Set<Client>();
  readonly #look: () => Promise<object>;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  constructor(look: () => Promise<object>, logger: Logger) {
    this.#look = look;
    this.#logger = logger;
  }

  get isFull(): boolean {
    return this.#clients.size >= MAX_CLIENTS;
  }

  /** Sends to a response whose head is written, until it closes or `mayGoOn` says no. */
  add(response: ServerResponse, mayGoOn: () => boolean): void {
    const client = { response, mayGoOn };
    this.#clients.add(client);
    response.on('error', () => {}); // gone; `close` follows
    response.once('close', () => this.#clients.delete(client));
    response.write(`retry: 2000\n\n${this.#last}`);
    this.#timer ??= setTimeout(() => void this.#tick(), 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const { response } of this.#clients) response.end();
  }

  async #tick(): Promise<void> {
    const begun = performance.now();
    try {
      this.#send(`data: ${JSON.stringify(await this.#look())}\n\n`);
    } catch (error) {
      this.#logger.warn({ err: error }, 'live view failed');
    }
    const restMs = Math.max(0, EVERY_MS - (performance.now() - begun));
    const isWatched = this.#clients.size > 0;
    if (!isWatched) this.#last = ''; // old by the time somebody comes
    this.#timer = isWatched ? setTimeout(() => void this.#tick(), restMs) : undefined;
  }

  #send(message: string): void {
    this.#last = message;
    for (const { response, mayGoOn } of this.#clients) {
      if (!mayGoOn()) response.end('event: over\ndata: {}\n\n');
      else if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(message);
    }
  }
}
