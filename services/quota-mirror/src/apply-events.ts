import { ADD_USAGE, APPLY_SNAPSHOTS } from './apply.lua.ts';
import {
  type EventVersion,
  type QuotaEvent,
  type SnapshotEvent,
  USAGE_AMOUNTS,
  type UsageEvent,
} from './decode-event.ts';
import type { Store } from './keys.ts';
import { runScript } from './run-script.ts';

/** A state whose own expiry is past still lives so long: whoever replays old events by hand must see them. */
const LATE_LIFE_SECONDS = 86_400;
/** A publisher that repeats an event id within this time is counted once. */
const REMEMBER_IDS_MS = 6 * 3_600_000;
/** Longer than the stream keeps an event: after it no event of the tenant can come again. */
const IDS_LIFE_SECONDS = 36 * 86_400;
/** Events of one script. Redis serves nobody else meanwhile: about half a millisecond. */
const EVENTS_AT_ONCE = 50;

/** How far the stream is settled, for forgetting event ids. */
export interface Settled {
  readonly epoch: number;
  /** Every event stored before this Unix ms is settled; 0 while unknown. */
  readonly beforeMs: number;
}

/** Nothing is known to be settled: no event id is forgotten. */
export const UNSETTLED: Settled = { epoch: 0, beforeMs: 0 };

export type Applied =
  | {
      /**
       * applied: newest so far; expired: so, though its period is long over; duplicate: the id was known; stale:
       * something newer was known.
       */
      readonly result: 'applied' | 'expired' | 'duplicate' | 'stale';
      /** The tenant's state in Redis is this event: it may be acked when it is in QUOTA_LATEST, too. */
      readonly isCurrent: boolean;
      /** What the hash held before; undefined when it is as it was, empty texts for a new tenant. */
      readonly before?: { readonly limit: string; readonly used: string };
    }
  /** Redis is well and refuses this very event, for ever: a person wrote text into its sum, say. */
  | { readonly result: 'refused' }
  /** Redis did not do as told; the event may or may not be applied. */
  | { readonly result: 'failed'; readonly error: unknown };

/** The order of events as text; larger is newer. */
export const rankOf = ({ occ, epoch, seq }: EventVersion): string => `${occ}.${epoch}.${seq}`;

/**
 * Brings events into Redis: as often and in whatever order one likes. Of several states of a tenant only the newest
 * travels, because the others could not change the result.
 * @returns what became of each event, in their order.
 */
export const applyEvents = async (
  store: Store,
  events: readonly QuotaEvent[],
  settled: Settled,
): Promise<readonly Applied[]> => {
  const usages = events.filter((event) => event.kind === 'usage');
  const newest = newestOf(events);
  const [snapshotResults, usageResults] = await Promise.all([
    inChunks([...newest.values()], (chunk) => applySnapshots(store, chunk)),
    inChunks(usages, (chunk) => addUsage(store, chunk, settled)),
  ]);
  const leading = new Map<string, string>();
  return events.map((event): Applied => {
    const { tenantId } = event;
    if (event.kind === 'usage') return usageResults.get(event) ?? LOST;
    const winner = newest.get(tenantId) ?? event;
    const result = snapshotResults.get(winner) ?? LOST;
    const rank = rankOf(event.version);
    const leads = rank > (leading.get(tenantId) ?? '');
    if (leads) leading.set(tenantId, rank);
    if (event === winner || result.result === 'failed') return result;
    return superseded(event, winner, leads && result.result === 'applied');
  });
};

const LOST: Applied = { result: 'failed', error: new Error('no answer for an event') };

/** One that came in good order was the newest for a moment; it only never travelled. */
const superseded = (event: SnapshotEvent, winner: SnapshotEvent, wasNewest: boolean): Applied => {
  const isRepeated = event.eventId === winner.eventId;
  return { result: isRepeated ? 'duplicate' : wasNewest ? 'applied' : 'stale', isCurrent: false };
};

const newestOf = (events: readonly QuotaEvent[]): ReadonlyMap<string, SnapshotEvent> => {
  const newest = new Map<string, SnapshotEvent>();
  for (const event of events) {
    if (event.kind !== 'snapshot') continue;
    const held = newest.get(event.tenantId);
    if (held === undefined || rankOf(event.version) > rankOf(held.version)) newest.set(event.tenantId, event);
  }
  return newest;
};

/** A chunk that fails fails alone. */
const inChunks = async <E>(
  events: readonly E[],
  apply: (chunk: readonly E[]) => Promise<readonly Applied[]>,
): Promise<ReadonlyMap<E, Applied>> => {
  const results = new Map<E, Applied>();
  const chunks: (readonly E[])[] = [];
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE)
    chunks.push(events.slice(from, from + EVENTS_AT_ONCE));
  await Promise.all(
    chunks.map(async (chunk) => {
      const replies = await apply(chunk).catch((error: unknown) => [{ result: 'failed', error } as const]);
      chunk.forEach((event, n) => {
        results.set(event, replies[n] ?? replies[0] ?? LOST);
      });
    }),
  );
  return results;
};

type SnapshotReply = readonly ['applied' | 'expired' | 'duplicate' | 'stale' | 'repeated', string, string];

const applySnapshots = async (
  { redis, keys }: Store,
  events: readonly SnapshotEvent[],
): Promise<readonly Applied[]> => {
  const replies = await runScript(
    redis,
    APPLY_SNAPSHOTS,
    events.map(({ tenantId }) => keys.tenant(tenantId)),
    [LATE_LIFE_SECONDS, ...events.flatMap(snapshotArguments)],
  );
  return (replies as readonly SnapshotReply[]).map(([result, limit, used]) => {
    if (result === 'repeated') return { result: 'duplicate', isCurrent: true };
    if (result === 'duplicate' || result === 'stale') return { result, isCurrent: false };
    return { result, isCurrent: true, before: { limit, used } };
  });
};

const snapshotArguments = ({ version, eventId, expiresAt, fields }: SnapshotEvent): (string | number)[] => [
  version.occ,
  version.epoch,
  version.seq,
  eventId,
  expiresAt,
  fields.limit,
  fields.used,
  fields.remaining,
  fields.period,
  fields.reset_at,
  fields.last_updated,
];

const addUsage = async (
  { redis, keys }: Store,
  events: readonly UsageEvent[],
  settled: Settled,
): Promise<readonly Applied[]> => {
  const low = Math.max(0, settled.beforeMs - REMEMBER_IDS_MS);
  const replies = await runScript(
    redis,
    ADD_USAGE,
    [keys.loaded, ...events.flatMap(({ tenantId }) => [keys.usage(tenantId), keys.seen(tenantId)])],
    [low, settled.epoch, IDS_LIFE_SECONDS, ...events.flatMap(usageArguments)],
  );
  return (replies as readonly ('applied' | 'duplicate' | 'refused')[]).map((result) =>
    result === 'refused' ? { result } : { result, isCurrent: false },
  );
};

const usageArguments = ({ eventId, storedMs, amounts }: UsageEvent): (string | number)[] => [
  eventId,
  storedMs,
  ...USAGE_AMOUNTS.map((name) => amounts[name] ?? ''),
];
