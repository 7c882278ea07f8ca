import type { Limit } from '@sluice/contracts';

/** What eight edges live through. Times are from the beginning, in ms. */
export interface Scenario {
  readonly name: string;
  /** Time simulated, in ms, when it is not TOTAL_MS. */
  readonly forMs?: number;
  readonly limits: readonly Limit[];
  /** Requests, as a multiple of the first limit. */
  readonly offered: number;
  /**
   * even: each edge gets the same; skewed: the first gets most (Zipf); moving: as skewed, but every few seconds
   * another edge is the first; bursts: as skewed, but a trickle and three times the mean rate take turns.
   */
  readonly load: 'even' | 'skewed' | 'moving' | 'bursts';
  /** The replica that takes over has missed the writes of so many ms before; `all`: it has nothing. */
  readonly failover?: { readonly at: number; readonly missedMs: number | 'all' };
  /** Redis answers nobody for so long, and then has everything. */
  readonly outage?: { readonly at: number; readonly ms: number };
  /** Shares of the messages that never arrive: what goes back, and the answers to lease questions. */
  readonly lostReturns?: number;
  readonly lostGrants?: number;
  /** The first edge is killed with what it holds. */
  readonly killedAt?: number;
}

const minute = (limit: number): Limit[] => [{ period: 'minute', limit }];

/** Time simulated: from 20 s before the end of a minute until the end of the second one after it. */
export const LEAD_MS = 20_000;
export const TOTAL_MS = LEAD_MS + 2 * 60_000;
/** In the middle of the first whole minute. */
const MIDDLE = LEAD_MS + 30_000;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'half of the limit', limits: minute(6000), offered: 0.5, load: 'skewed' },
  { name: 'just the limit', limits: minute(6000), offered: 1.02, load: 'skewed' },
  { name: 'a fifth too much', limits: minute(6000), offered: 1.2, load: 'skewed' },
  { name: 'three times the limit', limits: minute(6000), offered: 3, load: 'skewed' },
  { name: 'even load', limits: minute(6000), offered: 1.2, load: 'even' },
  { name: 'load moves between edges', limits: minute(6000), offered: 1.2, load: 'moving' },
  { name: 'load comes in bursts', limits: minute(6000), offered: 1.5, load: 'bursts' },
  { name: 'a small leased limit', limits: minute(1000), offered: 1.2, load: 'skewed' },
  { name: 'a large limit', limits: minute(60_000), offered: 1.2, load: 'moving' },
  {
    name: 'by the second',
    limits: [{ period: 'second', limit: 1000 }],
    ...{ offered: 1.2, load: 'skewed', forMs: 10_000 },
  },
  {
    name: 'second and minute',
    limits: [{ period: 'second', limit: 1000 }, ...minute(20_000)],
    ...{ offered: 1.2, load: 'skewed', forMs: LEAD_MS + 5000 },
  },
  {
    name: 'failover, 500 ms missed',
    limits: minute(6000),
    ...{ offered: 2, load: 'skewed', failover: { at: LEAD_MS + 15_000, missedMs: 500 } },
  },
  {
    name: 'failover, all data lost',
    limits: minute(6000),
    ...{ offered: 2, load: 'skewed', failover: { at: LEAD_MS + 15_000, missedMs: 'all' } },
  },
  {
    name: 'Redis away for 10 s',
    limits: minute(6000),
    ...{ offered: 2, load: 'skewed', outage: { at: LEAD_MS + 10_000, ms: 10_000 } },
  },
  { name: '1 % of returns lost', limits: minute(6000), offered: 1.2, load: 'skewed', lostReturns: 0.01 },
  { name: '10 % of returns lost', limits: minute(6000), offered: 1.2, load: 'moving', lostReturns: 0.1 },
  { name: 'every return lost', limits: minute(6000), offered: 1.2, load: 'moving', lostReturns: 1 },
  { name: '10 % of grants lost', limits: minute(6000), offered: 1.2, load: 'skewed', lostGrants: 0.1 },
  { name: 'an edge is killed', limits: minute(6000), offered: 1.2, load: 'skewed', killedAt: MIDDLE },
];
