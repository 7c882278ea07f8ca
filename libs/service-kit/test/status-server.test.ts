import { expect, test } from 'vitest';
import { counter, createMetrics, startStatusServer } from '../src/index.ts';

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
