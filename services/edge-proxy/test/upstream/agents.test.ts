import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freshAgents } from '../../src/upstream/agents.ts';
import { Upstream } from '../edge-world.ts';

test('given requests on fresh connections, one after the other, then each has a connection of its own', async () => {
  await using upstream = await Upstream.start();
  for (let i = 0; i < 2; i++) {
    const sent = request(upstream.url, { agent: freshAgents['http:'] }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    await setImmediate(); // the connection goes back to its pool a turn later
  }
  const ports = upstream.received.map(({ socket }) => socket.remotePort);
  expect(new Set(ports).size).toBe(2);
});
