import type { IncomingMessage } from 'node:http';
import type { AnswerReader, IncomingAnswer } from './engine.ts';

/** An answer that Node's own client has read the head of. */
export class MessageAnswer implements IncomingAnswer {
  readonly #message: IncomingMessage;
  #reader: AnswerReader | undefined;
  #hasBroken = false;

  constructor(message: IncomingMessage) {
    this.#message = message;
    message.once('error', () => this.#break());
  }

  get status(): number {
    return this.#message.statusCode ?? 502;
  }

  get statusMessage(): string {
    return this.#message.statusMessage ?? '';
  }

  get rawHeaders(): string[] {
    return this.#message.rawHeaders;
  }

  get rawTrailers(): readonly string[] {
    return this.#message.rawTrailers;
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket?.remoteAddress;
  }

  takeWhole(): Buffer | undefined {
    const message = this.#message;
    if (!this.#isWhole || message.rawTrailers.length > 0 || message.readableLength === 0) return undefined;
    const first = message.read() as Buffer;
    const more: Buffer[] = [];
    for (let chunk = message.read(); chunk !== null; chunk = message.read()) more.push(chunk as Buffer);
    return more.length === 0 ? first : Buffer.concat([first, ...more]);
  }

  read(reader: AnswerReader): void {
    const isFirst = this.#reader === undefined;
    this.#reader = reader;
    if (this.#hasBroken) reader.broke();
    else if (isFirst) this.#start();
  }

  pause(): void {
    this.#message.pause();
  }

  resume(): void {
    this.#message.resume();
  }

  destroy(): void {
    this.#message.destroy();
  }

  whenClosed(listener: () => void): void {
    this.#message.once('close', listener);
  }

  #start(): void {
    const message = this.#message;
    message.on('data', (chunk: Buffer) => this.#reader?.chunk(chunk));
    message.once('end', () => {
      if (this.#isWhole) this.#reader?.ended();
      else this.#break();
    });
  }

  /** A body that ends with its connection is not whole when that was reset; Node says it is complete. */
  get #isWhole(): boolean {
    return this.#message.complete && this.#message.socket?.errored == null;
  }

  #break(): void {
    this.#hasBroken = true;
    this.#reader?.broke();
  }
}
