import { expect, test } from 'vitest';
import { chainFigures } from '../bench/chain/budgets.ts';
import { budgets, dearestOf, Kind } from '../bench/forged/kinds.ts';
import { halfRange, median } from '../bench/measure/statistics.ts';
import { parseWrk } from '../bench/measure/wrk.ts';
import { selfTimes } from '../bench/profile/self-time.ts';
import { Expected, quotaEvents } from '../bench/quota/events.ts';
import { between, markdownTable } from '../bench/report/docs.ts';
import { figuresText, isMet } from '../bench/report/figures.ts';
import { summarise } from '../bench/report/summary.ts';
import { barChart } from '../bench/report/svg.ts';

test('the median of an even count is the mean of the middle two, of nothing it is no number', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(median([])).toBeNaN();
  expect(halfRange([3, 9, 5])).toBe(3);
});

test('given what wrk prints, then units are turned into ms and MB, and failures of both kinds are counted', () => {
  const text = `Running 3s test @ http://127.0.0.1:1/
  Latency Distribution
     50%  812.00us
     75%    1.10ms
     90%    2.00ms
     99%    1.02s
  61234 requests in 3.00s, 70.00MB read
  Socket errors: connect 0, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 7
Requests/sec:  20411.33
Transfer/sec:     23.33MB
`;
  expect(parseWrk(text)).toEqual({
    ...{
      requests: 61_234,
      perSecond: 20_411.33,
      p50Ms: 0.812,
      p99Ms: 1020,
      mbPerSecond: 23.33,
      failures: 12,
    },
  });
});

const burst = (cpu: Record<string, number>) => ({
  ...{ requests: 1, perSecond: 1, p50Ms: 1, p99Ms: 2, mbPerSecond: 0, failures: 0, foreign: 0 },
  ...{ cpu, rssMb: { edge: 100 } },
});
const measured = (id: string, cpus: Record<string, number>[]) => ({
  ...{ id, group: 'main' as const, title: id, connections: 64, bursts: cpus.map(burst) },
});

test('given a machine that slows down, then ratios are made within each round', () => {
  const bare = measured('http-proxy-3', [{ 'http-proxy-3': 50 }, { 'http-proxy-3': 200 }]);
  const plain = measured('plain', [
    { edge: 20, nats: 5 },
    { edge: 80, nats: 20 },
  ]);
  const row = summarise(plain, { nginx: undefined, bare });
  expect(row).toMatchObject({ toBare: 0.5, edgeToBare: 0.4, othersToBare: 0.1, cpu: 62.5 });
  expect(row.toNginx).toBeNaN();
});

test('a budget is judged by its own variant, and one that could not be measured is not met', () => {
  const bare = measured('http-proxy-3', [{ 'http-proxy-3': 100 }]);
  const rowOf = (micros: number) =>
    summarise(measured('plain', [{ edge: micros }]), { nginx: undefined, bare });
  const [good, unknown] = chainFigures([rowOf(60)]);
  const [bad] = chainFigures([rowOf(70)]);
  expect([good, bad, unknown].map((figure) => figure !== undefined && isMet(figure))).toEqual([
    true,
    false,
    false,
  ]);
  expect(figuresText(chainFigures([rowOf(70)]))).toMatch(/0\.70\s+≤ 0\.65\s+0\.55\s+over/);
});

test('given forged tokens, then the dearest is so in the median of its rounds, beside a good one of usual length', () => {
  const kind = (title: string, role: 'forged' | 'good' | 'large', times: Record<string, number[]>) => {
    const made = new Kind(title, role);
    for (const [name, all] of Object.entries(times)) for (const ms of all) made.add(name, ms);
    return made;
  };
  const once = kind('kid', 'forged', { slow: [3, 3, 4], stalled: [1, 90, 1] });
  const good = [kind('HS256', 'good', { HS256: [1, 1] }), kind('ES384', 'good', { ES384: [2, 2] })];
  const kinds = [once, ...good, kind('HS256', 'large', { HS256: [50] })];
  expect(dearestOf(kinds, 'forged')).toEqual({ title: 'kid', name: 'slow', ms: 3 });
  expect(once.summary).toMatchObject({ tokens: 2, slowest: 90 });
  expect(budgets(kinds).map(({ measured }) => measured)).toEqual([3, 1.5]);
  expect(budgets(kinds).map(isMet)).toEqual([true, true]);
  expect(budgets([once]).map(isMet)).toEqual([false, false]);
  expect(budgets([kind('kid', 'forged', { slow: [7] }), ...good]).map(isMet)).toEqual([true, false]);
});

test('given quota events, then the newest by time and place counts, and a repeated use counts once', () => {
  const expected = new Expected();
  const state = (eventId: string, occurredMs: number, used: number) => ({
    ...{ eventId, tenant: 't', occurredMs, used, body: '' },
  });
  expected.add(state('a', 10, 1), 1);
  expected.add(state('late', 5, 2), 2);
  expect(expected.states.get('t')).toMatchObject({ eventId: 'a' });
  expected.add(state('b', 10, 3), 3);
  expect(expected.states.get('t')).toMatchObject({ eventId: 'b', seq: 3 });
  const use = { eventId: 'u', tenant: 't', occurredMs: 1, tokens: 7, body: '' };
  expected.add(use, 4);
  expected.add(use, 5);
  expect(expected.tokens.get('t')).toBe(7);
});

test('the same seed makes the same quota events, some of them twice', () => {
  const take = (seed: number) => {
    const source = quotaEvents(10, seed);
    return Array.from({ length: 500 }, () => source.next().value.eventId);
  };
  expect(take(1)).toEqual(take(1));
  expect(new Set(take(1)).size).toBeLessThan(490);
});

test('given a CPU profile, then self time is summed by function and by who wrote it, and idle time is left out', () => {
  const frame = (functionName: string, url: string) => ({
    ...{ functionName, url, scriptId: '1', lineNumber: 4, columnNumber: 0 },
  });
  const times = selfTimes(
    {
      nodes: [
        { id: 1, callFrame: frame('(root)', ''), children: [2, 3, 4] },
        { id: 2, callFrame: frame('handle', 'file:///repo/services/edge-proxy/src/gateway.ts') },
        { id: 3, callFrame: frame('(idle)', '') },
        { id: 4, callFrame: frame('parse', 'file:///repo/node_modules/zod/index.js') },
      ],
      ...{ startTime: 0, endTime: 100, samples: [2, 3, 4, 2], timeDeltas: [10, 50, 5, 15] },
    },
    '/repo',
  );
  expect(times.busyMicros).toBe(30);
  expect(times.groups).toMatchObject({ ours: 25, packages: 5, idle: 50 });
  expect(times.functions[0]).toMatchObject({ name: 'handle', selfMicros: 25 });
});

test('the documentation keeps everything outside of the marks', () => {
  const marks = ['<!-- chain: begin -->', '<!-- chain: end -->'];
  expect(between(`a\n${marks.join('old')}\nb\n`, 'new')).toBe(`a\n${marks.join('\n\nnew\n\n')}\nb\n`);
  expect(() => between('no marks', 'new')).toThrow('has no marks');
  expect(markdownTable(['x', 'n'], [['long name', '1']])).toBe(
    '| x         |   n |\n| --------- | --: |\n| long name |   1 |',
  );
});

test('a chart says what it is given as text, and leaves out what is no number', () => {
  const svg = barChart('a < b', [
    { label: '<script>', parts: [1, 2], note: '3' },
    { label: 'unknown', parts: [Number.NaN], note: '–' },
  ]);
  expect(svg).toContain('&lt;script&gt;');
  expect(svg).not.toContain('unknown');
  expect(svg.match(/<rect/g)).toHaveLength(2);
});
