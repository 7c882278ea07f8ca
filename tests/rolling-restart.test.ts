import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from './conformance/world.ts';
import { startLoad } from './faults/edge-clients.ts';
import { isAlive } from './gateway.ts';

test('given edges on one port under load, when they are restarted one after the other, then no request fails', async () => {
  await using world = await World.start({}, ['--edges', '2']);
  const document = {
    _format_version: '3.0',
    services: [world.service('echo', [{ name: 'all', paths: ['/all'] }])],
  };
  const bothServe = () =>
    eventually(async () => {
      const { headers } = await world.post('/config', document);
      return headers['x-sluice-acknowledged'] === '2/2';
    }, 30_000);
  await bothServe();
  const { ready } = world.gateway;
  const load = startLoad(ready.proxy, '/all');
  await load.answered(200);
  for (const pid of ready.pids['edge-proxy']) {
    process.kill(pid, 'SIGTERM');
    await eventually(() => !isAlive(pid), 30_000);
    await load.answered(200);
    await bothServe();
  }
  await load.answered(200);
  expect(await load.stop()).toEqual([]);
}, 120_000);
