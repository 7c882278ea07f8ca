import type { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { edgeTraffic, TrafficShare } from './ask.ts';

/** What one edge tells of its newest requests. */
export type EdgeTraffic = z.output<typeof edgeTraffic.reply>;

/** What a tenant, a route or everybody does: per second, over all edges. */
export interface Rates {
  readonly name: string;
  readonly perSecond: number;
  readonly refusedPerSecond: number;
  readonly failedPerSecond: number;
  /** The edges' medians, weighed by their requests. */
  readonly p50Ms: number;
  /** The largest of the edges' figures. */
  readonly p99Ms: number;
}

/** What all edges do together. */
export interface TrafficView {
  readonly total: Rates;
  /** Refusals with the status 429. */
  readonly limitedPerSecond: number;
  /** Those with the most requests first. */
  readonly tenants: readonly Rates[];
  readonly routes: readonly Rates[];
  readonly refusals: readonly {
    readonly code: string;
    readonly status: number;
    readonly perSecond: number;
  }[];
}

const ROWS = 10;
const LIMITED = 429;

/** One view of what the edges told: rates per second, times in ms, ten tenants and routes at most. */
export const sumTraffic = (edges: readonly EdgeTraffic[]): TrafficView => {
  const refusals = refusalsOf(edges);
  return {
    total: ratesOf(edges, ({ total }) => [total])[0] ?? rateOf('all', []),
    limitedPerSecond: refusals
      .filter(({ status }) => status === LIMITED)
      .reduce((sum, { perSecond }) => sum + perSecond, 0),
    tenants: ratesOf(edges, ({ tenants }) => tenants).slice(0, ROWS),
    routes: ratesOf(edges, ({ routes }) => routes).slice(0, ROWS),
    refusals,
  };
};

type Part = { readonly share: TrafficShare; readonly spanMs: number };

const ratesOf = (
  edges: readonly EdgeTraffic[],
  sharesOf: (edge: EdgeTraffic) => readonly TrafficShare[],
): Rates[] => {
  const byName = new Map<string, Part[]>();
  for (const edge of edges)
    for (const share of sharesOf(edge)) {
      const parts = byName.get(share.name) ?? [];
      parts.push({ share, spanMs: edge.spanMs });
      byName.set(share.name, parts);
    }
  return [...byName].map(([name, parts]) => rateOf(name, parts)).sort((a, b) => b.perSecond - a.perSecond);
};

const rateOf = (name: string, parts: readonly Part[]): Rates => {
  const rate = (count: (share: TrafficShare) => number): number =>
    parts.reduce((sum, { share, spanMs }) => sum + perSecond(count(share), spanMs), 0);
  const requests = parts.reduce((sum, { share }) => sum + share.requests, 0);
  const weighed = parts.reduce((sum, { share }) => sum + share.p50Us * share.requests, 0);
  return {
    name,
    perSecond: rate((share) => share.requests),
    refusedPerSecond: rate((share) => share.refused),
    failedPerSecond: rate((share) => share.failed),
    p50Ms: requests === 0 ? 0 : weighed / requests / 1000,
    p99Ms: Math.max(0, ...parts.map(({ share }) => share.p99Us)) / 1000,
  };
};

const refusalsOf = (edges: readonly EdgeTraffic[]): TrafficView['refusals'] => {
  const byCode = new Map<string, number>();
  for (const { refusals, spanMs } of edges)
    for (const { code, count } of refusals)
      byCode.set(code, (byCode.get(code) ?? 0) + perSecond(count, spanMs));
  return [...byCode]
    .map(([code, rate]) => ({ code, status: statusOf(code), perSecond: rate }))
    .sort((a, b) => b.perSecond - a.perSecond);
};

/** 0 for a code of a newer edge. */
const statusOf = (code: string): number =>
  (ERRORS[code as ErrorCode] as (typeof ERRORS)[ErrorCode] | undefined)?.status ?? 0;

const perSecond = (count: number, spanMs: number): number => (spanMs <= 0 ? 0 : (count * 1000) / spanMs);
