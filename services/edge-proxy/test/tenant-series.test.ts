import { createMetrics } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { TenantSeries } from '../src/observe/tenant-series.ts';

const MAX = 20;

const start = () => {
  const registry = createMetrics('edge-proxy', '0');
  const clock = { now: 0 };
  const tenants = new TenantSeries(registry, MAX, () => clock.now);
  const count = (name: string, times: number) => {
    for (let i = 0; i < times; i++) tenants.count(name, 'forwarded');
  };
  const shown = async (): Promise<Map<string, number>> => {
    const lines = (await registry.metrics()).matchAll(
      /^sluice_tenant_requests_total\{tenant="([^"]*)",outcome="forwarded"\} (\d+)$/gm,
    );
    return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
  };
  return { clock, count, shown };
};

const sumOf = (shown: ReadonlyMap<string, number>): number =>
  [...shown.values()].reduce((sum, value) => sum + value, 0);

test('given 10,000 tenants, then there are no more series than were asked for, and no request is lost', async () => {
  const { clock, count, shown } = start();

  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10_000; i++) count(`tenant-${i}`, 1);
    clock.now += 10_001;
  }

  const all = await shown();
  expect(all.size).toBe(MAX + 1); // and the others together
  expect(sumOf(all)).toBe(30_000);
});

test('given a tenant that becomes large, then it gets the series of a small one, and the others never go down', async () => {
  const { clock, count, shown } = start();
  for (let i = 0; i < MAX; i++) count(`small-${i}`, 2);
  count('large', 500);
  const before = await shown();
  expect(before.has('large')).toBe(false);

  clock.now += 10_001;
  count('large', 10);

  const after = await shown();
  // What it had before stays with the others.
  expect(after.get('large')).toBe(9);
  expect(after.size).toBe(MAX + 1);
  expect(after.get('') ?? 0).toBeGreaterThanOrEqual(before.get('') ?? 0);
  expect(sumOf(after)).toBe(sumOf(before) + 10);
});

test('given a tenant of the same size as another, then neither takes the series of the other', async () => {
  const { clock, count, shown } = start();
  for (let i = 0; i < MAX; i++) count(`first-${i}`, 10);
  for (let i = 0; i < MAX; i++) count(`second-${i}`, 15);
  clock.now += 10_001;
  count('second-0', 1);

  expect([...(await shown()).keys()].filter((name) => name.startsWith('first'))).toHaveLength(MAX);
});
