import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditEntry, auditHash, auditRecorded, FIRST_PREV_HASH, STREAMS } from '@sluice/contracts';
import { type JetStream, type Logger, SequenceConflict, type StoredMessage } from '@sluice/service-kit';
import type { z } from 'zod';

const STREAM = STREAMS.AUDIT.name;
const ANSWER_MS = 1000;
const MAX_CONFLICTS = 50; // other registries write, too
const LOOK_BACK = 200; // records, for one that may be stored already
const RETRY_MS = 500;
const MAX_SPOOLED = 10_000;
/** So long an answer of the Admin API waits for its record; after that the spool goes on alone. */
const WAIT_MS = 500;

/** Something that happened, before it has its place in the chain. */
export interface Note {
  readonly entry: Omit<AuditEntry, 'source'> & { readonly address?: string | undefined };
  readonly actor: string;
  /** Makes a repeated note one record; drawn when absent. */
  readonly eventId?: string | undefined;
  readonly occurredAt?: string | undefined;
  /** It may be stored already: it was tried before. */
  readonly isRepeated?: boolean | undefined;
}

type Message = z.input<typeof auditRecorded.payload>;

/** The end of the chain. */
interface Link {
  /** Of the stream: the lock. */
  readonly seq: number;
  readonly sequence: number;
  readonly hash: string;
}

interface Parts {
  readonly jetstream: JetStream;
  readonly instance: string;
  readonly logger: Logger;
}

interface Spooled {
  readonly note: Note;
  readonly stored: () => void;
}

/**
 * Writes the chain. Several registries write one chain: each record is stored only if the stream still ends where the
 * writer thinks it does; who was too slow reads the new end and tries again.
 */
export class AuditLog {
  readonly #parts: Parts;
  #last: Link | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #spool: Spooled[] = [];
  #work: Promise<void> | undefined;
  #isStopped = false;
  readonly counts = { stored: 0, lost: 0 };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Records that wait for the stream. */
  get pending(): number {
    return this.#spool.length;
  }

  /**
   * Stores a note whose cause is durable elsewhere and can be told again.
   * @throws Error when the stream did not confirm it: it may or may not be stored.
   */
  append(note: Note): Promise<void> {
    const next = this.#turn.then(() => this.#store({ ...note, eventId: note.eventId ?? randomUUIDv7() }));
    this.#turn = next.catch(() => undefined);
    return next;
  }

  /**
   * Stores a note that nobody else has. Settles when it is stored, or after 500 ms, and then goes on trying; past
   * 10,000 that wait, a note is written to the log instead and counted as lost.
   */
  async record(note: Note): Promise<void> {
    const full = { ...note, eventId: randomUUIDv7(), occurredAt: new Date().toISOString() };
    if (this.#spool.length >= MAX_SPOOLED || this.#isStopped) {
      this.#lose([full]);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#spool.push({ note: full, stored: resolve });
    this.#work ??= this.#workOff();
    const timer = setTimeout(resolve, WAIT_MS);
    await promise;
    clearTimeout(timer);
  }

  /** Stores what waits, as far as the time goes; the rest is written to the log. */
  async stop(timeoutMs = 2000): Promise<void> {
    await Promise.race([this.#work, sleep(timeoutMs, undefined, { ref: false })]);
    this.#isStopped = true;
    this.#lose(this.#spool.splice(0).map(({ note }) => note));
  }

  async #workOff(): Promise<void> {
    for (let first = this.#spool[0], tries = 0; first !== undefined; first = this.#spool[0]) {
      try {
        await this.append({ ...first.note, isRepeated: tries > 0 });
        tries = 0;
        this.#spool.shift();
        first.stored();
      } catch (error) {
        tries += 1;
        if (this.#isStopped) return;
        this.#parts.logger.warn(
          { err: error, waiting: this.#spool.length },
          'audit not stored, trying again',
        );
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    this.#work = undefined;
  }

  #lose(notes: readonly Note[]): void {
    this.counts.lost += notes.length;
    for (const { actor, entry, occurredAt } of notes)
      this.#parts.logger.error({ actor, occurredAt, audit: entry }, 'audit record not stored');
  }

  async #store(note: Note & { readonly eventId: string }): Promise<void> {
    let mayBeStored = note.isRepeated === true;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      if (mayBeStored && (await this.#isStored(note.eventId))) break;
      const last = this.#last ?? (await this.#readEnd());
      const message = this.#linked(note, last);
      try {
        const { seq, duplicate } = await this.#parts.jetstream.append(
          auditRecorded.subject,
          JSON.stringify(message),
          { msgId: note.eventId, expectLastSubjectSequence: last.seq, timeoutMs: ANSWER_MS },
        );
        const { sequence, hash } = message.payload;
        this.#last = duplicate ? undefined : { seq, sequence, hash };
        break;
      } catch (error) {
        this.#last = undefined;
        if (!(error instanceof SequenceConflict)) throw error;
        mayBeStored = true; // newer servers say so of a repeated publish, too
        if (conflicts === MAX_CONFLICTS - 1) throw error;
      }
    }
    this.counts.stored += 1;
  }

  #linked({ entry, actor, eventId, occurredAt }: Note & { eventId: string }, last: Link): Message {
    const { address, ...said } = entry;
    const { instance } = this.#parts;
    const payload = {
      v: 1 as const,
      sequence: last.sequence + 1,
      prevHash: last.hash,
      ...said,
      source: {
        process: 'config-registry',
        instance: instance.slice(0, 128),
        ...(address === undefined ? {} : { address: address.slice(0, 64) }),
      },
    };
    const unsigned = {
      ...{ eventId, occurredAt: occurredAt ?? new Date().toISOString() },
      ...{ tenantId: '*', platformId: 'sluice', actor, payload },
    };
    return { ...unsigned, payload: { ...payload, hash: auditHash(unsigned) } };
  }

  /** The newest record; what is none was put there by somebody else and is passed over. */
  async #readEnd(): Promise<Link> {
    const { jetstream } = this.#parts;
    const last = await jetstream.readLast(STREAM, auditRecorded.subject, ANSWER_MS);
    let message = last;
    for (let step = 0; message !== undefined && step < LOOK_BACK; step++) {
      const record = recordOf(message);
      if (record !== undefined)
        return { seq: last?.seq ?? 0, sequence: record.payload.sequence, hash: record.payload.hash };
      message = message.seq > 1 ? await jetstream.readAt(STREAM, message.seq - 1, ANSWER_MS) : undefined;
    }
    return { seq: last?.seq ?? 0, sequence: 0, hash: FIRST_PREV_HASH };
  }

  async #isStored(eventId: string): Promise<boolean> {
    const { jetstream } = this.#parts;
    let message = await jetstream.readLast(STREAM, auditRecorded.subject, ANSWER_MS);
    for (let step = 0; message !== undefined && step < LOOK_BACK; step++) {
      if (recordOf(message)?.eventId === eventId) return true;
      message = message.seq > 1 ? await jetstream.readAt(STREAM, message.seq - 1, ANSWER_MS) : undefined;
    }
    return false;
  }
}

const recordOf = ({ data }: StoredMessage): Message | undefined => {
  try {
    return auditRecorded.payload.safeParse(JSON.parse(Buffer.from(data).toString())).data;
  } catch {
    return undefined; // not JSON
  }
};
