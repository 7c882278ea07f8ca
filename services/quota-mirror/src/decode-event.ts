import { isUtf8 } from 'node:buffer';
import { type DeadReason, envelopeOf, quotaSnapshot, quotaUsage } from '@sluice/contracts';
import { z } from 'zod';
import { instantOf, microsOf } from './instant.ts';
import { isPlainEnvelope, isPlainSnapshot, isPlainUsage } from './plain-event.ts';

/**
 * The order of events, compared as text: `occ` (when it happened, µs), `epoch` (creation of the stream, ms) and
 * `seq` (place in the stream), each 20 digits. Fixed-width text because Redis' Lua numbers are doubles.
 */
export interface EventVersion {
  readonly occ: string;
  readonly epoch: string;
  readonly seq: string;
}

/** The hash of a tenant in the original's names; all text, numbers without an exponent. */
export interface SnapshotFields {
  readonly limit: string;
  readonly used: string;
  readonly remaining: string;
  readonly period: string;
  readonly reset_at: string;
  readonly last_updated: string;
}

export interface SnapshotEvent {
  readonly kind: 'snapshot';
  readonly tenantId: string;
  readonly eventId: string;
  readonly version: EventVersion;
  /** Unix seconds; 0: never. */
  readonly expiresAt: number;
  readonly fields: SnapshotFields;
}

/** What a call can use, as the sums of a tenant are named. */
export const USAGE_AMOUNTS = ['prompt_tokens', 'completion_tokens', 'total_tokens', 'cost_nano_usd'] as const;
type UsageAmount = (typeof USAGE_AMOUNTS)[number];

export interface UsageEvent {
  readonly kind: 'usage';
  readonly tenantId: string;
  readonly eventId: string;
  /** When the stream stored it, in Unix ms. */
  readonly storedMs: number;
  /** Integers to add; money in nano-dollars, because sums of fractions drift. */
  readonly amounts: Readonly<Partial<Record<UsageAmount, string>>>;
}

export type QuotaEvent = SnapshotEvent | UsageEvent;

export type Decoded =
  | { readonly outcome: 'event'; readonly event: QuotaEvent }
  | { readonly outcome: 'poison'; readonly reason: DeadReason; readonly message: string };

/** Where and when the stream has the event; the same at every delivery, so that decoding is, too. */
export interface Place {
  readonly seq: number;
  readonly timeMicros: number;
  readonly streamCreatedMs: number;
}

const DAY_SECONDS = 86_400;
/** Readers see that a period is over from `reset_at`; the key stays for a day so that they can. */
const GRACE_SECONDS = DAY_SECONDS;
const PERIOD_SECONDS: Readonly<Record<string, number>> = {
  hour: 3600,
  day: DAY_SECONDS,
  week: 7 * DAY_SECONDS,
  month: 31 * DAY_SECONDS,
  year: 366 * DAY_SECONDS,
  hourly: 3600,
  daily: DAY_SECONDS,
  weekly: 7 * DAY_SECONDS,
  monthly: 31 * DAY_SECONDS,
  yearly: 366 * DAY_SECONDS,
};
/** Past it a sum over years could leave Redis' 64 bits, and the tenant's counter would refuse every further event. */
const LARGEST_AMOUNT = 1e15;
const NANO = 1e9;
const OPENING_BRACE = 0x7b;

/** The time may be missing or odd: the stream's own serves. */
const envelope = envelopeOf(z.unknown().optional()).extend({ occurredAt: z.unknown().optional() });
const utf8 = new TextDecoder('utf-8', { fatal: true });

class Poison extends Error {
  readonly reason: DeadReason;
  constructor(reason: DeadReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The bytes of a message as an event, or why they can never be one. */
export const decodeEvent = (data: Uint8Array, place: Place): Decoded => {
  try {
    return { outcome: 'event', event: eventOf(jsonOf(data), place) };
  } catch (error) {
    if (!(error instanceof Poison)) throw error;
    return { outcome: 'poison', reason: error.reason, message: error.message };
  }
};

const jsonOf = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(textOf(data));
  } catch {
    throw new Poison('invalid_json', data.length === 0 ? 'the message is empty' : 'not JSON in UTF-8');
  }
};

/** The decoder knows a byte order mark and says no to bad bytes; the usual message needs neither. */
const textOf = (data: Uint8Array): string =>
  data[0] === OPENING_BRACE && isUtf8(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
    : utf8.decode(data);

const eventOf = (json: unknown, place: Place): QuotaEvent => {
  if (!isRecord(json)) throw new Poison('invalid_envelope', 'not an object');
  if (typeof json.tenantId !== 'string' || json.tenantId === '')
    throw new Poison('missing_tenant', 'tenantId: a non-empty string is needed');
  const { tenantId, eventId, occurredAt, payload } = isPlainEnvelope(json)
    ? json
    : parsedBy(envelope, json, 'invalid_envelope');
  if (!isRecord(payload)) throw new Poison('invalid_payload', 'payload: an object is needed');
  const given = withoutNulls(payload);
  const base = { tenantId, eventId };
  if (given.usage !== undefined && given.limit === undefined && given.used === undefined)
    return {
      kind: 'usage',
      ...base,
      storedMs: Math.floor(place.timeMicros / 1000),
      amounts: amountsOf(given),
    };
  return { kind: 'snapshot', ...base, ...snapshotOf(given, occurredAt, place) };
};

const snapshotOf = (payload: Readonly<Record<string, unknown>>, occurredAt: unknown, place: Place) => {
  const { limit, used, remaining, period, resetAt } = isPlainSnapshot(payload)
    ? payload
    : parsedBy(quotaSnapshot, payload, 'invalid_payload');
  const given = typeof occurredAt === 'string' && occurredAt.length <= 64 ? occurredAt : undefined;
  const told = microsOf(given) ?? place.timeMicros;
  // A publisher whose clock runs ahead must not outrank its tenant's real events until that time has come.
  const isAhead = told > place.timeMicros;
  const occ = isAhead ? place.timeMicros : told;
  return {
    version: versionOf(occ, place),
    expiresAt: expiryOf(occ, period, resetAt),
    fields: {
      limit: plainNumber(limit),
      used: plainNumber(used),
      remaining: plainNumber(remaining ?? Number((limit - used).toFixed(9))),
      period,
      reset_at: resetAt ?? '',
      last_updated: given ?? instantOf(occ),
    },
  };
};

const digits = (value: number): string => `${value}`.padStart(20, '0');

const versionOf = (occ: number, place: Place): EventVersion => ({
  occ: digits(occ),
  epoch: digits(place.streamCreatedMs),
  seq: digits(place.seq),
});

/** @returns Unix seconds; 0 for a budget without an end. */
export const expiryOf = (occ: number, period: string, resetAt: string | null | undefined): number => {
  const reset = microsOf(resetAt);
  if (reset !== undefined) return Math.floor(reset / 1e6) + GRACE_SECONDS;
  const seconds = PERIOD_SECONDS[period.toLowerCase()];
  return seconds === undefined ? 0 : Math.floor(occ / 1e6) + seconds + GRACE_SECONDS;
};

const amountsOf = (payload: Readonly<Record<string, unknown>>): UsageEvent['amounts'] => {
  const usage = usageOf(payload);
  const amounts: Partial<Record<UsageAmount, string>> = {};
  for (const name of USAGE_AMOUNTS) {
    const given = name === 'cost_nano_usd' ? 'cost_usd' : name;
    const value = usage[given];
    if (value === undefined) continue;
    const amount = Math.round(name === 'cost_nano_usd' ? value * NANO : value);
    if (Math.abs(amount) > LARGEST_AMOUNT) throw new Poison('invalid_payload', `usage.${given}: too large`);
    amounts[name] = plainNumber(amount);
  }
  if (Object.keys(amounts).length === 0)
    throw new Poison(
      'invalid_payload',
      'usage: prompt_tokens, completion_tokens, total_tokens or cost_usd is needed',
    );
  return amounts;
};

const usageOf = (payload: Readonly<Record<string, unknown>>) => {
  const usage = isRecord(payload.usage) ? withoutNulls(payload.usage) : payload.usage;
  const given = { ...payload, usage };
  return isPlainUsage(given) ? given.usage : parsedBy(quotaUsage, given, 'invalid_payload').usage;
};

/** Python publishers write None for what they do not know. */
const withoutNulls = (given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  for (const name in given)
    if (given[name] === null)
      return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return given;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsedBy = <S extends z.ZodType>(schema: S, value: unknown, reason: DeadReason): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Poison(reason, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as agreed'}`);
};

/** A number as people and other programs read it in the hash: 10000, not 1e4. */
export const plainNumber = (value: number): string => {
  const text = `${value === 0 ? 0 : value}`;
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? `${BigInt(value)}` : value.toFixed(20).replace(/\.?0+$/, '');
};
