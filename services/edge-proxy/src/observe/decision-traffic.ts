import type { TrafficShare } from '@sluice/contracts';
import { tenantOf } from './decision-record.ts';
import type { DecisionRing } from './decision-ring.ts';
import type { DecisionSlot } from './decision-slot.ts';

interface Sum {
  requests: number;
  refused: number;
  failed: number;
  readonly ms: number[];
}

interface Traffic {
  readonly spanMs: number;
  readonly total: TrafficShare;
  readonly tenants: TrafficShare[];
  readonly routes: TrafficShare[];
  readonly refusals: { code: string; count: number }[];
}

/** The requests of the last `windowMs`, as far back as the ring remembers, by tenant and route. `now` in Unix ms. */
export const trafficOf = (
  ring: DecisionRing,
  { windowMs, top, now }: { windowMs: number; top: number; now: number },
): Traffic => {
  const total = emptySum();
  const tenants = new Map<string, Sum>();
  const routes = new Map<string, Sum>();
  const refusals = new Map<string, number>();
  let oldest = now;
  let seen = 0;
  for (const slot of ring.capacity === 0 ? [] : ring.newest()) {
    const endedAt = slot.at + slot.totalMs;
    if (endedAt < now - windowMs) break; // the ring is in the order of their ends
    oldest = Math.min(oldest, endedAt);
    seen += 1;
    add(total, slot);
    add(sumAt(tenants, tenantOf(slot) ?? '-'), slot);
    add(sumAt(routes, slot.route?.name ?? slot.route?.id ?? '-'), slot);
    if (slot.code !== undefined) refusals.set(slot.code, (refusals.get(slot.code) ?? 0) + slot.standsFor);
  }
  const isWhole = ring.seq < ring.capacity || seen < ring.capacity;
  return {
    spanMs: isWhole ? windowMs : Math.max(1, now - oldest),
    total: shareOf('all', total),
    tenants: most(tenants, top),
    routes: most(routes, top),
    refusals: [...refusals].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count),
  };
};

const emptySum = (): Sum => ({ requests: 0, refused: 0, failed: 0, ms: [] });

const sumAt = (sums: Map<string, Sum>, name: string): Sum => {
  const known = sums.get(name);
  if (known !== undefined) return known;
  const fresh = emptySum();
  sums.set(name, fresh);
  return fresh;
};

const add = (sum: Sum, { code, status, totalMs, standsFor }: DecisionSlot): void => {
  sum.requests += standsFor;
  if (status >= 500) sum.failed += standsFor;
  else if (code !== undefined) sum.refused += standsFor;
  sum.ms.push(totalMs);
};

const shareOf = (name: string, { requests, refused, failed, ms }: Sum): TrafficShare => {
  ms.sort((a, b) => a - b);
  const at = (share: number): number => Math.round((ms[Math.floor((ms.length - 1) * share)] ?? 0) * 1000);
  return { name, requests, refused, failed, p50Us: at(0.5), p99Us: at(0.99) };
};

const most = (sums: ReadonlyMap<string, Sum>, top: number): TrafficShare[] =>
  [...sums]
    .sort(([, a], [, b]) => b.requests - a.requests)
    .slice(0, top)
    .map(([name, sum]) => shareOf(name, sum));
