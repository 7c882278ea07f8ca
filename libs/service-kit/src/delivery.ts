import type { JsMsg } from 'nats';

/** One message of a stream, in the hands of a durable consumer until it is settled. */
export interface Delivery {
  readonly data: Uint8Array;
  readonly subject: string;
  readonly stream: string;
  /** When the stream was created, in Unix ms: tells the sequences of a recreated stream from the old ones. */
  readonly streamCreatedMs: number;
  readonly seq: number;
  /** When the stream stored it, in Unix ms; the same at every delivery. */
  readonly timeMs: number;
  /** The same instant in Unix microseconds. */
  readonly timeMicros: number;
  /** 1 the first time. */
  readonly deliveryCount: number;
  /** First value of a header; undefined when absent or empty. */
  header(name: string): string | undefined;
  /** All headers; several values of one name are joined with a comma. */
  headers(): Record<string, string>;
  /** Done; never to come again. Settling twice does nothing, settling while disconnected is lost: it comes again. */
  ack(): void;
  /** Not done; to come again after `delayMs`. */
  nak(delayMs: number): void;
  /** Given up. Without a reason: nats-server 2.9.10 ignores a `term` that carries one, and redelivers. */
  term(): void;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<count>.<seq>.<consumer seq>.<ns>.<pending>`; newer servers may put a domain and an
 * account in front.
 */
const SHORT_FORM = 9;

/** Settling needs no answer, and on a closed connection there is nobody to tell: the server delivers again. */
const quietly = (settle: () => void) => {
  try {
    settle();
  } catch {
    // The connection is closed; the message comes again after its ack wait.
  }
};

/** One object for each message, without a closure: a mirror holds tens of thousands of them. */
class HeldDelivery implements Delivery {
  readonly data: Uint8Array;
  readonly stream: string;
  readonly streamCreatedMs: number;
  readonly seq: number;
  readonly timeMicros: number;
  readonly deliveryCount: number;
  readonly #message: JsMsg;

  constructor(message: JsMsg, streamCreatedMs: number) {
    const tokens = (message as unknown as { reply: string }).reply.split('.');
    const from = tokens.length === SHORT_FORM ? 2 : 4;
    this.#message = message;
    this.data = message.data;
    this.stream = tokens[from] ?? '';
    this.streamCreatedMs = streamCreatedMs;
    this.deliveryCount = Number(tokens[from + 2]);
    this.seq = Number(tokens[from + 3]);
    // A double holds the microseconds exactly until 2255, the nanoseconds not even today.
    this.timeMicros = Number((tokens[from + 5] ?? '0').slice(0, -3));
  }

  get subject(): string {
    return this.#message.subject;
  }

  get timeMs(): number {
    return Math.floor(this.timeMicros / 1000);
  }

  header(name: string): string | undefined {
    return this.#message.headers?.get(name) || undefined;
  }

  headers(): Record<string, string> {
    return Object.fromEntries(
      [...(this.#message.headers ?? [])].map(([name, values]) => [name, values.join(',')]),
    );
  }

  ack(): void {
    quietly(() => this.#message.ack());
  }

  nak(delayMs: number): void {
    quietly(() => this.#message.nak(delayMs));
  }

  term(): void {
    quietly(() => this.#message.term());
  }
}

/** The product's form of a JetStream message. */
export const deliveryOf = (message: JsMsg, streamCreatedMs: number): Delivery =>
  new HeldDelivery(message, streamCreatedMs);
