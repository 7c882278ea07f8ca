import { eventually, type ServerProcess, startNats, startRedis } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { typeSluice } from './command-line.ts';
import { AS_SHIPPED, multipart, type ProcessName, RunningGateway, r1Headers } from './gateway.ts';

// The rows of "when something is gone", one after the other on one gateway; each ends with everything back.
let nats: ServerProcess;
let redis: ServerProcess;
let gateway: RunningGateway;
let known: Record<string, string>;

beforeAll(async () => {
  nats = await startNats();
  redis = await startRedis({ durable: true });
  const servers = ['--nats', nats.url, '--redis', redis.url];
  gateway = await RunningGateway.start(['--demo', '--restart=never', ...servers], AS_SHIPPED);
  known = r1Headers(await gateway.token('tenant-known'), 'tenant-known');
  await whole();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const workflows = (headers: Record<string, string>) => gateway.get('/v1/workflows', headers);
const stranger = async () => {
  const tenant = `tenant-${crypto.randomUUID().slice(0, 8)}`;
  return r1Headers(await gateway.token(tenant), tenant);
};

/** Everything works: a new token is verified, limits are counted, quotas are shown. */
const whole = async (): Promise<void> => {
  const headers = await stranger();
  await eventually(async () => {
    const answer = await workflows(headers);
    expect(answer.status).toBe(200);
    expect(answer.headers['ratelimit-limit']).toBe('100');
    expect(answer.headers['x-quota-limit']).toBe('unknown');
    expect((await workflows(known)).status).toBe(200);
  });
};

const hang = (name: ProcessName) => gateway.signal(name, 'SIGSTOP');
const resume = (name: ProcessName) => gateway.signal(name, 'SIGCONT');

const publishQuota = async (tenant: string, used: number): Promise<void> => {
  const connection = await connect({ servers: nats.url });
  const event = {
    eventId: crypto.randomUUID(),
    occurredAt: new Date().toISOString(),
    tenantId: tenant,
    payload: { limit: 100, used, period: 'monthly' },
  };
  await connection.jetstream().publish('quota.updated', JSON.stringify(event));
  await connection.close();
};

const quotaUsed = async (tenant: string): Promise<string | null> => {
  const client = new Redis(redis.url);
  try {
    return await client.hget(`quota:tenant:${tenant}`, 'used');
  } finally {
    client.disconnect();
  }
};

test('given auth hangs, when asked, then unknown tokens get 503 and verified ones pass; it goes on when auth does', async () => {
  const headers = await stranger();
  hang('auth');
  const refused = await workflows(headers);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('1');
  expect((await workflows(known)).status).toBe(200);
  resume('auth');
  await whole();
});

test('given auth is killed, when asked, then the same at once; another instance takes over', async () => {
  const headers = await stranger();
  gateway.signal('auth', 'SIGKILL');
  await eventually(async () => expect((await workflows(headers)).status).toBe(503));
  expect((await workflows(known)).status).toBe(200);
  gateway.startService('auth');
  await whole();
});

test('given ratelimit hangs or is killed, when asked, then requests pass without rate headers', async () => {
  hang('ratelimit');
  const hung = await workflows(known);
  expect(hung.status).toBe(200);
  expect(hung.headers['ratelimit-limit']).toBeUndefined();
  expect(hung.headers['x-ratelimit-limit-minute']).toBeUndefined();
  resume('ratelimit');
  await whole();

  gateway.signal('ratelimit', 'SIGKILL');
  const killed = await workflows(known);
  expect(killed.status).toBe(200);
  expect(killed.headers['ratelimit-limit']).toBeUndefined();
  gateway.startService('ratelimit');
  await whole();
});

test('given Redis hangs or is killed, when asked, then requests pass without rate and quota headers', async () => {
  redis.freeze();
  const hung = await workflows(known);
  expect(hung.status).toBe(200);
  expect(hung.headers['ratelimit-limit']).toBeUndefined();
  expect(hung.headers['x-quota-limit']).toBeUndefined();
  redis.thaw();
  await whole();

  await redis.kill();
  const killed = await workflows(known);
  expect(killed.status).toBe(200);
  expect(killed.headers['ratelimit-limit']).toBeUndefined();
  await redis.start();
  await whole();
});

test('given quota-mirror is killed, when quotas are published meanwhile, then requests pass and the values come with its return', async () => {
  gateway.signal('quota-mirror', 'SIGKILL');
  await publishQuota('tenant-meanwhile', 42);
  expect((await workflows(known)).status).toBe(200);
  expect(await quotaUsed('tenant-meanwhile')).toBeNull();
  gateway.startService('quota-mirror');
  await eventually(async () => expect(await quotaUsed('tenant-meanwhile')).toBe('42'), 30_000);
});

test('given config-registry is killed, when asked, then the edge serves; the next registry takes the next change', async () => {
  const before = (await gateway.admin('/config')).json<{ config: string }>().config;
  gateway.signal('config-registry', 'SIGKILL');
  expect((await workflows(known)).status).toBe(200);
  await expect(gateway.admin('/status')).rejects.toThrow(/ECONN/);
  const adminPort = new URL(gateway.ready.admin).port;
  gateway.startService('config-registry', { ADMIN_PORT: adminPort });
  await eventually(async () => expect((await gateway.admin('/status')).status).toBe(200), 30_000);
  expect((await gateway.admin('/config')).json<{ config: string }>().config).toBe(before);
  const posted = await gateway.admin('/config', multipart(before.replaceAll('/v1/rag', '/v1/rag2')));
  expect(posted.status).toBe(201);
  await whole();
});

test('given NATS is killed, when asked, then verified tokens pass without rate headers, unknown ones get 503, and all heals', async () => {
  const headers = await stranger();
  await workflows(known);
  await nats.kill();
  await eventually(async () => expect((await workflows(headers)).status).toBe(503));
  const verified = await workflows(known);
  expect(verified.status).toBe(200);
  expect(verified.headers['ratelimit-limit']).toBeUndefined();
  const edgeStatus = await gateway.admin('/config', multipart('_format_version: "3.0"\n'));
  expect(edgeStatus.status).toBe(503);
  const applied = await typeSluice(['apply', '-m', 'while NATS is away', '--data-dir', gateway.dataDir]);
  expect(applied).toMatchObject({
    code: 3,
    out: '',
    err: expect.stringContaining('configuration log cannot be written'),
  });
  expect((await workflows(known)).status).toBe(200);

  await nats.start();
  await whole();
  await publishQuota('tenant-after', 7);
  await eventually(async () => expect(await quotaUsed('tenant-after')).toBe('7'), 30_000);
  const { config } = (await gateway.admin('/config')).json<{ config: string }>();
  expect((await gateway.admin('/config', multipart(config))).status).toBe(201);
});
