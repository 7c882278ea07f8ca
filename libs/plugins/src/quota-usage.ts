import type { QuotaState } from '@sluice/contracts';
import type { HeaderList } from './exchange.ts';

/** What of a quota is used up. */
export interface Usage {
  readonly limit: number | null;
  readonly used: number | null;
  readonly percentage: number;
  /** A quota that is over; never so where the limit is not known. */
  readonly isExceeded: boolean;
}

/** Reads a quota; `null` is a tenant without one. */
export const usageOf = (state: QuotaState | null): Usage => {
  const limit = state?.limit ?? null;
  const used = state?.used ?? null;
  const isKnown = limit !== null && used !== null && limit > 0;
  return {
    limit,
    used,
    percentage: isKnown ? (used / limit) * 100 : 0,
    isExceeded: isKnown && used >= limit,
  };
};

/** Says it to the client. */
export const showUsage = (
  headers: HeaderList,
  { limit, used, percentage }: Usage,
  state: QuotaState | null,
): void => {
  headers.set('X-Quota-Limit', `${limit ?? 'unknown'}`);
  headers.set('X-Quota-Used', `${used ?? 'unknown'}`);
  headers.set('X-Quota-Remaining', `${(limit ?? 0) - (used ?? 0)}`);
  headers.set('X-Quota-Usage-Percentage', percentage.toFixed(2));
  if (state?.resetAt && /^[\x20-\x7E]+$/.test(state.resetAt)) headers.set('X-Quota-Reset', state.resetAt);
  if (state?.stale) headers.set('X-Quota-Stale', 'true');
};
