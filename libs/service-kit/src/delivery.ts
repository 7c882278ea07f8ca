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
const DOT = 46;
const ZERO = 48;
/** The nanoseconds of the time that its microseconds lack. */
const NANO_DIGITS = 3;

/** Where the dots of the address in hand are: one list for all, because each is read at once. */
const dots: number[] = [];

/** Finds the dots. @returns where the name of the stream is among the tokens. */
const findDots = (address: string): number => {
  let found = 0;
  for (let at = 0; at < address.length; at++) if (address.charCodeAt(at) === DOT) dots[found++] = at;
  return found + 1 === SHORT_FORM ? 2 : 4;
};

/** The number at a token of the address in hand, without its last `dropped` digits. */
const numberAt = (address: string, token: number, dropped = 0): number => {
  const end = (dots[token] ?? address.length) - dropped;
  let value = 0;
  for (let at = (dots[token - 1] ?? -1) + 1; at < end; at++)
    value = value * 10 + (address.charCodeAt(at) - ZERO);
  return value;
};

/** Settling needs no answer, and on a closed connection there is nobody to tell: the server delivers again. */
const quietly = (settle: () => void) => {
  try {
    settle();
  } catch {
    // The connection is closed; the message comes again after its ack wait.
  }
};

/** Where the acknowledgement goes; it says, too, what the message is to the consumer. */
const addressOf = (message: JsMsg): string => (message as unknown as { reply: string }).reply;

/** One object for each message, without a closure: a mirror holds tens of thousands of them. */
class HeldDelivery implements Delivery {
  readonly data: Uint8Array;
  readonly streamCreatedMs: number;
  readonly seq: number;
  readonly timeMicros: number;
  readonly deliveryCount: number;
  readonly #message: JsMsg;

  constructor(message: JsMsg, streamCreatedMs: number) {
    const address = addressOf(message);
    const from = findDots(address);
    this.#message = message;
    this.data = message.data;
    this.streamCreatedMs = streamCreatedMs;
    this.deliveryCount = numberAt(address, from + 2);
    this.seq = numberAt(address, from + 3);
    // A double holds the microseconds exactly until 2255, the nanoseconds not even today.
    this.timeMicros = numberAt(address, from + 5, NANO_DIGITS);
  }

  /** Only dead letters ask. */
  get stream(): string {
    const address = addressOf(this.#message);
    return address.split('.')[findDots(address)] ?? '';
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
