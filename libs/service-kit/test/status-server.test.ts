import { expect, test } from 'vitest';
import { counter, createMetrics, nodeStatus, startStatusServer } from '../src/index.ts';

const given = async (problems: Record<string, string> = {}) => {
  const metrics = createMetrics('auth', '0.1.0');
  const status = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    metrics,
    problems: () => problems,
  });
  return {
    metrics,
    problems,
    get: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${status.port}${path}`, { method }),
    async [Symbol.asyncDispose]() {
      await status.close();
    },
  };
};

test('given no problems, then the process lives and is ready', async () => {
  await using server = await given();

  const [live, ready] = [await server.get('/livez'), await server.get('/readyz')];

  expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', problems: {} }]);
});

test('given a dependency is gone, then it is not ready, says which and why, lives, and recovers', async () => {
  await using server = await given({ nats: 'disconnected' });

  const ready = await server.get('/readyz');

  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ status: 'not ready', problems: { nats: 'disconnected' } });
  expect((await server.get('/livez')).status).toBe(200);
  delete server.problems.nats;
  expect((await server.get('/readyz')).status).toBe(200);
});

test('given a problem that only degrades, then it is ready and names it', async () => {
  await using server = await given({ '~redis': 'away' });

  const ready = await server.get('/readyz');

  expect([ready.status, await ready.json()]).toEqual([
    200,
    { status: 'degraded', problems: { redis: 'away' } },
  ]);
});

test('the metrics are in the text format of Prometheus and name the build', async () => {
  await using server = await given();
  counter(server.metrics, 'sluice_checks_total', 'Checks.', ['outcome']).inc({ outcome: 'allow' }, 2);

  const response = await server.get('/metrics');

  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text).toContain('sluice_checks_total{outcome="allow"} 2');
  expect(text).toContain('sluice_build_info{service="auth",version="0.1.0"');
});

test('nothing else is served', async () => {
  await using server = await given();

  expect((await server.get('/config')).status).toBe(404);
  expect((await server.get('/livez', 'POST')).status).toBe(405);
});

test('given the process is a node of the gateway, then it says so in Kong’s words, and why when it is not ready', async () => {
  await using server = await given({ '~redis': 'away' });
  const ready = async () => {
    const answer = await server.get('/status/ready');
    return [answer.status, await answer.json()];
  };
  expect(await ready()).toEqual([200, { message: 'ready' }]);
  server.problems.config = 'no configuration yet';
  expect(await ready()).toEqual([503, { message: 'no configuration yet' }]);
  server.problems.draining = 'shutting down';
  expect(await ready()).toEqual([503, { message: 'draining' }]);
  expect((await server.get('/status')).status).toBe(404); // no node: nothing was given to tell
});

test('given what a node tells, when asked by unit and scale, then memory is written so', async () => {
  const facts = {
    connections: { accepted: 7, active: 3, requests: 40 },
    isReachable: true,
    configuration: { digest: 'ab'.repeat(32), version: 12 },
  };
  await using status = {
    server: await startStatusServer({
      host: '127.0.0.1',
      port: 0,
      metrics: createMetrics('edge-proxy', '0.1.0'),
      problems: () => ({}),
      status: (query) => nodeStatus(query, facts),
    }),
    [Symbol.asyncDispose]: () => status.server.close(),
  };
  const get = async (query: string) => {
    const answer = await fetch(`http://127.0.0.1:${status.server.port}/status${query}`);
    return { code: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const memoryAt = (unit: string | number) => ({
    memory: { workers_lua_vms: [{ pid: process.pid, http_allocated_gc: unit }] },
  });
  expect((await get('')).body).toMatchObject({
    ...memoryAt(expect.stringMatching(/^\d+\.\d\d MiB$/)),
    server: {
      connections_accepted: 7,
      connections_active: 3,
      connections_handled: 7,
      connections_reading: 0,
      connections_writing: 1,
      connections_waiting: 2,
      total_requests: 40,
    },
    database: { reachable: true },
    configuration_hash: 'ab'.repeat(16),
    generation: 'r12',
  });
  expect((await get('?unit=b')).body).toMatchObject(memoryAt(expect.any(Number)));
  expect((await get('?unit=K&scale=0')).body).toMatchObject(memoryAt(expect.stringMatching(/^\d+ KiB$/)));
  expect(await get('?unit=V')).toEqual({
    code: 400,
    body: { message: "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')" },
  });
});
