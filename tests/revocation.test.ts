import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Answer, eventually, type ServerProcess, startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunningGateway, r1Headers, volley } from './gateway.ts';

const CLI = join(import.meta.dirname, '../cli/src/main.ts');
const PATH = '/v1/workflows';
const MANY = 24; // connections: enough to meet both edges

// One gateway of two edges; each test goes on where the one before ended.
let nats: ServerProcess;
let gateway: RunningGateway;
let stolen: string;

beforeAll(async () => {
  nats = await startNats();
  gateway = await RunningGateway.start(['--demo', '--edges', '2', '--restart=never', '--nats', nats.url]);
  await eventually(async () => {
    const metrics = (await gateway.admin('/metrics')).text;
    expect(metrics).toMatch(/^sluice_live_edges\{[^}]*\} 2$/m);
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** The status of each of many requests, each on a connection of its own. */
const statuses = async (token: string, tenant: string): Promise<Set<number>> =>
  new Set((await volley(gateway, PATH, r1Headers(token, tenant), MANY)).map(({ status }) => status));

const sluice = async (args: readonly string[], input = '') => {
  const child = spawn(process.execPath, [CLI, 'token', ...args, '--data-dir', gateway.dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code: code as number, out };
};

test('given a token that both edges remember, when its subject is revoked, then both refuse it as soon as the command ends', async () => {
  stolen = await gateway.token('tenant-1', 'user-1');
  const other = await gateway.token('tenant-1', 'user-2');
  expect(await statuses(stolen, 'tenant-1')).toEqual(new Set([200]));
  expect(await statuses(other, 'tenant-1')).toEqual(new Set([200]));

  const revoked = await sluice(['revoke', '--sub', 'user-1', '-m', 'laptop stolen', '--json']);

  expect(await statuses(stolen, 'tenant-1')).toEqual(new Set([401]));
  expect(await statuses(other, 'tenant-1')).toEqual(new Set([200]));
  expect(revoked.code).toBe(0);
  expect(JSON.parse(revoked.out)).toMatchObject({
    isNew: true,
    confirmation: { edges: { live: 2, confirmed: 2 }, auth: { live: 1, confirmed: 1 }, missing: [] },
  });
  const refusal = await gateway.get(PATH, r1Headers(stolen, 'tenant-1'));
  expect(refusal.json().message).toBe('Token revoked');
});

test('given the subject logs in again, then the new token passes', async () => {
  await eventually(async () => {
    const token = await gateway.token('tenant-1', 'user-1');
    expect(await statuses(token, 'tenant-1')).toEqual(new Set([200]));
  });
  expect(await statuses(stolen, 'tenant-1')).toEqual(new Set([401]));
});

test('given one token on standard input, then it alone is refused, and the list names it without showing it', async () => {
  const [token, twin] = [
    await gateway.token('tenant-3', 'user-3'),
    await gateway.token('tenant-3', 'user-3'),
  ];
  expect(await statuses(token, 'tenant-3')).toEqual(new Set([200]));

  const revoked = await sluice(['revoke', '--token', '-'], `${token}\n`);

  expect(revoked.out).toMatch(
    /^✔ revoked the token \S+ of \S+ · in force on 2 of 2 edges and 1 of 1 auth processes\n$/,
  );
  expect(await statuses(token, 'tenant-3')).toEqual(new Set([401]));
  expect(await statuses(twin, 'tenant-3')).toEqual(new Set([200]));
  const list = await sluice(['revocations']);
  expect(list.out).toContain('tokens of subject user-1 issued before');
  expect(list.out).toContain('laptop stolen');
  expect(list.out).not.toContain(token);
});

/** An edge that was started by hand does not know where the demo's upstreams are. */
const isVerified = ({ status, text: body }: Answer): boolean =>
  status === 200 || body.includes('name resolution failed');

/** Until a token of somebody else passes, and until every edge says so again, the stolen one never does. */
const neverPasses = async (): Promise<void> => {
  const tenant = `tenant-${crypto.randomUUID().slice(0, 8)}`;
  const fresh = await gateway.token(tenant, 'user-9');
  let hasPassed = false;
  const look = async (): Promise<Set<number>> => {
    const seen = await statuses(stolen, 'tenant-1').catch(() => new Set<number>());
    hasPassed ||= seen.has(200);
    return seen;
  };
  await eventually(async () => {
    await look();
    return isVerified(await gateway.get(PATH, r1Headers(fresh, tenant)));
  }, 30_000);
  // The other edge may be a moment later; until then it lets nobody in.
  await eventually(async () => expect(await look()).toEqual(new Set([401])), 30_000);
  expect(hasPassed).toBe(false);
};

test('given auth is killed and another instance starts, then the token is still refused', async () => {
  gateway.signal('auth', 'SIGKILL');
  gateway.startService('auth');
  await neverPasses();
});

test('given NATS is killed and comes back, then it is still refused, and so is what is revoked then', async () => {
  const token = await gateway.token('tenant-4', 'user-4');
  expect(await statuses(token, 'tenant-4')).toEqual(new Set([200]));
  await nats.kill();
  const refused = await sluice(['revoke', '--tenant', 'tenant-4', '--json']);
  expect(refused.code).toBe(3);
  await nats.start();
  await neverPasses();
  await eventually(
    async () => expect((await sluice(['revoke', '--tenant', 'tenant-4'])).code).toBe(0),
    30_000,
  );
  expect(await statuses(token, 'tenant-4')).toEqual(new Set([401]));
});

test('given both edges are killed and another starts, then the token is still refused', async () => {
  gateway.signal('edge-proxy', 'SIGKILL');
  gateway.startService('edge-proxy', { PROXY_PORT: new URL(gateway.ready.proxy).port });
  await neverPasses();
});
