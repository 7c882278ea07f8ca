import {
  type DecisionRecord,
  decisionRecord,
  decisionRecorded,
  edgeDecision,
  edgeTraffic,
  STREAMS,
} from '@sluice/contracts';
import { readStream } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

type Wanted = Partial<Parameters<typeof edgeDecision.request.parse>[0] & object>;

/** What the edges remember. */
const ask = (world: EdgeWorld, wanted: Wanted = {}) =>
  world.bus.scatter(edgeDecision, { limit: 100, ...wanted }, world.edges.length);

const recordsOf = async (world: EdgeWorld, wanted: Wanted = {}): Promise<DecisionRecord[]> =>
  (await ask(world, wanted)).flatMap(({ records }) => records);

const startWorld = async (upstream: Upstream, settings: Record<string, string> = {}) => {
  const to = service('up', upstream.url);
  const routes = [route('in', to, { paths: ['/in'] })];
  const plugins = [
    plugin('correlation-id', { header_name: 'X-Request-Id', generator: 'uuid', echo_downstream: true }),
    plugin('request-size-limiting', { allowed_payload_size: 1, size_unit: 'kilobytes' }),
    plugin('rate-limiting', { minute: 2, limit_by: 'header', header_name: 'X-Tenant-Id' }),
  ];
  return EdgeWorld.start({ services: [to], routes, plugins }, settings);
};

test('given a request that was forwarded, then its record says who it was, what each plugin said and where it went', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream);

  const answer = await call(world.port, '/in/a?apikey=s3cret', {
    method: 'POST',
    body: 'hello',
    headers: { 'x-tenant-id': 'tenant-1', authorization: 'Bearer s3cret' },
  });
  const id = `${answer.headers['x-kong-request-id']}`;
  const [record] = await eventually(async () => {
    const found = await recordsOf(world, { id });
    expect(found).toHaveLength(1);
    return found;
  });

  expect(decisionRecord.parse(record)).toEqual(record);
  expect(record).toMatchObject({
    ...{ requestId: id, correlationId: answer.headers['x-request-id'], instance: 'edge-0', seq: 1 },
    ...{ method: 'POST', path: '/in/a', status: 200, outcome: 'forwarded', version: 1, tenant: 'tenant-1' },
    ...{ route: { name: 'in' }, service: { name: 'up', connectMs: 2000, readMs: 5000, writeMs: 5000 } },
    plugins: [
      { plugin: 'request-size-limiting', verdict: 'passed' },
      {
        plugin: 'rate-limiting',
        verdict: 'passed',
        source: 'local',
        bucket: expect.stringMatching(/:tenant-1$/),
      },
      { plugin: 'correlation-id', verdict: 'passed' },
    ].sort((a, b) => ORDER.indexOf(a.plugin) - ORDER.indexOf(b.plugin)),
    upstream: { target: new URL(upstream.url).host, status: 200, tries: 1 },
    degraded: ['ratelimit'], // there is no limiter in this world
  });
  expect(record?.bytes.in).toBe(5);
  expect(record?.bytes.out).toBeGreaterThan(100);
  const { totalUs, gatewayUs = 0, upstreamUs = 0 } = record?.timing ?? { totalUs: 0 };
  expect(gatewayUs + upstreamUs).toBeLessThanOrEqual(totalUs);
  expect(JSON.stringify(record)).not.toContain('s3cret');
  expect(await recordsOf(world, { id: `${answer.headers['x-request-id']}` })).toHaveLength(1);
  expect(await recordsOf(world, { id: record?.traceId ?? '' })).toHaveLength(1);
});

const ORDER = ['correlation-id', 'request-size-limiting', 'rate-limiting'];

test('given a plugin refuses, then the record names it, its figures, and those that were not reached', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream);

  await call(world.port, '/in', { method: 'POST', body: 'x'.repeat(1025) });
  const [record] = await eventually(async () => {
    const found = await recordsOf(world, { status: 413, route: 'in' });
    expect(found).toHaveLength(1);
    return found;
  });

  expect(record).toMatchObject({
    outcome: 'refused',
    refusal: { code: 'GW_PAYLOAD_TOO_LARGE', facts: { limit_bytes: 1024, content_length: 1025 } },
  });
  expect(
    Object.fromEntries(record?.plugins.map(({ plugin: name, verdict }) => [name, verdict]) ?? []),
  ).toEqual({
    'correlation-id': 'passed',
    'request-size-limiting': 'refused',
    'rate-limiting': 'not_reached',
  });
  expect(record?.upstream).toBeUndefined();
});

test('given more requests than the ring holds, then the newest are there, and who asks on hears how many were missed', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream, { DECISION_RING: '16' });

  for (let i = 0; i < 40; i++) await call(world.port, `/nowhere/${i}`);
  const [first] = await eventually(async () => {
    const answers = await ask(world, { after: [{ instance: 'edge-0', seq: 4 }] });
    expect(answers[0]?.seq).toBe(40);
    return answers;
  });

  expect(first?.records.map(({ path }) => path)).toEqual(
    Array.from({ length: 16 }, (_, i) => `/nowhere/${i + 24}`),
  );
  expect(first?.missed).toBe(20);
  const [nothingNew] = await ask(world, { after: [{ instance: 'edge-0', seq: 40 }] });
  expect(nothingNew).toMatchObject({ records: [], missed: 0 });
  const [fewer] = await ask(world, { limit: 2 });
  expect(fewer?.records.map(({ seq }) => seq)).toEqual([39, 40]);
  // Who goes on from 30 gets two of the ten, and asks behind them the next time.
  const [tooMany] = await ask(world, { limit: 2, after: [{ instance: 'edge-0', seq: 30 }] });
  expect(tooMany).toMatchObject({ missed: 8, records: [{ seq: 39 }, { seq: 40 }] });
  const [others] = await ask(world, { limit: 2, status: 5, after: [{ instance: 'edge-0', seq: 30 }] });
  expect(others).toMatchObject({ missed: 0, records: [] });
});

test('given refusals and forwarded requests, then the stream gets every refusal and the sample, and nobody waits for it', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream, { DECISION_SAMPLE: '0' });
  await world.jetstream.ensureStream(STREAMS.DECISIONS);

  await call(world.port, '/in');
  for (let i = 0; i < 3; i++) await call(world.port, '/nowhere');
  const told: DecisionRecord[] = [];
  await eventually(async () => {
    told.length = 0;
    await readStream(world.jetstream, STREAMS.DECISIONS.name, async (page) => {
      for (const { data } of page)
        told.push(
          ...decisionRecorded.payload.parse(JSON.parse(Buffer.from(data).toString())).payload.records,
        );
    });
    expect(told).toHaveLength(3);
  });

  expect(told.every(({ status, refusal }) => status === 404 && refusal?.code === 'GW_NO_ROUTE')).toBe(true);
});

test('given tenants and routes, then their traffic is summed up, those with most requests first', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream);

  for (const tenant of ['a', 'b', 'b']) await call(world.port, '/in', { headers: { 'x-tenant-id': tenant } });
  await call(world.port, '/nowhere', { headers: { 'x-tenant-id': 'b' } });
  const [traffic] = await eventually(async () => {
    const answers = await world.bus.scatter(edgeTraffic, { windowMs: 60_000, top: 1 }, 1);
    expect(answers[0]?.total.requests).toBe(4);
    return answers;
  });

  expect(traffic).toMatchObject({
    spanMs: 60_000,
    total: { requests: 4, refused: 1, failed: 0 },
    tenants: [{ name: 'b', requests: 3, refused: 1 }],
    routes: [{ name: 'in', requests: 3, refused: 0 }],
    refusals: [{ code: 'GW_NO_ROUTE', count: 1 }],
  });
});

test('given a request with credentials, then its record names what it came with, and tells the values of harmless headers alone', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  const byHeader = { paths: ['/in'], headers: { 'x-version': ['2'], 'x-api-key': ['s3cret'] } };
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('in', to, byHeader)],
    plugins: [],
  });

  await call(world.port, '/in?page=2&token=s3cret', {
    headers: { 'x-version': '2', 'x-api-key': 's3cret', cookie: 'a=s3cret', 'user-agent': 'test/1' },
  });
  await call(world.port, '/in?s3cret', { method: 'POST', body: 'four' });
  const records = await eventually(async () => {
    const found = await recordsOf(world);
    expect(found).toHaveLength(2);
    return found;
  });

  const [known, bare] = records.sort((a, b) => a.seq - b.seq);
  expect(known?.asked).toMatchObject({
    ...{ scheme: 'http', httpVersion: '1.1', client: '127.0.0.1', isIdentified: false },
    headerNames: expect.arrayContaining(['x-version', 'x-api-key', 'cookie', 'user-agent']),
    headers: { 'x-version': '2', 'user-agent': 'test/1' },
    queryNames: ['page', 'token'],
  });
  expect(bare?.asked?.contentLength).toBe(4);
  expect(bare?.asked).not.toHaveProperty('queryNames'); // its argument could be a credential without a name
  expect(JSON.stringify(records)).not.toContain('s3cret');
});

test('given more requests than one answer holds, when it is read on before the oldest, then each is there once', async () => {
  await using upstream = await Upstream.start();
  await using world = await startWorld(upstream);
  for (let i = 0; i < 5; i += 1) await call(world.port, `/elsewhere/${i}`);

  const all = await eventually(async () => {
    const seen: DecisionRecord[] = [];
    for (let before = Number.MAX_SAFE_INTEGER; seen.length < 5; before = seen[0]?.seq ?? 0) {
      const page = await recordsOf(world, { limit: 2, before: [{ instance: 'edge-0', seq: before }] });
      expect(page.length).toBeGreaterThan(0);
      seen.unshift(...page);
    }
    return seen;
  });

  expect(all.map(({ path }) => path)).toEqual([0, 1, 2, 3, 4].map((i) => `/elsewhere/${i}`));
});
