import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { between } from '../bench/report/docs.ts';
import { readFigures } from '../bench/scale/figures.ts';
import { ASSUMED, breaksFirst, loadOf } from '../bench/scale/model.ts';
import { scaleTables } from '../bench/scale/tables.ts';
import { leaseTerms } from '../services/edge-proxy/src/decide/lease-terms.ts';

const figures = readFigures();
const DOCS = join(import.meta.dirname, '../docs');
const PAGE = readFileSync(join(DOCS, 'scale.md'), 'utf8');

test('docs/scale.md says what the model computes; after a change: npm run bench -- scale --write-docs', () => {
  expect(between(PAGE, scaleTables(figures), 'scale')).toBe(PAGE);
});

test('given another performance, then other figures', () => {
  const page = readFileSync(join(DOCS, 'performance.md'), 'utf8');
  const slower = page.replace(/^(\| plain route, log, records +(?:\|[^|]+){3}\| +)[\d.]+/m, '$1999.0');
  expect(readFigures(slower).edgePlainUs).toBe(999);
  expect(scaleTables(readFigures(slower))).not.toBe(scaleTables(figures));
});

const IN_WORDS: Readonly<Record<number, string>> = {
  2: 'two',
  3: 'three',
  4: 'four',
  5: 'five',
  6: 'six',
  7: 'seven',
  8: 'eight',
  9: 'nine',
  10: 'ten',
};
const TENS: Readonly<Record<number, string>> = {
  40: 'forty',
  50: 'fifty',
  60: 'sixty',
  70: 'seventy',
  80: 'eighty',
  90: 'ninety',
};

test('what docs/scale.md says in words is what the model computes', () => {
  const small = loadOf(figures, [{ count: 2000, rate: 5 }], 'anywhere');
  // As much as some sixty edges carry, whatever one of them does: half of the requests bring a new token, half of whose
  // cost is the edge's.
  const sixty = (60 * ASSUMED.load * 1e6) / (figures.edgeLeasedUs + figures.newTokenUs / 4);
  const large = loadOf(figures, [{ count: 1, rate: Math.round(sixty) }], 'anywhere');
  const { lifeMs } = leaseTerms([{ period: 'minute', limit: 1 }]);

  expect(PAGE).toContain(
    `at least ${IN_WORDS[ASSUMED.perLease]} requests of a tenant during its life, ${lifeMs / 1000} s for a limit by the minute`,
  );
  expect(PAGE).toContain(
    `With ${IN_WORDS[small.edges]} edges a tenant of five requests a second gives each of them too little`,
  );
  expect(small.leases).toBe(0);
  expect(PAGE).toContain(
    `once in ${ASSUMED.verdictSeconds} s for each token. With ${TENS[Math.round(large.edges / 10) * 10]} edges half of the requests`,
  );
  expect(large.verifies / large.requests).toBeCloseTo(0.5, 1);
  expect(PAGE).toContain(`a core is used to ${ASSUMED.load * 100} %`);
  const [, events = '', requests = ''] =
    /some ([\d,]+) events a second.*?for twenty requests that is a load of ([\d,]+) requests/.exec(PAGE) ??
    [];
  const number = (text: string) => Number(text.replaceAll(',', ''));
  expect(number(requests)).toBe(20 * number(events));
  const adr = readFileSync(join(DOCS, 'adr/0016-quota-events-in-large-batches.md'), 'utf8');
  expect(adr).toContain(`→ ${events} events/s`);
});

test('given a tenant at many edges, when it asks too little of each for a lease, then every request is a check', () => {
  const small = loadOf(figures, [{ count: 2000, rate: 5 }], 'anywhere');
  expect([small.checks, small.leases]).toEqual([10_000, 0]);
  const pinned = loadOf(figures, [{ count: 2000, rate: 5 }], 'pinned');
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
