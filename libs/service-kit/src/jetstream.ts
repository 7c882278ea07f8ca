import type { StreamDefinition } from '@sluice/contracts';
import {
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  type NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
  type StreamConfig,
} from 'nats';
import { type Bus, headersOf } from './bus.ts';
import { assertFits } from './payload.ts';

const WRONG_LAST_SEQUENCE = 10_071;
const STREAM_NAME_IN_USE = 10_058;
const STREAM_REFUSES = 10_077; // a limit, with discard: new
const DIRECT_GET_MS = 2000; // a stream that does not exist does not answer at all

type DirectQuery = { seq: number } | { last_by_subj: string } | { seq: number; next_by_subj: string };

/** The client has direct gets but leaves them out of the type. */
type Manager = JetStreamManager & {
  readonly direct: {
    getMessage(stream: string, query: DirectQuery): Promise<StoredMsg>;
  };
};

/** Somebody else wrote first: the expected last sequence no longer holds. */
export class SequenceConflict extends Error {}

/** The stream holds as many messages as it may and forgets none. */
export class StreamFull extends Error {}

/** What a stream's refusal of a message means; undefined for what has no name of its own. */
export const refusalOf = (errCode: number | undefined, subject: string): Error | undefined => {
  if (errCode === WRONG_LAST_SEQUENCE) return new SequenceConflict(subject);
  return errCode === STREAM_REFUSES ? new StreamFull(subject) : undefined;
};

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  /** When the server stored it. */
  readonly time: Date;
  readonly data: Uint8Array;
  readonly header: (name: string) => string | undefined;
}

export interface AppendOptions {
  /** Deduplicates within the stream's window (`Nats-Msg-Id`). */
  readonly msgId?: string;
  /** Optimistic lock: the sequence of the last message on this subject; 0 for none. */
  readonly expectLastSubjectSequence?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** JetStream behind the product's own words, and only what nats-server 2.9.10 honours. */
export class JetStream {
  readonly #bus: Bus;
  #client: JetStreamClient | undefined;
  #manager: Manager | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Creates the stream or brings an existing one to the definition, then reads it back.
   * @returns when the stream was created, in Unix ms: what tells a recreated stream from the old one.
   * @throws Error when the server kept something else than was asked.
   */
  async ensureStream(definition: Omit<StreamDefinition, 'keeper'>, replicas = 1): Promise<number> {
    const manager = await this.#managed();
    const wanted = configOf(definition, replicas);
    let info = await manager.streams.add(wanted).catch((error: NatsError) => {
      if (error.api_error?.err_code === STREAM_NAME_IN_USE) return undefined;
      throw error;
    });
    if (info === undefined) info = await manager.streams.update(definition.name, wanted);
    for (const [key, value] of Object.entries(wanted))
      if (JSON.stringify(info.config[key as keyof StreamConfig]) !== JSON.stringify(value))
        throw new Error(`stream ${definition.name}: the server did not keep ${key}`);
    return Date.parse(info.created);
  }

  /**
   * Stores a message and waits for the server's word that it has it.
   * @throws SequenceConflict, StreamFull, MessageTooLarge, or the client's error when no word came: it may or may
   * not be stored.
   */
  async append(
    subject: string,
    data: string | Uint8Array,
    options: AppendOptions = {},
  ): Promise<{ seq: number; duplicate: boolean }> {
    const client = await this.#clientOf();
    assertFits(await this.#bus.connection, subject, data);
    try {
      const ack = await client.publish(subject, data as Uint8Array, {
        timeout: options.timeoutMs ?? 2000,
        ...(options.msgId === undefined ? {} : { msgID: options.msgId }),
        ...(options.headers === undefined ? {} : { headers: headersOf(options.headers) }),
        ...(options.expectLastSubjectSequence === undefined
          ? {}
          : { expect: { lastSubjectSequence: options.expectLastSubjectSequence } }),
      });
      return { seq: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      throw refusalOf((error as NatsError).api_error?.err_code, subject) ?? error;
    }
  }

  /** The newest message on a subject, read from the stream directly; undefined when there is none. */
  readLast(stream: string, subject: string, timeoutMs?: number): Promise<StoredMessage | undefined> {
    return this.#read(stream, { last_by_subj: subject }, timeoutMs);
  }

  /** The message at a sequence; undefined when it is not there (or a lagging replica does not have it yet). */
  readAt(stream: string, seq: number, timeoutMs?: number): Promise<StoredMessage | undefined> {
    return this.#read(stream, { seq }, timeoutMs);
  }

  /** The first message on a subject (wildcards allowed) at or after a sequence; undefined when there is none. */
  readNext(
    stream: string,
    subject: string,
    seq: number,
    timeoutMs?: number,
  ): Promise<StoredMessage | undefined> {
    return this.#read(stream, { seq, next_by_subj: subject }, timeoutMs);
  }

  /**
   * Asks the stream's leader.
   * @returns first and last sequence, count, and creation time in Unix ms.
   * @throws the client's error, with code 404 when there is no such stream.
   */
  async streamInfo(
    name: string,
    timeoutMs = 5000,
  ): Promise<{ firstSeq: number; lastSeq: number; messages: number; createdMs: number }> {
    const manager = await this.#managed();
    const info = await within(timeoutMs, name, manager.streams.info(name));
    return {
      firstSeq: info.state.first_seq,
      lastSeq: info.state.last_seq,
      messages: info.state.messages,
      createdMs: Date.parse(info.created),
    };
  }

  /** Removes messages of a subject, all but the newest `keep`. */
  async purge(stream: string, subject: string, keep = 0): Promise<void> {
    await (await this.#managed()).streams.purge(stream, { filter: subject, ...(keep > 0 ? { keep } : {}) });
  }

  /** Before the address of every answer. */
  get inboxPrefix(): string {
    return this.#bus.inboxPrefix;
  }

  /** The library's own objects, for the consumer half of this adapter. */
  async raw(): Promise<{ connection: NatsConnection; client: JetStreamClient; manager: Manager }> {
    return {
      connection: await this.#bus.connection,
      client: await this.#clientOf(),
      manager: await this.#managed(),
    };
  }

  async #read(
    stream: string,
    query: DirectQuery,
    timeoutMs = DIRECT_GET_MS,
  ): Promise<StoredMessage | undefined> {
    const manager = await this.#managed();
    try {
      return storedOf(await within(timeoutMs, stream, manager.direct.getMessage(stream, query)));
    } catch (error) {
      const { code, message } = error as NatsError;
      if (code === '404' || /message not found/i.test(message)) return undefined;
      throw error;
    }
  }

  async #clientOf(): Promise<JetStreamClient> {
    this.#client ??= (await this.#bus.connection).jetstream();
    return this.#client;
  }

  async #managed(): Promise<Manager> {
    this.#manager ??= (await (await this.#bus.connection).jetstreamManager({ checkAPI: false })) as Manager;
    return this.#manager;
  }
}

/** A question that is given up after a while; what then comes of it is nobody's concern. */
const within = async <T>(timeoutMs: number, stream: string, question: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`stream ${stream} did not answer in ${timeoutMs} ms`)),
    timeoutMs,
  );
  question.catch(() => undefined); // it may fail after the time is up
  try {
    return await Promise.race([question, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const storedOf = (message: StoredMsg): StoredMessage => ({
  subject: message.subject,
  seq: message.seq,
  time: message.time,
  data: message.data,
  header: (name) => message.header?.get(name) || undefined,
});

const configOf = (
  definition: Omit<StreamDefinition, 'keeper'>,
  replicas: number,
): Partial<StreamConfig> & { name: string } => ({
  name: definition.name,
  subjects: [...definition.subjects],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  num_replicas: replicas,
  max_age: nanos(definition.maxAgeSeconds * 1000),
  ...(definition.maxBytes === undefined ? {} : { max_bytes: definition.maxBytes }),
  ...(definition.maxMessages === undefined ? {} : { max_msgs: definition.maxMessages }),
  ...(definition.maxMessagesPerSubject === undefined
    ? {}
    : { max_msgs_per_subject: definition.maxMessagesPerSubject }),
  ...(definition.discardNew === true ? { discard: DiscardPolicy.New } : {}),
  ...(definition.duplicateWindowSeconds === undefined
    ? {}
    : { duplicate_window: nanos(definition.duplicateWindowSeconds * 1000) }),
  ...(definition.allowDirect === undefined ? {} : { allow_direct: definition.allowDirect }),
  ...(definition.denyDelete === undefined ? {} : { deny_delete: definition.denyDelete }),
  ...(definition.denyPurge === undefined ? {} : { deny_purge: definition.denyPurge }),
  ...(definition.republish === undefined
    ? {}
    : { republish: { src: definition.republish.from, dest: definition.republish.to } }),
});
