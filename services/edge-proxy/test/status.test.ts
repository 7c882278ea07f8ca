import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, route, service, Upstream } from './edge-world.ts';

test('the status port answers as Kong’s: status, readiness', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${world.edges[0]?.ports.status}${path}`);
    return { status: answer.status, body: (await answer.json()) as object };
  };
  await call(world.port, '/');

  expect(await get('/status/ready')).toEqual({ status: 200, body: { message: 'ready' } });
  expect(await get('/status?unit=k')).toMatchObject({
    status: 200,
    body: {
      memory: {
        workers_lua_vms: [{ pid: process.pid, http_allocated_gc: expect.stringMatching(/^\d+\.\d\d KiB$/) }],
      },
      server: { connections_accepted: 1, connections_handled: 1, total_requests: 1 },
      database: { reachable: true },
      configuration_hash: expect.stringMatching(/^[0-9a-f]{32}$/),
      generation: 'r1',
    },
  });
  expect(await get('/status?unit=V')).toMatchObject({ status: 400 });
});

test('given an edge that is told to end, then it says so, and serves whoever has not heard of it until its delay is over', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start(
    { services: [to], routes: [route('all', to)] },
    { SHUTDOWN_DELAY_MS: '4000', DRAIN_TIMEOUT_MS: '0' },
  );
  const edge = world.edges.pop();
  if (edge === undefined) throw new Error('no edge was started');
  const readiness = async () => (await fetch(`http://127.0.0.1:${edge.ports.status}/readyz`)).status;
  expect(await readiness()).toBe(200);

  const stopped = edge.stop();

  await eventually(async () => expect(await readiness()).toBe(503));
  // On a connection of its own, as from a balancer that has not asked yet.
  expect((await call(edge.ports.proxy, '/')).status).toBe(200);
  await stopped;
  await expect(call(edge.ports.proxy, '/')).rejects.toThrow('ECONNREFUSED');
});
