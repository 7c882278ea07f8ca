import { randomOf } from '../measure/random.ts';

const TENANT_LIMIT = 1_000_000;
/** Of all events: what calls used, and copies of an event that was published before. */
const USAGE_SHARE = 0.2;
const REPEATED_SHARE = 0.05;
/** Publishers on several machines: a third of the events happened so long before they are published, at most. */
const LATE_SHARE = 0.3;
const LATEST_MS = 5000;
const REMEMBERED = 1000;

interface State {
  readonly eventId: string;
  readonly occurredMs: number;
  readonly seq: number;
  readonly used: number;
}

/** What one event says; `body` is what is published. */
export interface Event {
  readonly eventId: string;
  readonly tenant: string;
  readonly occurredMs: number;
  /** A state of the tenant, else tokens that a call used. */
  readonly used?: number;
  readonly tokens?: number;
  readonly body: string;
}

const eventOf = (serial: number, tenant: string, occurredMs: number, isUsage: boolean): Event => {
  const eventId = `event-${serial}`;
  const envelope = {
    eventId,
    occurredAt: new Date(occurredMs).toISOString(),
    tenantId: tenant,
    platformId: 'platform-1',
    correlationId: `correlation-${serial}`,
    actor: 'litellm',
  };
  if (isUsage) {
    const tokens = 100 + (serial % 900);
    const usage = { prompt_tokens: tokens, completion_tokens: 7, total_tokens: tokens + 7, cost_usd: 0.0021 };
    const payload = { usage, model: 'gpt-4o' };
    return { eventId, tenant, occurredMs, tokens, body: JSON.stringify({ ...envelope, payload }) };
  }
  const used = serial % TENANT_LIMIT;
  const payload = {
    ...{ limit: TENANT_LIMIT, used, remaining: TENANT_LIMIT - used, period: 'monthly' },
    resetAt: '2099-01-01T00:00:00Z',
  };
  return { eventId, tenant, occurredMs, used, body: JSON.stringify({ ...envelope, payload }) };
};

/** Events of many tenants as a platform sends them: mixed kinds, out of order, some twice. Endless. */
export function* quotaEvents(tenants: number, seed: number): Generator<Event, never> {
  const random = randomOf(seed);
  const recent: Event[] = [];
  const base = Date.now() - 2 * LATEST_MS;
  for (let serial = 1; ; serial++) {
    const again = random() < REPEATED_SHARE ? recent[Math.floor(random() * recent.length)] : undefined;
    if (again !== undefined) {
      yield again;
      continue;
    }
    const tenant = `tenant-${Math.floor(random() * tenants)}`;
    const lateMs = random() < LATE_SHARE ? random() * LATEST_MS : 0;
    const event = eventOf(serial, tenant, Math.floor(base - lateMs), random() < USAGE_SHARE);
    recent[serial % REMEMBERED] = event;
    yield event;
  }
}

/** What follows from the events alone: the newest state of each tenant, and each use counted once. */
export class Expected {
  readonly states = new Map<string, State>();
  readonly tokens = new Map<string, number>();
  readonly #counted = new Set<string>();

  /** To be called in the order of the stream: of two events of one instant the later one is newer. */
  add({ eventId, tenant, occurredMs, used, tokens }: Event, seq: number): void {
    if (used !== undefined) {
      const held = this.states.get(tenant);
      if (held === undefined || occurredMs >= held.occurredMs)
        this.states.set(tenant, { eventId, occurredMs, seq, used });
    } else if (!this.#counted.has(eventId)) {
      this.#counted.add(eventId);
      this.tokens.set(tenant, (this.tokens.get(tenant) ?? 0) + (tokens ?? 0));
    }
  }
}
