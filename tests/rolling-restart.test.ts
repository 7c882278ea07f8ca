import { Agent, request } from 'node:http';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from './conformance/world.ts';
import { isAlive } from './gateway.ts';

const CLIENTS = 16;

/** Clients that keep their connections and ask without a pause; what went wrong, and how many answers came. */
const startClients = (origin: string, path: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const { hostname: host, port } = new URL(origin);
  const wrong: string[] = [];
  let answers = 0;
  let isAsking = true;
  const ask = () =>
    new Promise<void>((done) => {
      const outgoing = request({ agent, host, port, path }, (answer) => {
        if (answer.statusCode !== 200) wrong.push(`status ${answer.statusCode}`);
        answer.resume().once('error', (error) => wrong.push(`answer: ${error.message}`));
        answer.once('close', () => {
          answers += 1;
          done();
        });
      });
      outgoing.once('error', (error) => {
        wrong.push(error.message);
        done();
      });
      outgoing.end();
    });
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (isAsking) await ask();
  });
  return {
    answers: () => answers,
    stop: async () => {
      isAsking = false;
      await Promise.all(clients);
      agent.destroy();
      return wrong;
    },
  };
};

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
  const clients = startClients(ready.proxy, '/all');
  const answered = async (more: number) => {
    const from = clients.answers();
    await eventually(() => clients.answers() > from + more);
  };
  await answered(200);
  for (const pid of ready.pids['edge-proxy']) {
    process.kill(pid, 'SIGTERM');
    await eventually(() => !isAlive(pid), 30_000);
    await answered(200);
    await bothServe();
  }
  await answered(200);
  expect(await clients.stop()).toEqual([]);
}, 120_000);
