import type { IncomingMessage } from 'node:http';
import type { DecisionFilter } from '@sluice/contracts';
import type { ProxyExchange } from '../exchange.ts';
import { tenantOf } from './decision-record.ts';
import { DecisionSlot } from './decision-slot.ts';

/** Numbers between which requests are looked for; absent: no bound. */
interface Within {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
}

/** The decisions about the latest requests. Each place is made when it is first needed and then written over. */
export class DecisionRing {
  readonly capacity: number;
  /** Headers that routes match by: their values are kept. */
  routeHeaders: readonly string[] = [];
  readonly #slots: DecisionSlot[] = [];
  #seq = 0;

  /** @param capacity Requests remembered; 0: none. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** The newest request; 0: there was none. */
  get seq(): number {
    return this.#seq;
  }

  /** Places that were made so far: as many requests are remembered. */
  get size(): number {
    return this.#slots.length;
  }

  /** Remembers a finished request in the place of the oldest. */
  keep(exchange: ProxyExchange, now: number): DecisionSlot {
    const slot = this.#next();
    slot.fill(exchange, this.#seq, now, this.routeHeaders);
    return slot;
  }

  /** Remembers a request that was refused before anything was done for it. `at` in Unix ms. */
  keepShed(id: string, request: IncomingMessage, at: number): DecisionSlot {
    const slot = this.#next();
    slot.shed(id, request, this.#seq, at);
    return slot;
  }

  #next(): DecisionSlot {
    this.#seq += 1;
    const place = (this.#seq - 1) % this.capacity;
    let slot = this.#slots[place];
    if (slot === undefined) {
      slot = new DecisionSlot();
      this.#slots.push(slot); // places are filled in their order the first time
    }
    return slot;
  }

  /** The request with this number; undefined when it was forgotten. */
  at(seq: number): DecisionSlot | undefined {
    const slot = this.#slots[(seq - 1) % this.capacity];
    return slot?.seq === seq ? slot : undefined;
  }

  /** The newest first. `before`: only those that came earlier. */
  *newest(before = this.#seq + 1): Generator<DecisionSlot> {
    const oldest = this.oldest;
    for (let seq = Math.min(this.#seq, before - 1); seq >= oldest; seq--) {
      const slot = this.at(seq);
      if (slot !== undefined) yield slot;
    }
  }

  /** Number of the oldest request remembered. */
  get oldest(): number {
    return Math.max(1, this.#seq - this.capacity + 1);
  }

  /** Those that fit, the oldest first; of too many the newest. */
  find(filter: DecisionFilter, limit: number, within: Within = {}): DecisionSlot[] {
    const { after = 0, before } = within;
    const found: DecisionSlot[] = [];
    for (const slot of this.newest(before)) {
      if (slot.seq <= after || found.length === limit) break;
      if (fits(slot, filter)) found.push(slot);
    }
    return found.reverse();
  }

  /** How many fit that are newer than `after` and older than `before`. */
  count(filter: DecisionFilter, { after = 0, before }: Within): number {
    let count = 0;
    for (const slot of this.newest(before)) {
      if (slot.seq <= after) break;
      if (fits(slot, filter)) count += 1;
    }
    return count;
  }
}

const fits = (slot: DecisionSlot, { id, tenant, route, status, flagged }: DecisionFilter): boolean =>
  (id === undefined || slot.id === id || slot.correlationId === id || slot.traceId === id) &&
  (tenant === undefined || tenantOf(slot) === tenant) &&
  (route === undefined || slot.route?.name === route || slot.route?.id === route) &&
  (flagged !== true || slot.flagged !== undefined) &&
  (status === undefined || slot.status === status || Math.floor(slot.status / 100) === status);
