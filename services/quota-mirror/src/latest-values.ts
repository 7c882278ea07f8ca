import { quotaLatest, subjectFor } from '@sluice/contracts';
import {
  AppendLane,
  type Delivery,
  type JetStream,
  type Logger,
  SequenceConflict,
  type StoredMessage,
} from '@sluice/service-kit';
import { applyEvents, rankOf, UNSETTLED } from './apply-events.ts';
import { expiryOf, plainNumber, type SnapshotEvent } from './decode-event.ts';
import { instantOf } from './instant.ts';
import type { Store } from './keys.ts';

const STREAM = 'QUOTA_LATEST';
/** occ, epoch and seq of the state; the payload itself is the platform's envelope and has no room for them. */
const VERSION_HEADER = 'X-Version';
const VERSION = /^(\d{20})\.(\d{20})\.(\d{20})$/;
const FLUSH_EVERY_MS = 200;
/** In a flood a flush is work: after it there is a rest of so many times what it took, and more events share a message. */
const REST_PER_WORK = 8;
const LONGEST_REST_MS = 1000;
/** With so many events waiting for their ack the next flush starts at once: they hold the consumer's places. */
const FLUSH_AT_WAITING = 5000;
const TENANTS_AT_ONCE = 256;
const KNOWN_TENANTS = 20_000;
const ATTEMPTS = 20;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** The newest state that was put into Redis, and the events whose ack waits until the stream has it. */
interface Waiting {
  event: SnapshotEvent;
  readonly deliveries: Delivery[];
}

/** What the stream holds for a tenant: the sequence of its message and the version in it. */
interface Known {
  readonly seq: number;
  readonly version: string;
}

const NOTHING: Known = { seq: 0, version: '' };

/** A message of QUOTA_LATEST as the event it stands for; undefined when it is none of ours. */
export const latestEvent = (message: Pick<StoredMessage, 'data' | 'header'>): SnapshotEvent | undefined => {
  const [, occ, epoch, seq] = VERSION.exec(message.header(VERSION_HEADER) ?? '') ?? [];
  if (occ === undefined || epoch === undefined || seq === undefined) return undefined;
  const parsed = quotaLatest.payload.safeParse(jsonOf(message.data));
  if (!parsed.success) return undefined;
  const { tenantId, eventId, occurredAt, payload } = parsed.data;
  return {
    kind: 'snapshot',
    tenantId,
    eventId,
    version: { occ, epoch, seq },
    expiresAt: expiryOf(Number(occ), payload.period, payload.resetAt),
    fields: {
      limit: plainNumber(payload.limit),
      used: plainNumber(payload.used),
      remaining: plainNumber(payload.remaining ?? payload.limit - payload.used),
      period: payload.period,
      reset_at: payload.resetAt ?? '',
      last_updated: occurredAt,
    },
  };
};

/**
 * Keeps the newest state of each tenant in a stream without an age, as the place that Redis is rebuilt from when
 * it lost everything and the events themselves are long gone. Many events of a tenant become one message; an event
 * is acked only when its tenant's state is stored.
 */
export class LatestValues {
  readonly #store: Store;
  readonly #jetstream: JetStream;
  readonly #lane: AppendLane;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Waiting>();
  readonly #known = new Map<string, Known>();
  #waitingEvents = 0;
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restMs = 0;

  constructor(store: Store, jetstream: JetStream, logger: Logger) {
    this.#store = store;
    this.#jetstream = jetstream;
    this.#lane = new AppendLane(jetstream);
    this.#logger = logger;
  }

  /** Tenants whose last value is known without a look. */
  get known(): number {
    return this.#known.size;
  }

  /** The event is its tenant's state in Redis; `delivery` is acked after it is stored. */
  mark(event: SnapshotEvent, delivery: Delivery): void {
    const held = this.#waiting.get(event.tenantId);
    if (held === undefined) this.#waiting.set(event.tenantId, { event, deliveries: [delivery] });
    else {
      if (rankOf(event.version) > rankOf(held.event.version)) held.event = event;
      held.deliveries.push(delivery);
    }
    this.#waitingEvents += 1;
    this.#plan();
  }

  /** Stores everything that is marked; what cannot be stored is handed back. */
  async flush(): Promise<void> {
    while (this.#waiting.size > 0 || this.#flushing !== undefined) {
      this.#start();
      await this.#flushing;
    }
  }

  #plan(): void {
    if (this.#waitingEvents >= FLUSH_AT_WAITING) this.#start();
    else if (this.#waiting.size > 0)
      this.#timer ??= setTimeout(() => this.#start(), Math.max(FLUSH_EVERY_MS, this.#restMs));
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // The end of the one under way plans the next.
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined;
      this.#plan();
    });
  }

  async #flushAll(): Promise<void> {
    const tenants = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#waitingEvents = 0;
    const begun = performance.now();
    for (let from = 0; from < tenants.length; from += TENANTS_AT_ONCE)
      await Promise.all(tenants.slice(from, from + TENANTS_AT_ONCE).map((one) => this.#settle(one)));
    this.#restMs = Math.min(LONGEST_REST_MS, (performance.now() - begun) * REST_PER_WORK);
  }

  async #settle({ event, deliveries }: Waiting): Promise<void> {
    try {
      await this.#storeLatest(event);
      for (const delivery of deliveries) delivery.ack();
    } catch (error) {
      this.#known.delete(event.tenantId);
      this.#logger.warn({ err: error, events: deliveries.length }, 'last value not stored; trying again');
      for (const delivery of deliveries)
        delivery.nak(Math.min(RETRY_MS * delivery.deliveryCount, LONGEST_RETRY_MS));
    }
  }

  /**
   * A state goes in only over the very message that it is known to be newer than: whoever stalls meanwhile finds
   * the sequence taken and looks again, so an older state never replaces a newer one.
   */
  async #storeLatest(event: SnapshotEvent): Promise<void> {
    const { tenantId } = event;
    const subject = subjectFor(quotaLatest, tenantId);
    const version = rankOf(event.version);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = this.#known.get(tenantId) ?? (await this.#look(subject));
      if (version < known.version) return this.#restore(subject);
      if (version === known.version) return this.#remember(tenantId, known);
      try {
        const { seq } = await this.#lane.append(subject, bodyOf(event), {
          expectLastSubjectSequence: known.seq,
          headers: { [VERSION_HEADER]: version },
        });
        return this.#remember(tenantId, { seq, version });
      } catch (error) {
        if (!(error instanceof SequenceConflict)) throw error;
        this.#known.delete(tenantId);
      }
    }
    throw new Error(`${subject}: others were faster ${ATTEMPTS} times`);
  }

  async #look(subject: string): Promise<Known> {
    const last = await this.#jetstream.readLast(STREAM, subject);
    if (last === undefined) return NOTHING;
    const event = latestEvent(last); // undefined: somebody else wrote here; ours replaces it
    return { seq: last.seq, version: event === undefined ? '' : rankOf(event.version) };
  }

  /** Redis is behind the stream: it lost data, or the key had expired and an old event made it anew. */
  async #restore(subject: string): Promise<void> {
    const last = await this.#jetstream.readLast(STREAM, subject);
    const event = last === undefined ? undefined : latestEvent(last);
    const [applied] = event === undefined ? [] : await applyEvents(this.#store, [event], UNSETTLED);
    if (applied?.result === 'failed') throw applied.error;
  }

  #remember(tenantId: string, known: Known): void {
    this.#known.delete(tenantId);
    this.#known.set(tenantId, known); // last again: the first is the one to forget
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_TENANTS && oldest !== undefined) this.#known.delete(oldest);
  }
}

const jsonOf = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
};

const bodyOf = ({ eventId, tenantId, version, fields }: SnapshotEvent): string =>
  JSON.stringify({
    eventId,
    occurredAt: fields.last_updated || instantOf(Number(version.occ)),
    tenantId,
    payload: {
      limit: Number(fields.limit),
      used: Number(fields.used),
      remaining: Number(fields.remaining),
      period: fields.period,
      resetAt: fields.reset_at || null,
    },
  });
