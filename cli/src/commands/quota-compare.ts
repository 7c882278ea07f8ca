import { envelopeOf, quotaLatest, quotaUsage } from '@sluice/contracts';
import { type Delivery, type JetStream, type Redis, readStream } from '@sluice/service-kit';
import { z } from 'zod';

export interface Difference {
  readonly tenant: string;
  readonly field: string;
  /** Null: not there. */
  readonly redis: string | null;
  readonly stream: string | null;
}

export interface Compared {
  /** Tenants with a last value in the stream. */
  readonly tenants: number;
  /** Tenants with sums of usage in the stream. */
  readonly sums: number;
  /** Of the states: those whose key may have ended. */
  readonly expired: number;
  readonly differences: readonly Difference[];
}

export interface Where {
  readonly jetstream: JetStream;
  readonly redis: Redis;
  /** Before the tenant in the key of its state. */
  readonly prefix: string;
}

const EVENTS = 'QUOTAS';
const LATEST = 'QUOTA_LATEST';
const KEYS_AT_ONCE = 500;
const NANO = 1e9;
const AMOUNTS = {
  prompt_tokens: 'prompt_tokens',
  completion_tokens: 'completion_tokens',
  total_tokens: 'total_tokens',
  cost_usd: 'cost_nano_usd',
} as const;
type Amount = keyof typeof AMOUNTS;

const latest = quotaLatest.payload;
const usage = envelopeOf(
  quotaUsage.extend({ limit: z.unknown().optional(), used: z.unknown().optional() }),
).extend({
  occurredAt: z.unknown().optional(),
});

/**
 * Reads the streams with a reader of its own, by the contract and not by the mirror's code, so that a fault of the
 * mirror cannot hide itself.
 */
export const compare = async (where: Where): Promise<Compared> => {
  const states = await latestStates(where.jetstream);
  const { sums, isWhole } = await usageSums(where.jetstream);
  const differences: Difference[] = [];
  const expired = await compareStates(where, states, differences);
  await compareSums(where, sums, isWhole, differences);
  await findStrangers(where, states, differences);
  return { tenants: states.size, sums: sums.size, expired, differences };
};

type Fields = Readonly<Record<string, string>>;

const jsonOf = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    return undefined; // poison is the dead letters' concern
  }
};

const latestStates = async (jetstream: JetStream): Promise<ReadonlyMap<string, Fields>> => {
  const states = new Map<string, Fields>();
  await readStream(jetstream, LATEST, (page) => {
    for (const delivery of page) {
      const parsed = latest.safeParse(jsonOf(delivery.data));
      if (!parsed.success) continue;
      const { tenantId, eventId, payload } = parsed.data;
      states.set(tenantId, {
        limit: `${payload.limit}`,
        used: `${payload.used}`,
        period: payload.period,
        reset_at: payload.resetAt ?? '',
        event_id: eventId,
        version: delivery.header('X-Version') ?? '',
      });
    }
    return Promise.resolve();
  });
  return states;
};

type Sums = Map<string, Map<Amount, bigint>>;

const addUsage = (sums: Sums, counted: Set<string>, delivery: Delivery): void => {
  const parsed = usage.safeParse(withoutNulls(jsonOf(delivery.data)));
  if (!parsed.success) return;
  const { tenantId, eventId, payload } = parsed.data;
  if (payload.limit !== undefined || payload.used !== undefined) return; // a state
  const id = JSON.stringify([tenantId, eventId]);
  if (counted.has(id)) return;
  const known = (Object.keys(AMOUNTS) as Amount[]).filter((name) => payload.usage[name] !== undefined);
  const amounts = known.map((name) => [name, nanoOf(name, payload.usage[name] ?? 0)] as const);
  if (amounts.some(([, amount]) => Math.abs(amount) > 1e15)) return; // a dead letter
  counted.add(id);
  const sum = sums.get(tenantId) ?? new Map<Amount, bigint>();
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0n) + BigInt(amount));
  if (amounts.length > 0) sums.set(tenantId, sum);
};

const nanoOf = (name: Amount, value: number): number =>
  Math.round(name === 'cost_usd' ? value * NANO : value);

/** `null` is how a publisher in Python writes what it does not know. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null), (_key, one: unknown) => (one === null ? undefined : one));

const usageSums = async (jetstream: JetStream): Promise<{ sums: Sums; isWhole: boolean }> => {
  const sums: Sums = new Map();
  const counted = new Set<string>();
  const { firstSeq } = await jetstream.streamInfo(EVENTS);
  await readStream(jetstream, EVENTS, (page) => {
    for (const delivery of page) addUsage(sums, counted, delivery);
    return Promise.resolve();
  });
  return { sums, isWhole: firstSeq <= 1 };
};

const hashesOf = async (redis: Redis, keys: readonly string[]): Promise<readonly Fields[]> => {
  const hashes: Fields[] = [];
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE)
    hashes.push(
      ...(await Promise.all(keys.slice(from, from + KEYS_AT_ONCE).map((key) => redis.hgetall(key)))),
    );
  return hashes;
};

/** @returns how many states have ended: their key may be gone. */
const compareStates = async (
  { redis, prefix }: Where,
  states: ReadonlyMap<string, Fields>,
  differences: Difference[],
): Promise<number> => {
  const tenants = [...states.keys()];
  const hashes = await hashesOf(
    redis,
    tenants.map((tenant) => prefix + tenant),
  );
  let expired = 0;
  for (const [n, tenant] of tenants.entries()) {
    const hash = hashes[n] ?? {};
    const wanted = states.get(tenant) ?? {};
    const isGone = Object.keys(hash).length === 0;
    if (isGone && mayHaveEnded(wanted)) {
      expired += 1;
      continue;
    }
    const held: Fields = { ...hash, version: `${hash.v_occ}.${hash.v_epoch}.${hash.v_seq}` };
    for (const [field, stream] of Object.entries(wanted))
      if (isGone || !isSame(field, held[field], stream))
        differences.push({ tenant, field, redis: isGone ? null : (held[field] ?? null), stream });
  }
  return expired;
};

const isSame = (field: string, held: string | undefined, stream: string): boolean =>
  field === 'limit' || field === 'used' ? Number(held) === Number(stream) : held === stream;

/** A key ends a day after its period; a state without an end of its own is judged by the shortest period. */
const mayHaveEnded = ({ reset_at = '', version = '' }: Fields): boolean => {
  const resets = Date.parse(reset_at);
  const happenedMs = Number(version.slice(0, 20)) / 1000;
  return (Number.isNaN(resets) ? happenedMs + 3_600_000 : resets) + 86_400_000 <= Date.now();
};

/** What the stream has let go may be in a sum: then only a sum that is too small is wrong. */
const compareSums = async (
  { redis, prefix }: Where,
  sums: Sums,
  isWhole: boolean,
  differences: Difference[],
): Promise<void> => {
  const tenants = [...sums.keys()];
  const root = prefix.replace(/tenant:$/, '');
  const hashes = await hashesOf(
    redis,
    tenants.map((tenant) => `${root}usage:{${tenant}}`),
  );
  for (const [n, tenant] of tenants.entries())
    for (const [name, sum] of sums.get(tenant) ?? []) {
      const held = hashes[n]?.[AMOUNTS[name]];
      const isNumber = held !== undefined && /^-?\d+$/.test(held);
      if (isNumber && (isWhole ? BigInt(held) === sum : BigInt(held) >= sum)) continue;
      differences.push({ tenant, field: AMOUNTS[name], redis: held ?? null, stream: `${sum}` });
    }
};

/** Keys that no last value accounts for. */
const findStrangers = async (
  { redis, prefix }: Where,
  states: ReadonlyMap<string, Fields>,
  differences: Difference[],
): Promise<void> => {
  let cursor = '0';
  const match = `${prefix.replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', match, 'COUNT', KEYS_AT_ONCE);
    cursor = next;
    for (const tenant of new Set(keys.map((key) => key.slice(prefix.length))))
      if (!states.has(tenant)) differences.push({ tenant, field: 'key', redis: 'there', stream: null });
  } while (cursor !== '0');
};
