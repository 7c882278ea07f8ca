import type { Limit, Period } from '@sluice/contracts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** Nominal lengths, in ms. */
const LENGTH: Record<Period, number> = {
  second: SECOND,
  minute: 60 * SECOND,
  hour: 3600 * SECOND,
  day: DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};
/** A lease lives for a thirtieth of the shortest window: so long at most its tokens lie idle elsewhere. */
const LIVES_PER_WINDOW = 30;
const MIN_LIFE_MS = 100;
const MAX_LIFE_MS = 10_000;

export interface LeaseTerms {
  readonly lifeMs: number;
  /** What the tightest limit lets through during one life, all edges together. */
  readonly tokensPerLife: number;
}

const known = new WeakMap<readonly Limit[], LeaseTerms>();

/** How long leases of a budget live, and whether they are worth it; worked out once for each list of limits. */
export const leaseTerms = (limits: readonly Limit[]): LeaseTerms => {
  let terms = known.get(limits);
  if (terms === undefined) {
    const shortest = Math.min(...limits.map(({ period }) => LENGTH[period]));
    const lifeMs = Math.min(MAX_LIFE_MS, Math.max(MIN_LIFE_MS, shortest / LIVES_PER_WINDOW));
    const rates = limits.map(({ period, limit }) => (limit * lifeMs) / LENGTH[period]);
    terms = { lifeMs, tokensPerLife: limits.length === 0 ? 0 : Math.min(...rates) };
    known.set(limits, terms);
  }
  return terms;
};
