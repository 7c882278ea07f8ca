import { type Answer, call, eventually, freePort } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.ts';

/* The status port of an edge, Kong's 8007 (kong-compat 5.4, 4.11). */

let world: World;
beforeAll(async () => {
  world = await World.start();
  await world.load({ services: [world.service('echo', [{ name: 'echo', paths: ['/echo'] }])] });
});
afterAll(() => world[Symbol.asyncDispose]());

interface StartedEdge {
  readonly proxy: string;
  readonly ask: (path: string, method?: string) => Promise<Answer>;
  readonly pid: number;
}
/** One more edge, whose ports are known. */
const startEdge = async (env: NodeJS.ProcessEnv = {}): Promise<StartedEdge> => {
  const [proxy, status] = [await freePort(), await freePort()];
  const before = new Set(world.gateway.edgePids);
  world.gateway.startService('edge-proxy', {
    PROXY_HOST: '127.0.0.1',
    PROXY_PORT: `${proxy}`,
    STATUS_PORT: `${status}`,
    DATA_DIR: `${world.gateway.dataDir}/edge-${status}`,
    ...env,
  });
  const ask = (path: string, method = 'GET') => call(`http://127.0.0.1:${status}`, path, { method });
  await eventually(async () => (await ask('/status')).status === 200);
  const pid = world.gateway.edgePids.find((one) => !before.has(one)) ?? 0;
  return { proxy: `http://127.0.0.1:${proxy}`, ask, pid };
};

test('/status, /status/ready and /metrics: given an edge that serves, then they tell of it', async () => {
  const edge = await startEdge();
  await eventually(async () => (await call(edge.proxy, '/echo')).status === 200);

  const ready = await edge.ask('/status/ready');
  expect({ status: ready.status, text: ready.text }).toEqual({ status: 200, text: '{"message":"ready"}' });
  expect(ready.headers['content-type']).toBe('application/json; charset=utf-8');
  const { configuration_hash: hash } = (await world.admin('/status')).json();
  const status = await edge.ask('/status?unit=b');
  expect(status.json()).toMatchObject({
    memory: {
      lua_shared_dicts: { kong: { capacity: expect.any(Number), allocated_slabs: expect.any(Number) } },
      workers_lua_vms: [{ pid: expect.any(Number), http_allocated_gc: expect.any(Number) }],
    },
    server: {
      connections_accepted: expect.any(Number),
      connections_active: expect.any(Number),
      connections_handled: expect.any(Number),
      connections_reading: expect.any(Number),
      connections_writing: expect.any(Number),
      connections_waiting: expect.any(Number),
      total_requests: expect.any(Number),
    },
    configuration_hash: hash,
  });
  const bad = await edge.ask('/status?unit=V');
  expect([bad.status, bad.json()]).toEqual([
    400,
    { message: "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')" },
  ]);
  const metrics = await edge.ask('/metrics');
  expect(metrics.headers['content-type']).toBe('text/plain; charset=UTF-8');
  expect(metrics.text).toMatch(/^kong_datastore_reachable 1$/m);
});

test.each([
  { method: 'GET', path: '/services', status: 404, message: 'Not found' },
  { method: 'POST', path: '/status', status: 405, message: 'Method not allowed' },
])('$method $path is $status: the status port changes and shows nothing else', async (row) => {
  const edge = await startEdge();
  const answer = await edge.ask(row.path, row.method);
  expect([answer.status, answer.json()]).toEqual([row.status, { message: row.message }]);
});

test('/status/ready: given no configuration, then 503 says so', async () => {
  const edge = await startEdge({ NATS_URL: `nats://127.0.0.1:${await freePort()}` });
  const { status, text } = await edge.ask('/status/ready');
  expect(status).toBe(503);
  expect(text).toBe('{"message":"no configuration yet"}');
});

test('/status/ready: given an edge that is told to end, then 503 "draining" while it still answers', async () => {
  const edge = await startEdge({ SHUTDOWN_DELAY_MS: '10000' });
  await eventually(async () => (await edge.ask('/status/ready')).status === 200);
  process.kill(edge.pid, 'SIGTERM');
  await eventually(async () => {
    const { status, text } = await edge.ask('/status/ready');
    expect([status, text]).toEqual([503, '{"message":"draining"}']);
  });
  expect((await call(edge.proxy, '/echo')).status).toBe(200);
});
