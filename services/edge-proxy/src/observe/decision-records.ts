import type { IncomingMessage } from 'node:http';
import {
  type DecisionRecord,
  decisionRecorded,
  edgeDecision,
  edgeTraffic,
  MAX_RECORDS_PER_MESSAGE,
} from '@sluice/contracts';
import { type Bus, counter, type Registry } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import { recordOf } from './decision-record.ts';
import { DecisionRing } from './decision-ring.ts';
import type { DecisionSlot } from './decision-slot.ts';
import { trafficOf } from './decision-traffic.ts';

/** Between two messages to the stream, in ms; with the size of a message the most that an edge tells: 500/s. */
const TELL_EVERY_MS = 200;
/** Requests that may wait to be told. */
const MAX_WAITING = 1000;
/**
 * Requests shed by the gate that are remembered of a flood: so many at its begin, then so many between two messages.
 * Thousands a second would push all others out of the ring and out of the stream.
 */
const SHED_AT_ONCE = 50;
const SHED_PER_TELL = 5;
/** A place in the ring that is written over while it waits is lost to the stream, so few places are no ring. */
const SMALLEST_RING = 16;

export interface DecisionRecordOptions {
  readonly bus: Bus;
  readonly registry: Registry;
  readonly instance: string;
  /** Version of the configuration in use. */
  readonly version: () => number;
  /** Requests that are remembered; 0: none. */
  readonly capacity: number;
  /** Share of the requests that were not refused which the stream is told, 0 to 1. */
  readonly sample: number;
}

/** What the gate in front of the edge knows of why it refuses. */
interface ShedFigures {
  readonly lagMs: number;
  readonly maxLagMs: number;
  readonly allowancePerSecond: number | undefined;
}

/**
 * What became of the latest requests, and who decided it: in a ring for whoever asks soon, and of all refusals and a
 * sample of the rest in a stream for whoever asks later. Nobody waits for the stream: while it cannot keep up, or is
 * not there, records are left out of it and counted.
 */
export class DecisionRecords {
  readonly ring: DecisionRing;
  readonly #options: DecisionRecordOptions;
  readonly #waiting: number[] = [];
  readonly #dropped;
  readonly #full;
  readonly #told;
  readonly #timer: NodeJS.Timeout;
  #shedLeft = SHED_AT_ONCE;
  /** Shed since the last one that was remembered. */
  #shedUnseen = 0;

  constructor(options: DecisionRecordOptions) {
    const { registry, capacity } = options;
    this.#options = options;
    this.ring = new DecisionRing(capacity === 0 ? 0 : Math.max(SMALLEST_RING, capacity));
    this.#told = counter(
      registry,
      'sluice_decision_records_total',
      'Decision records told to the stream',
      [] as const,
    );
    this.#dropped = counter(
      registry,
      'sluice_decision_records_dropped_total',
      'Decision records that the stream was not told: too many at once, the bus gone, forgotten while waiting',
      ['reason'] as const,
    );
    this.#told.inc(0);
    for (const reason of ['full', 'disconnected', 'forgotten']) this.#dropped.inc({ reason }, 0);
    this.#full = this.#dropped.labels({ reason: 'full' });
    this.#timer = setInterval(() => this.#tell(), TELL_EVERY_MS);
    this.#timer.unref();
  }

  /** Version of the configuration that a request which begins now lives in. */
  get version(): number {
    return this.#options.version();
  }

  /** Remembers a finished request. */
  note(exchange: ProxyExchange): void {
    if (this.ring.capacity === 0) return;
    const slot = this.ring.keep(exchange, exchange.timing.endedAt ?? performance.now());
    if (!isNotable(slot) && Math.random() >= this.#options.sample) return;
    this.#queue(slot);
  }

  /**
   * Remembers a request that was refused because the event loop could not keep up; of a flood a sample, each with the
   * number of those it stands for. All are counted by the gate.
   */
  noteShed(id: string, request: IncomingMessage, gate: ShedFigures): void {
    if (this.ring.capacity === 0) return;
    this.#shedUnseen += 1;
    if (this.#shedLeft === 0) return;
    this.#shedLeft -= 1;
    const slot = this.ring.keepShed(id, request, Date.now());
    slot.version = this.version;
    slot.standsFor = this.#shedUnseen;
    this.#shedUnseen = 0;
    slot.facts = {
      stands_for: slot.standsFor,
      event_loop_lag_ms: Math.round(gate.lagMs),
      max_lag_ms: gate.maxLagMs,
      allowed_per_second: Math.round(gate.allowancePerSecond ?? 0),
    };
    this.#queue(slot);
  }

  #queue({ seq }: DecisionSlot): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(seq);
    else this.#full.inc();
  }

  /** Answers those who ask, from now on. */
  answer(): void {
    const { bus, instance } = this.#options;
    bus.answer(edgeDecision, ({ limit, after, before, ...filter }) => {
      const { ring } = this;
      const isOurs = (one: { instance: string }) => one.instance === instance;
      const since = after?.find(isOurs)?.seq ?? 0;
      // After a restart the numbers begin anew: what was seen before says nothing about these.
      const from = since > ring.seq ? 0 : since;
      const within = { after: from, before: before?.find(isOurs)?.seq };
      const records = ring.capacity === 0 ? [] : ring.find(filter, limit, within);
      const answer = { instance, seq: ring.seq, records: records.map((slot) => recordOf(slot, instance)) };
      if (since === 0) return { ...answer, missed: 0 };
      // Who asks on goes on behind the newest: what has no room in this answer is never asked for again.
      const [oldestTold] = records;
      const isFull = oldestTold !== undefined && records.length === limit;
      const leftOut = isFull ? ring.count(filter, { after: from, before: oldestTold.seq }) : 0;
      return { ...answer, missed: Math.max(0, ring.oldest - 1 - from) + leftOut };
    });
    bus.answer(edgeTraffic, ({ windowMs, top }) => {
      const now = Date.now();
      return { instance, now, ...trafficOf(this.ring, { windowMs, top, now }) };
    });
  }

  /** Tells what waits and stops. */
  stop(): void {
    clearInterval(this.#timer);
    while (this.#waiting.length > 0) this.#tell();
  }

  #tell(): void {
    this.#shedLeft = Math.min(SHED_AT_ONCE, this.#shedLeft + SHED_PER_TELL);
    if (this.#waiting.length === 0) return;
    const { bus, instance } = this.#options;
    const due = this.#waiting.splice(0, MAX_RECORDS_PER_MESSAGE);
    const records: DecisionRecord[] = [];
    for (const seq of due) {
      const slot = this.ring.at(seq);
      if (slot === undefined) this.#dropped.inc({ reason: 'forgotten' });
      else records.push(recordOf(slot, instance));
    }
    if (records.length === 0) return;
    const isTold = bus.publish(decisionRecorded, {
      ...{ eventId: crypto.randomUUID(), occurredAt: new Date().toISOString() },
      ...{ tenantId: '*', platformId: 'sluice', payload: { instance, records } },
    });
    if (isTold) this.#told.inc(records.length);
    else this.#dropped.inc({ reason: 'disconnected' }, records.length);
  }
}

/** What somebody will ask about: refusals of ours, and an upstream that refuses or fails. */
const isNotable = ({ code, status, isAnswered }: DecisionSlot): boolean =>
  code !== undefined || status === 429 || status >= 500 || (isAnswered && status >= 400);
