import type { CanarySide, edgeTraffic } from '@sluice/contracts';
import type { z } from 'zod';

type Traffic = z.output<typeof edgeTraffic.reply>;

/** By how much the candidate's edges may be worse than the others, in shares of their requests. */
const MAX_MORE_FAILED = 0.01;
const MAX_MORE_REFUSED = 0.1;
/** A p99 is worse when it is so many times as long and so much longer, both. */
const MAX_TIMES_SLOWER = 2;
const MAX_SLOWER_US = 50_000;
/** Of fewer requests a p99 says nothing. */
const LEAST_FOR_LATENCY = 100;

export interface Compared {
  readonly candidate: CanarySide;
  readonly others: CanarySide;
}

/** Both sides of a canary, of what the edges tell of themselves. */
export const compare = (traffic: readonly Traffic[], edges: readonly string[]): Compared => ({
  candidate: sideOf(traffic.filter(({ instance }) => edges.includes(instance))),
  others: sideOf(traffic.filter(({ instance }) => !edges.includes(instance))),
});

const sideOf = (traffic: readonly Traffic[]): CanarySide => {
  const sum = (of: (traffic: Traffic) => number) => traffic.reduce((total, one) => total + of(one), 0);
  return {
    edges: traffic.length,
    requests: sum(({ total }) => total.requests),
    refused: sum(({ total }) => total.refused),
    failed: sum(({ total }) => total.failed),
    p99Us: Math.max(0, ...traffic.map(({ total }) => total.p99Us)),
  };
};

/** Why the candidate is worse than what the others serve; undefined: it is not, as far as `leastRequests` tell. */
export const whatIsWorse = ({ candidate, others }: Compared, leastRequests: number): string | undefined => {
  if (candidate.requests < leastRequests) return undefined;
  const failed = [shareOf(candidate.failed, candidate), shareOf(others.failed, others)] as const;
  if (failed[0] > failed[1] + MAX_MORE_FAILED)
    return `${percent(failed[0])} of its requests failed, ${percent(failed[1])} of the others`;
  const refused = [shareOf(candidate.refused, candidate), shareOf(others.refused, others)] as const;
  if (refused[0] > refused[1] + MAX_MORE_REFUSED)
    return `${percent(refused[0])} of its requests were refused, ${percent(refused[1])} of the others`;
  const isTellable = Math.min(candidate.requests, others.requests) >= LEAST_FOR_LATENCY;
  const isSlower =
    candidate.p99Us > others.p99Us * MAX_TIMES_SLOWER && candidate.p99Us > others.p99Us + MAX_SLOWER_US;
  return isTellable && isSlower
    ? `its p99 is ${milliseconds(candidate.p99Us)}, that of the others ${milliseconds(others.p99Us)}`
    : undefined;
};

const shareOf = (count: number, { requests }: CanarySide): number => (requests === 0 ? 0 : count / requests);
const percent = (share: number): string => `${(share * 100).toFixed(1).replace(/\.0$/, '')} %`;
const milliseconds = (us: number): string => `${Math.round(us / 1000)} ms`;
