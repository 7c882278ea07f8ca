import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { spansIn, type TracedSpan } from '../../src/traces/otlp.ts';
import { TraceStore } from '../../src/traces/trace-store.ts';

const idOf = (n: number, digits = 16): string => n.toString(16).padStart(digits, '0');

const span = (n: number, over: Partial<TracedSpan> = {}): TracedSpan => ({
  ...{ traceId: idOf(1, 32), spanId: idOf(n), parentId: undefined, service: 'edge-proxy', name: `span ${n}` },
  ...{ fromUs: 1_000_000 + n, us: 10, failure: undefined, attributes: {}, events: [], links: [] },
  ...over,
});

test('given spans in any order, then children stand below their parent in the order they began', () => {
  const store = new TraceStore();
  store.keep([
    span(4, { parentId: idOf(2), service: 'ratelimit', failure: 'timeout' }),
    span(3, { parentId: idOf(1) }),
    span(2, { parentId: idOf(1) }),
  ]);
  store.keep([span(1, { parentId: 'cafe000000000000', us: 500 })]);

  const found = store.find(idOf(1, 32));
  expect(found?.bars.map(({ depth, name, fromUs }) => [depth, name, fromUs])).toEqual([
    [0, 'span 1', 0],
    [1, 'span 2', 1],
    [2, 'span 4', 3],
    [1, 'span 3', 2],
  ]);
  expect(found).toMatchObject({ name: 'span 1', us: 500, spans: 4, isFailed: true, leftOut: 0, at: 1000 });
});

test('given more than 1,000 traces, then the oldest are forgotten; of a trace 256 spans are kept, the rest is counted', () => {
  const store = new TraceStore();
  for (let n = 1; n <= 1001; n++) store.keep([span(1, { traceId: idOf(n, 32) })]);
  for (let n = 1; n <= 300; n++) store.keep([span(n, { traceId: idOf(1001, 32) })]);

  expect(store.find(idOf(1, 32))).toBeUndefined();
  expect(store.newest(2000)).toHaveLength(1000);
  expect(store.newest(1)[0]).toMatchObject({ traceId: idOf(1001, 32), spans: 256 });
  expect(store.find(idOf(1001, 32))?.leftOut).toBe(44);
});

const LARGE = Object.fromEntries(Array.from({ length: 24 }, (_none, i) => [`name-${i}`, 'x'.repeat(256)]));

test('given spans as large as may be, then a trace has as many as fit and counts the rest, and the oldest traces go', () => {
  const store = new TraceStore();
  for (let n = 1; n <= 200; n++)
    store.keep(
      Array.from({ length: 200 }, (_none, i) => span(i, { traceId: idOf(n, 32), attributes: LARGE })),
    );

  const kept = store.newest(2000);
  const newest = store.find(idOf(200, 32));
  const most = (newest?.spans ?? 0) * 24 * 256;
  expect(newest?.spans).toBeGreaterThan(100);
  expect((newest?.spans ?? 0) + (newest?.leftOut ?? 0)).toBe(200);
  expect(kept[0]?.traceId).toBe(idOf(200, 32));
  expect(kept.length).toBeGreaterThan(32);
  expect(kept.length * most).toBeLessThanOrEqual(64 * 1024 * 1024);
  for (let n = 201; n <= 1400; n++) store.keep([span(1, { traceId: idOf(n, 32) })]);
  expect(store.newest(2000)).toHaveLength(1000); // the room that the large ones had is there again
});

test('given texts that are cut, then what was cut off them is not kept', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const store = new TraceStore();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 1; n <= 64; n++) {
    const attributes = [{ key: 'long', value: { stringValue: 'y'.repeat(1024 * 1024) + n } }];
    const one = { traceId: idOf(n, 32), spanId: idOf(n), name: 'GET', attributes };
    const times = { startTimeUnixNano: '1', endTimeUnixNano: '2' };
    const message = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...one, ...times }] }] }] };
    store.keep(spansIn(JSON.parse(JSON.stringify(message))));
  }
  collect();

  expect(store.size).toBe(64);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);
});

test('given spans that are each other’s parents, then nothing hangs, and other traces are found by service', () => {
  const store = new TraceStore();
  store.keep([span(1, { parentId: idOf(2) }), span(2, { parentId: idOf(1) })]);
  store.keep([span(3, { traceId: idOf(2, 32), service: 'auth' })]);

  expect(store.find(idOf(1, 32))?.bars).toEqual([]);
  expect(store.newest(5, 'auth').map(({ traceId }) => traceId)).toEqual([idOf(2, 32)]);
});

test('OTLP’s JSON is read: 64-bit times as text, ids in capitals, failures with their word', () => {
  const message = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'auth' } }] },
        scopeSpans: [
          {
            spans: [
              {
                ...{
                  traceId: 'A'.repeat(32),
                  spanId: 'B'.repeat(16),
                  parentSpanId: '',
                  name: 'GET',
                  kind: 3,
                },
                startTimeUnixNano: '1767323045000001000',
                endTimeUnixNano: '1767323045000251000',
                attributes: [
                  { key: 'http.response.status_code', value: { intValue: '503' } },
                  { key: 'list', value: { arrayValue: { values: [] } } },
                ],
                status: { code: 2, message: 'timeout' },
              },
            ],
          },
        ],
      },
    ],
  };

  expect(spansIn(message)).toEqual([
    {
      ...{
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        parentId: undefined,
        service: 'auth',
        name: 'GET',
      },
      ...{ fromUs: 1_767_323_045_000_001, us: 250, failure: 'timeout' },
      attributes: { 'http.response.status_code': 503 },
      ...{ events: [], links: [] },
    },
  ]);
});
