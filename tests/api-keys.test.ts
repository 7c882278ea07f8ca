import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Answer, call, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunningGateway } from './gateway.ts';

const CLI = join(import.meta.dirname, '../cli/src/main.ts');
const MANY = 16; // connections: enough to meet both edges

// One gateway of two edges; each test goes on where the one before ended.
let upstream: Server;
let gateway: RunningGateway;

const load = async () => {
  const { port } = upstream.address() as { port: number };
  const route = {
    name: 'all',
    paths: ['/'],
    plugins: [{ name: 'key-auth', config: { hide_credentials: true } }],
  };
  const body = JSON.stringify({
    _format_version: '3.0',
    services: [{ name: 'echo', url: `http://127.0.0.1:${port}`, routes: [route] }],
    consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'slk_alices-own' }] }],
  });
  const headers = { 'content-type': 'application/json' };
  expect((await gateway.admin('/config', { method: 'POST', headers, body })).status).toBe(201);
};

beforeAll(async () => {
  upstream = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  gateway = await RunningGateway.start(['--no-demo', '--config', 'none', '--edges', '2', '--restart=never']);
  await eventually(async () => {
    expect((await gateway.admin('/metrics')).text).toMatch(/^sluice_live_edges\{[^}]*\} 2$/m);
  });
  await load();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

/** One command of `sluice keys`: its exit code and what it printed. */
const keys = async (...args: readonly string[]) => {
  const child = spawn(process.execPath, [CLI, 'keys', ...args, '--data-dir', gateway.dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, out: out.trim(), err };
};
const create = async (...more: readonly string[]) =>
  (await keys('create', '--tenant', 'acme', '--name', 'billing', ...more)).out;
const idIn = (key: string) => key.split('_')[1] ?? '';

const present = (apikey: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call(gateway.ready.proxy, '/', { headers: { apikey, ...headers } });
/** The statuses of many requests, each on a connection of its own. */
const statuses = async (apikey: string) =>
  new Set(
    (await Promise.all(Array.from({ length: MANY }, () => present(apikey)))).map(({ status }) => status),
  );

test('given a key that was just made, then both edges take it for its tenant, and nobody else is told the key', async () => {
  const key = await create('--platform', 'platform-1');
  expect(key).toMatch(/^slk_[0-9a-f]{24}_[A-Za-z0-9_-]{51}$/);
  expect(await statuses(key)).toEqual(new Set([200]));
  const answer = await present(key);
  expect(answer.json()).toMatchObject({
    'x-tenant-id': 'acme',
    'x-platform-id': 'platform-1',
    'x-credential-identifier': idIn(key),
  });
  expect(answer.text).not.toContain(key);
  expect((await present(key, { 'x-tenant-id': 'other' })).status).toBe(403);
  expect((await present('slk_alices-own')).json()).toMatchObject({ 'x-consumer-username': 'alice' });
});

test('given text that is nearly a key, then Kong’s 401', async () => {
  const key = await create();
  const other = await create();
  const swapped = `slk_${idIn(other)}_${key.slice(29)}`;
  const another = key[40] === 'A' ? 'B' : 'A';
  for (const wrong of [
    `${key}x`,
    key.slice(0, -1),
    `${key.slice(0, 40)}${another}${key.slice(41)}`,
    swapped,
    'slk_',
    key.toUpperCase(),
  ])
    expect(await present(wrong), wrong).toMatchObject({
      status: 401,
      text: expect.stringContaining('"message":"Unauthorized"'),
    });
});

test('given a key that is rotated, then old and new pass in the grace, and without one the old stops at once', async () => {
  const first = await create();
  expect(await statuses(first)).toEqual(new Set([200]));
  const { out: second, err } = await keys('rotate', idIn(first), '--grace', '600');
  expect(err).toContain(`key ${idIn(first)} is rotated`);
  for (const key of [first, second]) expect(await statuses(key)).toEqual(new Set([200]));
  const { out: third } = await keys('rotate', idIn(second), '--grace', '0');
  expect(await statuses(second)).toEqual(new Set([401]));
  expect(await statuses(third)).toEqual(new Set([200]));
  const again = await keys('rotate', idIn(second));
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('rotate its successor') });
});

test('given a key that is revoked, then both edges refuse it as soon as the command ends', async () => {
  const key = await create();
  expect(await statuses(key)).toEqual(new Set([200]));
  const revoked = await keys('revoke', idIn(key), '--json');
  expect(await statuses(key)).toEqual(new Set([401]));
  expect(JSON.parse(revoked.out)).toMatchObject({
    key: { state: 'revoked' },
    confirmation: { edges: { live: 2, confirmed: 2 }, auth: { live: 1, confirmed: 1 }, missing: [] },
  });
});

test('given a key with an end, then it stops there', async () => {
  const key = await create('--ttl', '1');
  await eventually(async () => (await present(key)).status === 401);
});

test('given keys, when they are listed or the configuration is replaced, then none is lost and none is shown', async () => {
  const key = await create('--platform', 'p');
  expect((await present(key)).status).toBe(200);
  await load();
  expect((await present(key)).status).toBe(200);
  await eventually(async () => {
    const { out } = await keys('list', '--tenant', 'acme', '--json');
    const listed = (JSON.parse(out) as { data: { id: string; lastUsedAt: string | null }[] }).data;
    expect(listed.find(({ id }) => id === idIn(key))?.lastUsedAt).toEqual(expect.any(String));
    expect(out).not.toMatch(/hash|slk_/);
  });
  expect(JSON.parse((await keys('list', '--tenant', 'nobody', '--json')).out)).toEqual({
    data: [],
    total: 0,
  });
  for (const name of ['auth', 'config-registry', 'edge-proxy'])
    expect(readFileSync(join(gateway.dataDir, 'logs', `${name}.log`), 'utf8')).not.toContain('slk_');
  expect(statSync(join(gateway.dataDir, 'api-key-pepper')).mode & 0o777).toBe(0o600);
});

test('given a request that cannot be meant, then the answer names the field', async () => {
  const post = (path: string, body: unknown) =>
    gateway.admin(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post('/sluice/keys', { tenant: 'a b', nam: 'x' })).json()).toEqual({
    error: {
      code: 'invalid_request',
      message: expect.stringMatching(/tenant: printable ASCII without blanks.*name: .*"nam"/),
      details: {},
    },
  });
  expect((await post('/sluice/keys/0123/rotate', {})).json()).toMatchObject({
    error: { code: 'key_unknown' },
  });
});
