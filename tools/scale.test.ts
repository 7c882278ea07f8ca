import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { between } from '../bench/report/docs.ts';
import { readFigures } from '../bench/scale/figures.ts';
import { breaksFirst, loadOf } from '../bench/scale/model.ts';
import { scaleTables } from '../bench/scale/tables.ts';

const figures = readFigures();
const PAGE = readFileSync(join(import.meta.dirname, '../docs/scale.md'), 'utf8');

test('docs/scale.md says what the model computes; after a change: npm run bench -- scale --write-docs', () => {
  expect(between(PAGE, scaleTables(figures), 'scale')).toBe(PAGE);
});

test('given a tenant at many edges, when it asks too little of each for a lease, then every request is a check', () => {
  const small = loadOf(figures, [{ count: 1000, rate: 10 }], 'anywhere');
  expect([small.checks, small.leases]).toEqual([10_000, 0]);
  const pinned = loadOf(figures, [{ count: 1000, rate: 10 }], 'pinned');
  expect(pinned.checks).toBe(0);
  expect(pinned.redis).toBeLessThan(small.redis);
  expect(pinned.verifies).toBeLessThan(small.verifies);
});

test('given twice the tenants at as many edges, then what servers do doubles and they break at half the times', () => {
  const load = (count: number) => loadOf(figures, [{ count, rate: 1000 }], 'pinned');
  const [one, two] = [load(10), load(20)];
  expect(two.redis / one.redis).toBeCloseTo(2, 5);
  expect(breaksFirst(one).times / breaksFirst(two).times).toBeCloseTo(2, 5);
  expect(two.edges).toBeGreaterThan(one.edges);
});

test('given exact limits, then a Redis primary is what breaks first, at as many checks as it carries', () => {
  const load = loadOf(figures, [{ count: 1, rate: 100_000 }], 'exact');
  const { what, times } = breaksFirst(load);
  expect(what).toBe('Redis');
  expect(times * load.checks).toBeCloseTo((0.6 * 1e6) / figures.redisCheckUs, 0);
});
