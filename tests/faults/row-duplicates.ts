import { quotaStateChanged } from '@sluice/contracts';
import { readStream } from '@sluice/service-kit';
import { quotaSettled } from './quota-judge.ts';
import type { QuotaWorld } from './quota-world.ts';

const LIMIT = 1000;
const TIMES = 3;

export interface DuplicatesRun {
  readonly tenants: number;
  /** States of each tenant, and uses beside them; two at least. */
  readonly waves: number;
  /** Waits until the stream has forgotten the ids of the messages so far. */
  readonly pastTheWindow: () => Promise<void>;
  readonly say: (line: string) => void;
}

interface Event {
  readonly body: string;
  /** Every other tenant's publisher gives its messages an id. */
  readonly msgId?: string;
}

/** Each tenant crosses the alert line in the last wave but one, and its limit in the last. */
const usedAt = (wave: number, waves: number): number => {
  if (wave === waves - 1) return LIMIT;
  return wave === waves - 2 ? 0.9 * LIMIT : wave;
};

const eventsOf = (tenants: number, wave: number, waves: number): readonly Event[] => {
  const occurredAt = new Date(Date.UTC(2025, 0, 1) + wave * 1000).toISOString();
  return Array.from({ length: tenants }, (_, n) => n).flatMap((n) => {
    const used = usedAt(wave, waves);
    const payloads = {
      state: {
        limit: LIMIT,
        used,
        remaining: LIMIT - used,
        period: 'monthly',
        resetAt: '2099-01-01T00:00:00Z',
      },
      use: { usage: { total_tokens: 1 + wave + n, cost_usd: 0.0021 } },
    };
    return Object.entries(payloads).map(([kind, payload]) => {
      const eventId = `${kind}-${wave}-${n}`;
      const body = JSON.stringify({ eventId, occurredAt, tenantId: `twice-${n}`, payload });
      return n % 2 === 0 ? { body, msgId: eventId } : { body };
    });
  });
};

/** What the events have done so far: hashes, sums, last values, and what was told to others. */
class Effects {
  readonly #world: QuotaWorld;
  readonly #tenants: number;
  readonly #announced = new Map<string, number>();

  private constructor(world: QuotaWorld, tenants: number) {
    this.#world = world;
    this.#tenants = tenants;
  }

  static async of(world: QuotaWorld, tenants: number): Promise<Effects> {
    const effects = new Effects(world, tenants);
    const { connection } = await world.outside.jetstream.raw();
    connection.subscribe(quotaStateChanged.subject, {
      callback: (_error, message) => {
        const { tenantId, payload } = message.json<{
          tenantId: string;
          payload: { from: string; to: string };
        }>();
        const what = `${tenantId}: announced ${payload.from} to ${payload.to}`;
        effects.#announced.set(what, (effects.#announced.get(what) ?? 0) + 1);
      },
    });
    await connection.flush();
    return effects;
  }

  get announcements(): number {
    return [...this.#announced.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Each effect by its name; places in the stream are none. */
  async seen(): Promise<ReadonlyMap<string, string>> {
    const { redis, jetstream } = this.#world.outside;
    const seen = new Map([...this.#announced].map(([what, count]) => [what, `${count} times`]));
    for (let n = 0; n < this.#tenants; n++) {
      const tenant = `twice-${n}`;
      const { v_seq: _place, v_epoch: _stream, ...state } = await redis.hgetall(`quota:tenant:${tenant}`);
      const { _low, ...sums } = await redis.hgetall(`quota:usage:{${tenant}}`);
      seen.set(`${tenant}: state`, JSON.stringify(state));
      seen.set(`${tenant}: sums`, JSON.stringify(sums));
    }
    await readStream(jetstream, 'QUOTA_LATEST', (page) => {
      for (const { subject, data } of page) seen.set(subject, Buffer.from(data).toString());
      return Promise.resolve();
    });
    seen.set('dead letters', `${(await jetstream.streamInfo('DEADLETTER')).messages}`);
    return seen;
  }
}

/** Publishes all events in order. @returns how many the stream took for known. */
const publishAll = async (world: QuotaWorld, { tenants, waves }: DuplicatesRun): Promise<number> => {
  const { jetstream, redis } = world.outside;
  let known = 0;
  for (let wave = 0; wave < waves; wave++) {
    const publish = ({ body, msgId }: Event) =>
      jetstream.append('quota.updated', body, msgId === undefined ? {} : { msgId });
    const acks = await Promise.all(eventsOf(tenants, wave, waves).map(publish));
    known += acks.filter(({ duplicate }) => duplicate).length;
    await quotaSettled(jetstream, redis); // each crossing of a line is told by itself, not as one of a batch
  }
  return known;
};

/**
 * Q3: every event three times, with and without the same `Nats-Msg-Id`, each time past the window in which the stream
 * knows an id. What is there after the first time must still be there after the last.
 * @returns what is not as it was.
 */
export const duplicatesRow = async (world: QuotaWorld, run: DuplicatesRun): Promise<readonly string[]> => {
  const effects = await Effects.of(world, run.tenants);
  let known = await publishAll(world, run);
  const once = await effects.seen();
  const announcedOnce = effects.announcements;
  for (let time = 2; time <= TIMES; time++) {
    await run.pastTheWindow();
    known += await publishAll(world, run);
  }
  const thrice = await effects.seen();
  const { lastSeq: stored } = await world.outside.jetstream.streamInfo('QUOTAS');
  const events = run.tenants * run.waves * 2;
  run.say(
    `Q3 ${events} events of ${run.tenants} tenants ${TIMES} times, ${stored} stored, announcements ${announcedOnce} after the first time, ${effects.announcements} after the last`,
  );
  const wrong = [...new Set([...once.keys(), ...thrice.keys()])].flatMap((what) =>
    once.get(what) === thrice.get(what) ? [] : [`${what}: ${once.get(what)} became ${thrice.get(what)}`],
  );
  // Else the stream and not the mirror had kept the repetitions away.
  if (known > 0) wrong.push(`${known} events came within the window of their id`);
  if (announcedOnce !== 2 * run.tenants)
    wrong.push(`${announcedOnce} announcements, not two for each tenant`);
  return wrong;
};
