import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type JetStreamClient, type NatsConnection } from 'nats';
import { randomOf } from '../../bench/measure/random.ts';

const LIMIT = 1_000_000;
const USAGE_SHARE = 0.2;
const REPEATED_SHARE = 0.05;
const POISON_SHARE = 0.01;
const LATE_SHARE = 0.3;
const LATEST_MS = 5000;
const REMEMBERED = 1000;
const RETRY_MS = 100;
const ACK_TIMEOUT_MS = 2000;

interface State {
  readonly eventId: string;
  readonly used: number;
  /** Microseconds; no two events of the load have the same. */
  readonly occurred: number;
}

/** What must be in Redis when everything is settled: it follows from what was published, not from the streams. */
export class QuotaModel {
  readonly states = new Map<string, State>();
  readonly tokens = new Map<string, number>();
  /** Ids of the messages that can never be applied. */
  readonly poison = new Set<string>();
  published = 0;

  state(tenant: string, state: State): void {
    const held = this.states.get(tenant);
    if (held === undefined || state.occurred > held.occurred) this.states.set(tenant, state);
  }

  usage(tenant: string, tokens: number): void {
    this.tokens.set(tenant, (this.tokens.get(tenant) ?? 0) + tokens);
  }
}

interface Message {
  readonly body: string | Uint8Array;
  readonly msgID?: string;
}

const envelope = (eventId: string, occurredAt: string, tenantId: string, payload: unknown) =>
  JSON.stringify({ eventId, occurredAt, tenantId, platformId: 'platform-1', actor: 'litellm', payload });

/** Every way in which a message can be wrong. */
export const POISON: readonly ((serial: number) => string | Uint8Array)[] = [
  (n) => `{"no json ${n}`,
  (n) => Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, n & 0xff, 0x7d]),
  (n) => JSON.stringify({ eventId: `p${n}`, payload: { limit: 1, used: 1 } }),
  (n) => envelope(`p${n}`, '', '', { limit: 1, used: 1 }),
  (n) => envelope(`p${n}`, '', 't', { limit: 'many', used: n }),
  (n) => JSON.stringify({ v: 2, version: '2.0', event: { id: n }, tenantId: 't', data: {} }),
  () => '',
];

/** A publisher's messages, with what follows from them entered into the model. Endless. */
export function* quotaMessages(model: QuotaModel, tenants: number, seed: number): Generator<Message, never> {
  const random = randomOf(seed);
  const recent: Message[] = [];
  for (let serial = 1; ; serial++) {
    const kind = random();
    model.published += 1;
    if (kind < POISON_SHARE) {
      const msgID = `poison-${serial}`;
      model.poison.add(msgID);
      yield { body: POISON[serial % POISON.length]?.(serial) ?? '', msgID };
      continue;
    }
    const again =
      kind < POISON_SHARE + REPEATED_SHARE ? recent[Math.floor(random() * recent.length)] : undefined;
    if (again !== undefined) {
      yield again;
      continue;
    }
    const message = { body: newEvent(model, serial, `tenant-${Math.floor(random() * tenants)}`, random) };
    recent[serial % REMEMBERED] = message;
    yield message;
  }
}

const newEvent = (model: QuotaModel, serial: number, tenant: string, random: () => number): string => {
  const lateMs = LATEST_MS + (random() < LATE_SHARE ? random() * LATEST_MS : 0);
  let ms = Math.floor(Date.now() - lateMs);
  const micros = serial % 1000;
  if (model.states.get(tenant)?.occurred === ms * 1000 + micros) ms -= 1; // of two equal ones the later stored wins
  const occurredAt = `${new Date(ms).toISOString().slice(0, -1)}${`${micros}`.padStart(3, '0')}`;
  const eventId = `event-${serial}`;
  if (random() < USAGE_SHARE) {
    const tokens = 1 + (serial % 900);
    model.usage(tenant, tokens);
    return envelope(eventId, occurredAt, tenant, { usage: { total_tokens: tokens, cost_usd: 0.0021 } });
  }
  const used = serial % LIMIT;
  model.state(tenant, { eventId, used, occurred: ms * 1000 + micros });
  const payload = {
    limit: LIMIT,
    used,
    remaining: LIMIT - used,
    period: 'monthly',
    resetAt: '2099-01-01T00:00:00Z',
  };
  return envelope(eventId, occurredAt, tenant, payload);
};

/** Publishes and does not rest before the server has said that it has the message, as a careful publisher does. */
export class Publisher implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#client = connection.jetstream();
  }

  static async open(url: string): Promise<Publisher> {
    const options = { servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, noAsyncTraces: true };
    return new Publisher(await connect(options));
  }

  async publish({ body, msgID }: Message): Promise<void> {
    for (;;) {
      try {
        await this.#client.publish('quota.updated', body, {
          timeout: ACK_TIMEOUT_MS,
          ...(msgID === undefined ? {} : { msgID }),
        });
        return;
      } catch {
        await sleep(RETRY_MS); // it may be stored all the same: then it is stored twice, and must count once
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}
