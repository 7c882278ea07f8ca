import type { IncomingMessage, ServerResponse } from 'node:http';
import { bytesOfStream, isStream, streamIsWhole } from './http2-stream.ts';

/** Part of a period after which bodies are looked at again. */
const LOOK_SHARE = 0.2;
/** Fewer bytes than this in a period are a trickle: an honest client on the worst of lines sends as many a second. */
const MIN_BYTES = 1024;

interface Seen {
  since: number;
  bytes: number;
}

/**
 * Ends requests whose bodies trickle: a byte every few seconds is enough to keep an upstream's connection for ever.
 * Who has begun to get an answer may take his time, as may who is kept waiting by us. A request costs nothing
 * before the first look at it.
 */
export class SlowBodies {
  readonly #open = new Map<IncomingMessage, ServerResponse>();
  readonly #seen = new WeakMap<IncomingMessage, Seen>();
  readonly #periodMs: number;
  readonly #onSlow: (request: IncomingMessage) => void;
  readonly #timer: NodeJS.Timeout;

  /** `onSlow` is called once for each. */
  constructor(periodMs: number, onSlow: (request: IncomingMessage) => void) {
    this.#periodMs = periodMs;
    this.#onSlow = onSlow;
    this.#timer = setInterval(() => this.#look(performance.now()), periodMs * LOOK_SHARE).unref();
  }

  watch(request: IncomingMessage, response: ServerResponse): void {
    const { headers } = request;
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
    this.#open.set(request, response);
  }

  forget(request: IncomingMessage): void {
    this.#open.delete(request);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(now: number): void {
    for (const [request, response] of this.#open) {
      const bytes = bytesOf(request);
      const seen = this.#seen.get(request);
      const isWaitedFor = request.readableLength === 0; // else something waits for us, or for an upstream
      if (isWhole(request) || response.headersSent) this.#open.delete(request);
      else if (seen === undefined || !isWaitedFor || bytes - seen.bytes >= MIN_BYTES)
        this.#seen.set(request, { since: now, bytes });
      else if (now - seen.since >= this.#periodMs) {
        this.#open.delete(request);
        this.#onSlow(request);
      }
    }
  }
}

/** Streams of HTTP/2 share a connection, whose bytes say nothing of one of them. */
const bytesOf = (request: IncomingMessage): number =>
  isStream(request) ? bytesOfStream(request) : request.socket.bytesRead;

const isWhole = (request: IncomingMessage): boolean =>
  isStream(request) ? streamIsWhole(request) : request.complete;
