import { withScriptSpan } from '@sluice/service-kit';
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

const isNewer = (one: EventVersion, other: EventVersion): boolean => {
  if (one.occ !== other.occ) return one.occ > other.occ;
  return one.epoch === other.epoch ? one.seq > other.seq : one.epoch > other.epoch;
};

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
  const { newest, usages, led } = sorted(events);
  const [snapshotResults, usageResults] = await Promise.all([
    inChunks([...newest.values()], (chunk) => applySnapshots(store, chunk)),
    inChunks(usages, (chunk) => addUsage(store, chunk, settled)),
  ]);
  return events.map((event, n): Applied => {
    if (event.kind === 'usage') return usageResults.get(event) ?? LOST;
    const winner = newest.get(event.tenantId) ?? event;
    const result = snapshotResults.get(winner) ?? LOST;
    if (event === winner || result.result === 'failed') return result;
    // One that came in good order was the newest for a moment; it only never travelled.
    if (event.eventId === winner.eventId) return SUPERSEDED.duplicate;
    return led[n] === true && result.result === 'applied' ? SUPERSEDED.applied : SUPERSEDED.stale;
  });
};

const LOST: Applied = { result: 'failed', error: new Error('no answer for an event') };
const SUPERSEDED = {
  applied: { result: 'applied', isCurrent: false },
  duplicate: { result: 'duplicate', isCurrent: false },
  stale: { result: 'stale', isCurrent: false },
} as const satisfies Record<string, Applied>;

/** Each tenant's newest state, the usages, and for each event whether it was its tenant's newest when it came. */
const sorted = (events: readonly QuotaEvent[]) => {
  const newest = new Map<string, SnapshotEvent>();
  const usages: UsageEvent[] = [];
  const led: boolean[] = [];
  for (const event of events) {
    if (event.kind === 'usage') {
      usages.push(event);
      led.push(false);
      continue;
    }
    const held = newest.get(event.tenantId);
    const leads = held === undefined || isNewer(event.version, held.version);
    if (leads) newest.set(event.tenantId, event);
    led.push(leads);
  }
  return { newest, usages, led };
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

const STATES: Readonly<Record<string, Applied>> = {
  ...SUPERSEDED,
  repeated: { result: 'duplicate', isCurrent: true },
};

const applySnapshots = async (
  { redis, keys }: Store,
  events: readonly SnapshotEvent[],
): Promise<readonly Applied[]> => {
  const values: (string | number)[] = [LATE_LIFE_SECONDS];
  for (const event of events) addSnapshotArguments(values, event);
  const names = events.map(({ tenantId }) => keys.tenant(tenantId));
  const reply = await withScriptSpan(redis, 'apply_snapshots', () =>
    runScript(redis, APPLY_SNAPSHOTS, names, values),
  );
  return `${reply}`.split(' ').map((one): Applied => {
    const [result = '', limit = '', used = ''] = one.split(',');
    if (result === 'applied' || result === 'expired')
      return { result, isCurrent: true, before: { limit, used } };
    return STATES[result] ?? LOST;
  });
};

const addSnapshotArguments = (values: (string | number)[], event: SnapshotEvent): void => {
  const { version, fields } = event;
  values.push(version.occ, version.epoch, version.seq, event.eventId, event.expiresAt);
  values.push(
    fields.limit,
    fields.used,
    fields.remaining,
    fields.period,
    fields.reset_at,
    fields.last_updated,
  );
};

const addUsage = async (
  { redis, keys }: Store,
  events: readonly UsageEvent[],
  settled: Settled,
): Promise<readonly Applied[]> => {
  const low = Math.max(0, settled.beforeMs - REMEMBER_IDS_MS);
  const names = [keys.loaded];
  const values: (string | number)[] = [low, settled.epoch, IDS_LIFE_SECONDS];
  for (const { tenantId, eventId, storedMs, amounts } of events) {
    names.push(keys.usage(tenantId), keys.seen(tenantId));
    values.push(eventId, storedMs);
    for (const name of USAGE_AMOUNTS) values.push(amounts[name] ?? '');
  }
  const reply = await withScriptSpan(redis, 'add_usage', () => runScript(redis, ADD_USAGE, names, values));
  return `${reply}`.split(' ').map((result) => USAGES[result] ?? LOST);
};

const USAGES: Readonly<Record<string, Applied>> = {
  applied: SUPERSEDED.applied,
  duplicate: SUPERSEDED.duplicate,
  refused: { result: 'refused' },
};
