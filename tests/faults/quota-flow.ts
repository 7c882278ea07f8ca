import { setTimeout as sleep } from 'node:timers/promises';
import type { QuotaWorld } from './quota-world.ts';

const LIMIT = 1_000_000;

export interface FlowOptions {
  /** Before the number of each tenant. */
  readonly name: string;
  readonly tenants: number;
  readonly perSecond: number;
}

/** States of many tenants at a steady rate, and when each could be read in Redis. A tenant has one on its way. */
export class QuotaFlow {
  readonly #world: QuotaWorld;
  readonly #options: FlowOptions;
  readonly #begun = performance.now();
  /** When a tenant's event was published, and what it says. */
  readonly #onTheWay = new Map<string, { readonly used: number; readonly at: number }>();
  readonly #lagsMs: number[] = [];
  readonly #publishing = new Set<Promise<unknown>>();
  /** The newest state that the stream has confirmed, by tenant. */
  readonly confirmed = new Map<string, number>();
  published = 0;
  #turn = 0;

  constructor(world: QuotaWorld, options: FlowOptions) {
    this.#world = world;
    this.#options = options;
  }

  static keyOf(tenant: string): string {
    return `quota:tenant:${tenant}`;
  }

  /** Publishes what should have been published by now, and looks which events have arrived. */
  async publishDue(): Promise<void> {
    const due = ((performance.now() - this.#begun) / 1000) * this.#options.perSecond;
    for (let tries = 0; this.published < due && tries < this.#options.tenants; tries++) this.#publishNext();
    await this.look();
  }

  /** Returns when every event has been read in Redis. */
  async allSeen(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    await Promise.all(this.#publishing);
    while (this.#onTheWay.size > 0) {
      if (performance.now() > until) throw new Error(`${this.#onTheWay.size} tenants' events did not arrive`);
      await this.look();
      await sleep(1);
    }
  }

  /** Events that can be read now are no longer on their way. */
  async look(): Promise<void> {
    const waiting = [...this.#onTheWay];
    const held = await Promise.all(
      waiting.map(([tenant]) => this.#world.outside.redis.hget(QuotaFlow.keyOf(tenant), 'used')),
    ).catch(() => []); // Redis is away
    const now = performance.now();
    for (const [n, [tenant, { used, at }]] of waiting.entries()) {
      if (held[n] !== `${used}`) continue;
      this.#lagsMs.push(now - at);
      this.#onTheWay.delete(tenant);
    }
  }

  lagText(): string {
    const sorted = this.#lagsMs.toSorted((a, b) => a - b);
    const at = (share: number) => `${Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)} ms`;
    const seconds = (performance.now() - this.#begun) / 1000;
    return `${sorted.length} events, ${Math.round(sorted.length / seconds)}/s, lag p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`;
  }

  #publishNext(): void {
    const tenant = `${this.#options.name}-${this.#turn++ % this.#options.tenants}`;
    if (this.#onTheWay.has(tenant)) return;
    const serial = this.published++;
    this.#onTheWay.set(tenant, { used: serial, at: performance.now() });
    const payload = { limit: LIMIT, used: serial, period: 'monthly', resetAt: '2099-01-01T00:00:00Z' };
    const envelope = { eventId: crypto.randomUUID(), occurredAt: new Date().toISOString(), tenantId: tenant };
    const publishing = this.#world.outside.jetstream
      .append('quota.updated', JSON.stringify({ ...envelope, payload }), { timeoutMs: 20_000 })
      .then(() => this.confirmed.set(tenant, serial))
      .finally(() => this.#publishing.delete(publishing));
    publishing.catch(() => undefined); // told by `allSeen`
    this.#publishing.add(publishing);
  }
}
