import type { QuotaState } from '@sluice/contracts';

/** What is read of a quota's hash. */
export const QUOTA_FIELDS = ['limit', 'used', 'remaining', 'period', 'reset_at', 'last_updated'] as const;

const DECIMAL = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** RFC 3339, or without a zone as the original's publisher writes UTC. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

const numberOf = (text: string | undefined, least = Number.NEGATIVE_INFINITY): number | null => {
  if (text === undefined || !DECIMAL.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) && number >= least ? number : null;
};

/** Unix ms of a timestamp; undefined when it is none. */
const instantOf = (text: string | undefined): number | undefined => {
  const zone = text === undefined ? null : TIMESTAMP.exec(text);
  if (zone === null) return undefined;
  const instant = Date.parse(zone[2] === undefined ? `${text}Z` : `${text}`);
  return Number.isNaN(instant) ? undefined : instant;
};

const timestampOf = (text: string | undefined): string | null =>
  text !== undefined && instantOf(text) !== undefined ? text : null;

/**
 * A tenant's quota from its hash: `null` for an empty hash (the tenant has none), `undefined` when there was
 * no hash to read. A field that is not what it should be is unknown, never an error: somebody else writes
 * them.
 */
export const quotaOf = (
  hash: Readonly<Record<string, string>> | undefined,
  nowMs: number,
): QuotaState | null | undefined => {
  if (hash === undefined) return undefined;
  if (Object.keys(hash).length === 0) return null;
  const resetAtMs = instantOf(hash.reset_at);
  return {
    limit: numberOf(hash.limit, 0),
    used: numberOf(hash.used, 0),
    remaining: numberOf(hash.remaining),
    period: hash.period || null,
    resetAt: timestampOf(hash.reset_at),
    lastUpdated: timestampOf(hash.last_updated),
    stale: resetAtMs !== undefined && nowMs >= resetAtMs,
  };
};
