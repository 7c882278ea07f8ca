import type { IncomingMessage } from 'node:http';
import type { GatewayError } from '@sluice/contracts';

/** What a body is piped into: a Writable, or as much of one as is used here. */
export interface BodyDestination {
  readonly destroyed: boolean;
  write(chunk: Buffer): boolean;
  end(chunk?: Buffer): unknown;
  destroy(): unknown;
  on(event: 'drain', listener: () => void): unknown;
}

/** What may be kept to send again after a failed attempt, in bytes. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

/**
 * The client's body on its way to an upstream. It streams; its first 64 KiB are kept while another attempt is
 * possible, so that a refused connection does not lose what was already read. `pipe` is what the proxy calls.
 */
export class RequestBody {
  readonly #source: IncomingMessage;
  /** There is something to send. */
  hasBody: boolean;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #isAttached = false;
  #hasEnded = false;
  #replacement: Buffer | undefined;
  #destination: BodyDestination | undefined;
  #copyTo: ((chunk: Buffer) => void) | undefined;
  #limit: { readonly maxBytes: number; readonly refusal: GatewayError } | undefined;
  #forwardedBytes = 0;
  /** The refusal for a body that was cut because it is longer than it may be. */
  overrun: GatewayError | undefined;

  constructor(source: IncomingMessage) {
    this.#source = source;
    const length = source.headers['content-length'];
    this.hasBody =
      source.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
    if (!this.hasBody) this.#hasEnded = true;
  }

  /** Everything that was read can still be sent once more. */
  get canReplay(): boolean {
    return this.#kept !== undefined || this.#replacement !== undefined;
  }

  /** The client has sent all of it, and all of it was read. */
  get isRead(): boolean {
    return this.#hasEnded;
  }

  /** Shows what the client sends to `take`, piece by piece as it is read, whatever is done with it. */
  copyTo(take: (chunk: Buffer) => void): void {
    this.#copyTo = take;
  }

  /** What the body begins with, as soon as there is some of it; it stays to be read. Empty: there is none. */
  async start(): Promise<Buffer> {
    const known = this.#replacement ?? this.#kept?.[0];
    if (known !== undefined) return known;
    const source = this.#source;
    while (!this.#hasEnded && !source.destroyed) {
      const chunk = source.read() as Buffer | null;
      if (chunk !== null) {
        source.unshift(chunk);
        return chunk;
      }
      await readableOrOver(source);
      // Whoever pipes the body hears of its end no more.
      if (source.readableEnded) this.#hasEnded = true;
    }
    return Buffer.alloc(0);
  }

  /** The whole body when it is not larger than `maxBytes`; undefined otherwise, and it still streams. */
  async read(maxBytes: number): Promise<Buffer | undefined> {
    if (this.#replacement !== undefined)
      return this.#replacement.length <= maxBytes ? this.#replacement : undefined;
    if (!this.hasBody) return Buffer.alloc(0);
    // Whoever read before and got too much has left it here: the rest alone would be another body.
    const chunks: Buffer[] = this.#keptBytes > 0 ? [...(this.#kept ?? [])] : [];
    let bytes = this.#keptBytes;
    if (bytes > maxBytes) return undefined;
    for await (const chunk of this.#source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      this.#copyTo?.(chunk);
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= maxBytes) continue;
      this.#kept = chunks; // sent first when the body is piped; the rest follows from the source
      this.#keptBytes = bytes;
      return undefined;
    }
    this.#hasEnded = true;
    this.#replacement = Buffer.concat(chunks);
    return this.#replacement;
  }

  replace(body: Buffer): void {
    this.#replacement = body;
    this.hasBody = body.length > 0;
  }

  /** Cuts the destination off when more than `maxBytes` were to pass. */
  limit(maxBytes: number, refusal: GatewayError): void {
    this.#limit = { maxBytes, refusal };
  }

  /** Nothing more will be sent again: what was kept can go. */
  settle(): void {
    if (this.#keptBytes > 0) this.#kept = undefined;
  }

  pipe<W extends BodyDestination>(destination: W): W {
    this.#destination = destination;
    if (this.#replacement !== undefined) {
      destination.end(this.#replacement);
      return destination;
    }
    this.#forwardedBytes = this.#keptBytes;
    if (this.#isOverLimit()) return destination;
    for (const chunk of this.#kept ?? []) destination.write(chunk);
    if (this.#hasEnded) destination.end();
    else this.#attach();
    destination.on('drain', () => {
      if (this.#destination === destination) this.#source.resume();
    });
    return destination;
  }

  #attach(): void {
    if (this.#isAttached) {
      this.#source.resume();
      return;
    }
    this.#isAttached = true;
    this.#source.on('data', (chunk: Buffer) => this.#forward(chunk));
    this.#source.on('end', () => {
      this.#hasEnded = true;
      this.#destination?.end();
    });
    // A client that leaves in mid-body must not look like the end of the body to the upstream.
    this.#source.on('close', () => {
      if (!this.#hasEnded) this.#destination?.destroy();
    });
  }

  #forward(chunk: Buffer): void {
    this.#copyTo?.(chunk);
    this.#forwardedBytes += chunk.length;
    if (this.#isOverLimit()) return;
    if (this.#kept !== undefined) {
      this.#keptBytes += chunk.length;
      if (this.#keptBytes > REPLAY_LIMIT_BYTES) this.#kept = undefined;
      else this.#kept.push(chunk);
    }
    if (this.#destination === undefined || this.#destination.destroyed) return;
    if (!this.#destination.write(chunk)) this.#source.pause();
  }

  /** Cuts the destination off once the body turns out to be longer than it may be. */
  #isOverLimit(): boolean {
    if (this.#limit === undefined || this.#forwardedBytes <= this.#limit.maxBytes) return false;
    this.overrun = this.#limit.refusal;
    this.#kept = undefined; // half a body is never tried again
    this.#source.resume(); // the rest is read and dropped, so that the client gets to read its answer
    this.#destination?.destroy();
    return true;
  }
}

const readableOrOver = (source: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error'] as const;
    const done = (): void => {
      for (const event of events) source.off(event, done);
      resolve();
    };
    for (const event of events) source.on(event, done);
  });
