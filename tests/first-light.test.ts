import { readFileSync } from 'node:fs';
import { call, eventually } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, limitDecisions, natsClient, RunningGateway, r1Headers, volley } from './gateway.ts';

let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await RunningGateway.start(['--demo']);
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('given a demo token and the four headers, when workflows are asked for, then 200 and the seven R1 headers upstream', async () => {
  const sent = { ...r1Headers(await gateway.token('tenant-seven'), 'tenant-seven'), cookie: 'a=1' };
  // The limiter of a machine busy with the start may be too late for the first: then its headers are missing.
  const answer = await eventually(async () => {
    const first = await gateway.get('/v1/workflows', sent);
    expect(first.headers).toHaveProperty('x-ratelimit-limit-minute');
    return first;
  });

  expect(answer.status).toBe(200);
  const { items, headers } = answer.json<{ items: unknown[]; headers: Record<string, string> }>();
  expect(items.length).toBeGreaterThan(0);
  expect(headers).toMatchObject({
    'x-tenant-id': 'tenant-seven',
    'x-platform-id': 'platform-1',
    'x-user-id': 'user-456',
    'x-gateway': 'kong',
    'x-gateway-version': '3.0',
  });
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers['x-trace-id']).toBe(headers['x-request-id']);
  expect(answer.headers['x-request-id']).toBe(headers['x-request-id']);
  expect(headers.cookie).toBeUndefined();
  expect(answer.headers).toMatchObject({
    'x-ratelimit-limit-minute': '100',
    'x-ratelimit-limit-hour': '5000',
    'x-ratelimit-limit-day': '100000',
    'ratelimit-limit': '100',
    'x-quota-limit': 'unknown',
  });
});

test('given no token, when any of the fifteen routes is asked, then 401', async () => {
  const { data } = (await gateway.admin('/routes')).json<{
    data: { paths: string[]; methods: string[] }[];
  }>();
  expect(data.length).toBe(15);
  for (const { paths, methods } of data) {
    const answer = await call(gateway.ready.proxy, paths[0] ?? '/', { method: methods[0] ?? 'GET' });
    expect(answer, paths[0]).toMatchObject({ status: 401, text: '{"message":"Unauthorized"}' });
  }
});

test('given a preflight from an allowed origin on a guarded route, when asked, then 200 without a token', async () => {
  const answer = await call(gateway.ready.proxy, '/v1/workflows', {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'GET' },
  });
  // The route allows no OPTIONS, so nothing matches; Kong answers the same.
  expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:3000');
});

test('given 101 requests of a tenant in a minute, when counted, then 100 pass and one gets 429 with Kong’s headers', async () => {
  const token = await gateway.token('tenant-burst');
  const untilNextMinute = 60_000 - (Date.now() % 60_000);
  if (untilNextMinute < 20_000) await new Promise((later) => setTimeout(later, untilNextMinute + 50)); // one window for all
  const ask = (count: number) => volley(gateway, '/v1/workflows', r1Headers(token, 'tenant-burst'), count);
  const before = await limitDecisions(gateway);
  const answers = await ask(101);
  // For a request that the limiter of a busy machine is too late for, the edge decides alone, and says so.
  const alone = ((await limitDecisions(gateway)).local ?? 0) - (before.local ?? 0);
  const passed = answers.filter(({ status }) => status === 200).length;
  expect(passed).toBeGreaterThanOrEqual(100);
  expect(passed).toBeLessThanOrEqual(100 + alone);
  const refused = await eventually(async () => {
    const [answer] = alone === 0 ? answers.filter(({ status }) => status === 429) : await ask(1);
    if (answer?.status !== 429) throw new Error(`status ${answer?.status}`);
    return answer;
  });
  expect(refused.json().message).toBe('API rate limit exceeded');
  expect(refused.headers['retry-after']).toBe(refused.headers['ratelimit-reset']);
  expect(refused.headers['x-ratelimit-remaining-minute']).toBe('0');
  const other = await gateway.get(
    '/v1/workflows',
    r1Headers(await gateway.token('tenant-other'), 'tenant-other'),
  );
  expect(other.status).toBe(200);
});

test('given the original’s quota event on JetStream, when published by a plain client, then Redis and the next response show it', async () => {
  const connection = await connect(natsClient(gateway.ready.nats));
  await connection.jetstream().publish(
    'quota.updated',
    JSON.stringify({
      eventId: crypto.randomUUID(),
      occurredAt: '2025-10-27T20:00:00Z',
      tenantId: 'tenant-123',
      platformId: 'platform-1',
      correlationId: 'c-1',
      actor: 'litellm',
      payload: {
        limit: 10_000,
        used: 4532,
        remaining: 5468,
        period: 'monthly',
        resetAt: '2025-11-01T00:00:00Z',
      },
    }),
  );
  await connection.close();
  const redis = new Redis(gateway.ready.redis);
  const hash = await eventually(async () => {
    const found = await redis.hgetall('quota:tenant:tenant-123');
    expect(found.limit).toBe('10000');
    return found;
  });
  redis.disconnect();
  expect(hash).toMatchObject({
    limit: '10000',
    used: '4532',
    remaining: '5468',
    period: 'monthly',
    reset_at: '2025-11-01T00:00:00Z',
    last_updated: '2025-10-27T20:00:00Z',
  });
  const answer = await gateway.get(
    '/v1/workflows',
    r1Headers(await gateway.token('tenant-123'), 'tenant-123'),
  );
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'x-quota-limit': '10000',
    'x-quota-used': '4532',
    'x-quota-remaining': '5468',
  });
});

test('given the lines of the original README, when typed, then each answers as it says', async () => {
  expect((await gateway.admin('/status')).json()).toHaveProperty('server');
  for (const list of ['services', 'routes', 'plugins', 'consumers', 'upstreams'])
    expect((await gateway.admin(`/${list}`)).json(), list).toHaveProperty('data');
  const token = await gateway.token('tenant-metrics');
  await gateway.get('/v1/workflows', r1Headers(token, 'tenant-metrics'));
  const metrics = await gateway.admin('/metrics');
  expect(metrics.headers['content-type']).toBe('text/plain; charset=UTF-8');
  expect(metrics.text).toMatch(
    /kong_http_requests_total\{service="agent-orchestrator",route="agent-workflows",code="200",source="service",workspace="default",consumer=""(,instance="[^"]+")?\} \d+/,
  );
  for (const name of ['kong_latency_bucket', 'kong_bandwidth_bytes', 'kong_upstream_health'])
    expect(metrics.text).toContain(name);
});

test('given every process, when asked how it is, then its probes and metrics answer', async () => {
  for (const name of ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror', 'config-registry'] as const)
    for (const pid of gateway.ready.pids[name]) expect(isAlive(pid), name).toBe(true);
});

test('given the gateway as it starts, then its bus takes nobody without a login, and each process has its own', async () => {
  const { nats, pids } = gateway.ready;
  const { servers } = natsClient(nats);
  await expect(connect({ servers })).rejects.toThrow(/authorization violation/i);
  for (const name of ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror', 'config-registry'] as const) {
    const environment = readFileSync(`/proc/${pids[name][0]}/environ`, 'utf8').split('\0');
    expect(environment, name).toContain(`NATS_USER=${name}`);
    const pass = environment
      .find((line) => line.startsWith('NATS_PASSWORD='))
      ?.slice('NATS_PASSWORD='.length);
    const connection = await connect({
      servers,
      user: name,
      pass: pass ?? '',
      inboxPrefix: `_INBOX_${name}`,
    });
    const refused = new Promise<string | undefined>((resolve) => {
      void (async () => {
        for await (const { permissionContext } of connection.status())
          if (permissionContext !== undefined) resolve(permissionContext.subject);
      })();
    });
    connection.publish('$JS.API.STREAM.DELETE.CONFIG', '{}');
    expect(await refused, name).toBe('$JS.API.STREAM.DELETE.CONFIG');
    await connection.close();
  }
});
