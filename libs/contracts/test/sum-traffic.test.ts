import { expect, test } from 'vitest';
import { type EdgeTraffic, sumTraffic } from '../src/index.ts';

const share = (name: string, requests: number, p50Us: number, p99Us: number) => ({
  ...{ name, requests, refused: requests / 10, failed: 0, p50Us, p99Us },
});
const edge = (instance: string, over: Partial<EdgeTraffic>): EdgeTraffic => ({
  ...{ instance, spanMs: 1000, total: share('all', 100, 1000, 5000), tenants: [], routes: [], refusals: [] },
  ...over,
});

test('given two edges that look back differently far, then rates are per second of each, and summed', () => {
  const quick = edge('a', { refusals: [{ code: 'GW_RATE_LIMITED', count: 10 }] });
  const slow = edge('b', {
    spanMs: 2000,
    total: share('all', 300, 3000, 9000),
    refusals: [
      { code: 'GW_RATE_LIMITED', count: 10 },
      { code: 'OF_A_NEWER_EDGE', count: 2 },
    ],
  });

  const { total, refusals, limitedPerSecond } = sumTraffic([quick, slow]);

  expect(total).toEqual({
    ...{ name: 'all', perSecond: 250, refusedPerSecond: 25, failedPerSecond: 0 },
    ...{ p50Ms: 2.5, p99Ms: 9 },
  });
  expect(refusals).toEqual([
    { code: 'GW_RATE_LIMITED', status: 429, perSecond: 15 },
    { code: 'OF_A_NEWER_EDGE', status: 0, perSecond: 1 },
  ]);
  expect(limitedPerSecond).toBe(15);
});

test('given many tenants, then the ten with the most requests are told, by name over all edges', () => {
  const tenants = Array.from({ length: 12 }, (_, n) => share(`t${n}`, n, 1, 1));
  const view = sumTraffic([edge('a', { tenants }), edge('b', { tenants: [share('t0', 100, 1, 1)] })]);

  expect(view.tenants).toHaveLength(10);
  expect(view.tenants.slice(0, 2).map(({ name, perSecond }) => [name, perSecond])).toEqual([
    ['t0', 100],
    ['t11', 11],
  ]);
});

test('given no edge, then everything is 0', () => {
  expect(sumTraffic([])).toMatchObject({ total: { perSecond: 0, p99Ms: 0 }, tenants: [], refusals: [] });
});
