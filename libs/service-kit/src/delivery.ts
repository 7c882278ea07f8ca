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
  readonly timeMicros: bigint;
  /** 1 the first time. */
  readonly deliveryCount: number;
  /** First value of a header; undefined when absent or empty. */
  readonly header: (name: string) => string | undefined;
  /** All headers; several values of one name are joined with a comma. */
  readonly headers: () => Record<string, string>;
  /** Done; never to come again. Settling twice does nothing, settling while disconnected is lost: it comes again. */
  readonly ack: () => void;
  /** Not done; to come again after `delayMs`. */
  readonly nak: (delayMs: number) => void;
  /** Given up. Without a reason: nats-server 2.9.10 ignores a `term` that carries one, and redelivers. */
  readonly term: () => void;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<count>.<seq>.<consumer seq>.<ns>.<pending>`; newer servers may put a domain and an
 * account in front. Read here because the client keeps the timestamp as a double, which cannot hold nanoseconds.
 */
const placeOf = (reply: string) => {
  const tokens = reply.split('.');
  const from = tokens.length === 9 ? 2 : 4;
  return {
    stream: tokens[from] ?? '',
    deliveryCount: Number(tokens[from + 2]),
    seq: Number(tokens[from + 3]),
    micros: BigInt((tokens[from + 5] ?? '0').slice(0, -3)),
  };
};

/** Settling needs no answer, and on a closed connection there is nobody to tell: the server delivers again. */
const quietly = (settle: () => void) => {
  try {
    settle();
  } catch {
    // The connection is closed; the message comes again after its ack wait.
  }
};

/** The product's form of a JetStream message. */
export const deliveryOf = (message: JsMsg, streamCreatedMs: number): Delivery => {
  const { stream, deliveryCount, seq, micros } = placeOf((message as unknown as { reply: string }).reply);
  return {
    data: message.data,
    subject: message.subject,
    stream,
    streamCreatedMs,
    seq,
    timeMs: Number(micros / 1000n),
    timeMicros: micros,
    deliveryCount,
    header: (name) => message.headers?.get(name) || undefined,
    headers: () =>
      Object.fromEntries([...(message.headers ?? [])].map(([name, values]) => [name, values.join(',')])),
    ack: () => quietly(() => message.ack()),
    nak: (delayMs) => quietly(() => message.nak(delayMs)),
    term: () => quietly(() => message.term()),
  };
};
