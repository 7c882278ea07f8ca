import { createInbox, type Msg, type NatsConnection } from 'nats';
import { headersOf } from './bus.ts';
import { type AppendOptions, type JetStream, refusalOf } from './jetstream.ts';
import { assertFits } from './payload.ts';

const ANSWERS_WITHIN_MS = 2000;
const SWEEP_EVERY_MS = 250;
const EXPECTED_SEQUENCE = 'Nats-Expected-Last-Subject-Sequence';

interface Waiting {
  readonly subject: string;
  readonly until: number;
  readonly stored: (ack: { seq: number }) => void;
  readonly failed: (error: Error) => void;
}

/** What the server says of a message: its place, or why it has none. */
interface StreamAnswer {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/**
 * Appends many messages a second: all answers come to one inbox, and one timer watches over all deadlines. The
 * client's own way makes a timer and two errors with their stacks for every message that is stored.
 */
export class AppendLane {
  readonly #jetstream: JetStream;
  readonly #waiting = new Map<string, Waiting>();
  #connection: NatsConnection | undefined;
  #inbox = '';
  #next = 0;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(jetstream: JetStream) {
    this.#jetstream = jetstream;
  }

  /**
   * Stores a message and waits for the server's word that it has it, 2 s at most.
   * @throws SequenceConflict, StreamFull, MessageTooLarge, or an error when no word came: it may or may not be stored.
   */
  async append(
    subject: string,
    data: string,
    { expectLastSubjectSequence, headers }: Pick<AppendOptions, 'expectLastSubjectSequence' | 'headers'>,
  ): Promise<{ seq: number }> {
    const { connection } = await this.#jetstream.raw();
    assertFits(connection, subject, data);
    const expected =
      expectLastSubjectSequence === undefined ? {} : { [EXPECTED_SEQUENCE]: `${expectLastSubjectSequence}` };
    const token = `${this.#next++}`;
    const reply = this.#inboxOn(connection) + token;
    connection.publish(subject, data, { reply, headers: headersOf({ ...headers, ...expected }) });
    const { promise, resolve: stored, reject: failed } = Promise.withResolvers<{ seq: number }>();
    this.#waiting.set(token, { subject, stored, failed, until: performance.now() + ANSWERS_WITHIN_MS });
    this.#sweeping ??= this.#sweepLater();
    return promise;
  }

  #inboxOn(connection: NatsConnection): string {
    if (this.#connection === connection) return this.#inbox;
    this.#connection = connection;
    this.#inbox = `${createInbox(this.#jetstream.inboxPrefix)}.`;
    const from = this.#inbox.length;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (_error, message) => this.#answered(message, message.subject.slice(from)),
    });
    return this.#inbox;
  }

  #answered(message: Msg, token: string): void {
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) return;
    this.#waiting.delete(token);
    const { seq, error } = answerIn(message);
    if (seq !== undefined && error === undefined) waiting.stored({ seq });
    else
      waiting.failed(
        refusalOf(error?.err_code, waiting.subject) ?? new Error(`${waiting.subject}: ${error?.description}`),
      );
  }

  /** Gives up what the server said nothing about in time. */
  #sweep(): void {
    const now = performance.now();
    for (const [token, { subject, until, failed }] of this.#waiting) {
      if (until > now) break; // the first is the oldest
      this.#waiting.delete(token);
      failed(new Error(`${subject}: no stream answered in ${ANSWERS_WITHIN_MS} ms`));
    }
    this.#sweeping = this.#waiting.size === 0 ? undefined : this.#sweepLater();
  }

  /** After that turn's reading: an answer that came while this process stood still is not late. */
  #sweepLater(): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.#sweep()), SWEEP_EVERY_MS);
  }
}

const answerIn = (message: Msg): StreamAnswer => {
  // The server's word that nobody listens has no body.
  if (message.data.length === 0) return { error: { description: 'no stream takes it' } };
  try {
    return message.json<StreamAnswer>();
  } catch {
    return { error: { description: 'the answer is no JSON' } };
  }
};
