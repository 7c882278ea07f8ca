import { authConfirmRevocation, authLiveRevoked } from '@sluice/contracts';
import type { Bus, JetStream, Logger } from '@sluice/service-kit';
import { Rounds } from '../rounds.ts';
import { Waiters } from '../waiters.ts';
import { RevocationList } from './revocation-list.ts';
import {
  EVERY_SUBJECT,
  revocationOf,
  STREAM,
  type StoredRevocation,
  subjectOf,
} from './stored-revocation.ts';

const LOOK_EVERY_MS = 1000;
const TICK_MS = 100;
/** After a lost connection the list must be read again in this time, or what was remembered is in doubt. */
const DOUBT_AFTER_MS = 750;
const ANSWER_WITHIN_MS = 500; // of the server, to each question
const CONFIRM_WITHIN_MS = 1500;
const LANES = 32; // readers of a long list, side by side
const LANE_LENGTH = 16; // places of the list that are worth a reader of their own

const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1);

export interface FollowRevocationsOptions {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly logger: Logger;
  /** Kind of process and its name, for confirmations; absent: it gives none. */
  readonly confirmAs?: { readonly process: string; readonly instance: string };
  /** Each revocation that was read or heard, perhaps more than once. */
  readonly onRevoked?: (stored: StoredRevocation) => void;
  /** The connection came back and the list could not be read since: revocations may have been missed. */
  readonly onDoubt?: () => void;
  /** The stream was made anew; what it held before may be missing in it. Called after it was read. */
  readonly onRecreated?: () => void;
  /** On this subject stands something else than its revocation: whoever knows that one can put it back. */
  readonly onDisplaced?: (subject: string) => void;
}

/** Starts to follow the list of revocations; never throws and never waits for the bus. */
export const followRevocations = (options: FollowRevocationsOptions): RevocationFollower =>
  new RevocationFollower(options);

/**
 * Keeps a list equal to the stream's. What is new comes by the republished subject and counts at once; what was missed
 * is read by direct gets, every second and after each lost connection. The list never forgets, so it does not matter
 * what is read twice.
 */
export class RevocationFollower {
  readonly list = new RevocationList();
  readonly #options: FollowRevocationsOptions;
  readonly #rounds: Rounds;
  readonly #waiters = new Waiters();
  readonly #timer: NodeJS.Timeout;
  /** Everything up to this sequence was read, in the stream that was created then (Unix ms; 0: not known yet). */
  #seq = 0;
  #createdMs = 0;
  /** Counts connections: what was asked on one says nothing on the next. */
  #connections = 0;
  #isRead = false;
  #isInDoubt = false;
  #connectedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #confirmedAt = Number.NEGATIVE_INFINITY;

  constructor(options: FollowRevocationsOptions) {
    const { bus, logger } = options;
    this.#options = options;
    this.#rounds = new Rounds({ round: () => this.#look(), mayRun: () => bus.isConnected, logger });
    bus.on(authLiveRevoked, ({ payload, occurredAt, actor }, { subject, streamSequence }) => {
      this.#take({ revocation: payload, occurredAt, actor: actor ?? 'unknown' });
      const isOnItsOwn = lastToken(subject) === lastToken(subjectOf(payload)); // if not, it is read, and told
      if (streamSequence === this.#seq + 1 && isOnItsOwn) this.#seq = streamSequence;
    });
    if (options.confirmAs !== undefined) {
      const who = options.confirmAs;
      bus.answer(authConfirmRevocation, async (revocation) => {
        if (!this.list.holds(revocation)) this.#rounds.want(); // it was not heard of, so it is read
        const isInForce = await this.#waiters.wait(() => this.list.holds(revocation), CONFIRM_WITHIN_MS);
        return { ...who, isInForce };
      });
    }
    bus.onReconnect(() => this.#begin(() => this.#rounds.restart()));
    void bus.connection.then(
      () => this.#begin(() => this.#rounds.want()),
      () => undefined,
    );
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Whether the list was read to its end since the connection was last made. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** How long ago the leader of the stream confirmed that nothing is missing, in ms; infinite: never. */
  get confirmedMsAgo(): number {
    return performance.now() - this.#confirmedAt;
  }

  /** True once the list is read; false when the time is up. */
  waitUntilRead(timeoutMs: number): Promise<boolean> {
    return this.#waiters.wait(() => this.#isRead, timeoutMs);
  }

  /** Takes nothing further. */
  stop(): void {
    clearInterval(this.#timer);
    this.#rounds.stop();
    this.#waiters.release();
  }

  #begin(read: () => void): void {
    this.#connections += 1;
    this.#isRead = false;
    this.#isInDoubt = false;
    this.#connectedAt = performance.now();
    read();
  }

  #tick(): void {
    if (!this.#options.bus.isConnected) return;
    const now = performance.now();
    if (!this.#isRead || now - this.#lookedAt > LOOK_EVERY_MS) this.#rounds.want();
    if (this.#isRead || this.#isInDoubt || now - this.#connectedAt < DOUBT_AFTER_MS) return;
    this.#isInDoubt = true;
    if (this.#createdMs !== 0) this.#options.logger.warn('the list of revoked tokens cannot be read');
    this.#options.onDoubt?.();
  }

  #take(stored: StoredRevocation): void {
    this.list.add(stored.revocation);
    this.#options.onRevoked?.(stored);
    this.#waiters.check();
  }

  async #look(): Promise<void> {
    const connection = this.#connections;
    const info = await this.#rounds.bounded(this.#leadersWord());
    if (info === 'absent') return; // not made yet, or lost; the next tick looks again
    const isRecreated = info !== undefined && this.#createdMs !== 0 && info.createdMs !== this.#createdMs;
    if (info !== undefined) {
      this.#seq = info.createdMs === this.#createdMs ? Math.min(this.#seq, info.lastSeq) : 0;
      this.#createdMs = info.createdMs;
      if (info.messages > 0) await this.#rounds.bounded(this.#readUntil(info.lastSeq));
      this.#seq = Math.max(this.#seq, info.lastSeq);
    }
    while (await this.#rounds.bounded(this.#readNext(this.#seq + 1)));
    if (connection !== this.#connections) return;
    const now = performance.now();
    this.#lookedAt = now;
    if (info !== undefined) this.#confirmedAt = now;
    this.#isRead = true;
    this.#waiters.check();
    if (isRecreated) this.#options.onRecreated?.();
  }

  /** Undefined while the stream has no leader; its replicas can be read then. */
  async #leadersWord(): Promise<
    { createdMs: number; lastSeq: number; messages: number } | undefined | 'absent'
  > {
    try {
      return await this.#options.jetstream.streamInfo(STREAM, ANSWER_WITHIN_MS);
    } catch (error) {
      return (error as { code?: string }).code === '404' ? 'absent' : undefined;
    }
  }

  /** Reads from where this stands to a sequence that is there; a long way is shared out. */
  async #readUntil(last: number): Promise<void> {
    const first = this.#seq + 1;
    const lanes = Math.min(LANES, Math.ceil((last - this.#seq) / LANE_LENGTH));
    const length = Math.ceil((last - this.#seq) / Math.max(1, lanes));
    const read = async (lane: number) => {
      const end = Math.min(first + (lane + 1) * length - 1, last);
      let seq = first + lane * length;
      while (seq <= end) {
        const found = await this.#readAt(seq);
        if (found === undefined) throw new Error(`a replica does not have ${last} yet`);
        seq = found + 1;
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, lane) => read(lane)));
  }

  /** @returns whether there was one. */
  async #readNext(from: number): Promise<boolean> {
    const found = await this.#readAt(from);
    if (found !== undefined) this.#seq = Math.max(this.#seq, found);
    return found !== undefined;
  }

  /** Takes the first revocation at or after a sequence. @returns its sequence; undefined: there is none. */
  async #readAt(from: number): Promise<number | undefined> {
    const { jetstream, logger } = this.#options;
    const message = await jetstream.readNext(STREAM, EVERY_SUBJECT, from, ANSWER_WITHIN_MS);
    if (message === undefined) return undefined;
    const stored = revocationOf(message);
    if (stored !== undefined) this.#take(stored);
    if (stored === undefined || subjectOf(stored.revocation) !== message.subject) {
      logger.warn(
        { seq: message.seq },
        'message in the list of revoked tokens is not the one of its subject',
      );
      this.#options.onDisplaced?.(message.subject);
    }
    return message.seq;
  }
}
