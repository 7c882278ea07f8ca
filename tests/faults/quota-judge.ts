import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStream, type Redis, readStream } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import type { QuotaModel } from './quota-load.ts';

const GOES_ON_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 10;
const AT_ONCE = 500;

/**
 * Waits until every event of the stream is settled and Redis says that it is complete: a backlog takes what it takes,
 * but it must grow smaller.
 */
export const quotaSettled = async (jetstream: JetStream, redis: Redis): Promise<void> => {
  const { manager } = await jetstream.raw();
  const seen = { least: Number.POSITIVE_INFINITY, isSettled: false };
  const hasGoneOn = async () => {
    const info = await manager.consumers.info('QUOTAS', 'quota-mirror');
    const left = info.num_pending + info.num_ack_pending;
    const isSmaller = left < seen.least;
    seen.least = Math.min(seen.least, left);
    seen.isSettled = left === 0 && (await redis.exists('quota:meta:loaded')) === 1;
    return isSmaller || seen.isSettled;
  };
  while (!seen.isSettled) {
    await eventually(hasGoneOn, GOES_ON_WITHIN_MS);
    await sleep(LOOK_EVERY_MS);
  }
};

export interface Verdict {
  /** Q1, Q3: states and sums that are not as published. */
  readonly wrong: readonly string[];
  /** Q4: poison that is not among the dead letters once, and dead letters that are no poison. */
  readonly poison: readonly string[];
}

type Hash = Readonly<Record<string, string>>;

const hashesOf = async (redis: Redis, keys: readonly string[]): Promise<readonly Hash[]> => {
  const hashes: Hash[] = [];
  for (let from = 0; from < keys.length; from += AT_ONCE)
    hashes.push(...(await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => redis.hgetall(key)))));
  return hashes;
};

/** Compares what is there with what was published. */
export const judgeQuota = async (model: QuotaModel, jetstream: JetStream, redis: Redis): Promise<Verdict> => {
  const wrong: string[] = [];
  const tenants = [...model.states.keys()];
  const states = await hashesOf(
    redis,
    tenants.map((tenant) => `quota:tenant:${tenant}`),
  );
  const latest = await latestIds(jetstream);
  for (const [n, tenant] of tenants.entries()) {
    const wanted = model.states.get(tenant);
    const { used, event_id: eventId } = states[n] ?? {};
    if (used !== `${wanted?.used}` || eventId !== wanted?.eventId)
      wrong.push(`${tenant}: ${eventId} with ${used}, not ${wanted?.eventId} with ${wanted?.used}`);
    if (latest.get(tenant) !== wanted?.eventId) wrong.push(`${tenant}: last value ${latest.get(tenant)}`);
  }
  const users = [...model.tokens.keys()];
  const sums = await hashesOf(
    redis,
    users.map((tenant) => `quota:usage:{${tenant}}`),
  );
  for (const [n, tenant] of users.entries())
    if (sums[n]?.total_tokens !== `${model.tokens.get(tenant)}`)
      wrong.push(`${tenant}: ${sums[n]?.total_tokens} tokens, not ${model.tokens.get(tenant)}`);
  return { wrong, poison: await judgePoison(model, jetstream) };
};

const latestIds = async (jetstream: JetStream): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  await readStream(jetstream, 'QUOTA_LATEST', (page) => {
    for (const { data } of page) {
      const { tenantId = '', eventId = '' } = JSON.parse(Buffer.from(data).toString()) as Record<
        string,
        string
      >;
      found.set(tenantId, eventId);
    }
    return Promise.resolve();
  });
  return found;
};

const judgePoison = async (model: QuotaModel, jetstream: JetStream): Promise<readonly string[]> => {
  const found: string[] = [];
  const seen = new Map<string, number>();
  await readStream(jetstream, 'DEADLETTER', (page) => {
    for (const letter of page) {
      const id = letter.header('X-Orig-Msg-Id') ?? `no poison: ${letter.header('X-Orig-Seq')}`;
      seen.set(id, (seen.get(id) ?? 0) + 1);
      if (Number(letter.header('X-Deliveries')) > 5 && letter.header('X-Dead-Reason') === 'max_deliver')
        found.push(`${id}: ${letter.header('X-Deliveries')} deliveries`);
    }
    return Promise.resolve();
  });
  for (const id of model.poison)
    if (seen.get(id) !== 1) found.push(`${id}: ${seen.get(id) ?? 0} dead letters`);
  for (const id of seen.keys()) if (!model.poison.has(id)) found.push(`${id} is a dead letter`);
  return found;
};

/** All at one instant, and cheap enough to be asked every few ms. */
const VERSIONS = `
local all = {}
for n, key in ipairs(KEYS) do all[n] = redis.call('HMGET', key, 'v_occ', 'v_epoch', 'v_seq') end
return all`;

/** Looks at the versions in Redis again and again: none may ever go back (Q2). */
export class VersionWatch {
  readonly decreases: string[] = [];
  looks = 0;
  readonly #newest = new Map<string, string>();
  readonly #redis: Redis;
  readonly #tenants: readonly string[];

  constructor(redis: Redis, tenants: readonly string[]) {
    this.#redis = redis;
    this.#tenants = tenants;
  }

  async look(): Promise<void> {
    const all = await this.#redis
      .eval(VERSIONS, this.#tenants.length, ...this.#tenants.map((tenant) => `quota:tenant:${tenant}`))
      .catch(() => undefined);
    if (all === undefined) return; // Redis is away: that is the round
    this.looks += 1;
    for (const [n, parts] of (all as (string | null)[][]).entries()) {
      const tenant = this.#tenants[n] ?? '';
      const version = parts.every((part) => part !== null) ? parts.join('.') : '';
      const held = this.#newest.get(tenant) ?? '';
      if (version < held) this.decreases.push(`${tenant}: ${held} became ${version || 'nothing'}`);
      else this.#newest.set(tenant, version);
    }
  }
}
