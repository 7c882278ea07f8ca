import { expect, test } from 'vitest';
import { call, EdgeWorld, route, service, Upstream } from './edge-world.ts';

test('given baggage of a client, then upstreams get it from those who are trusted, or where it is passed on, and nothing else is lost', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
  await world.addEdge({ BAGGAGE: 'pass' });
  await world.addEdge({ TRUSTED_IPS: '127.0.0.1' });
  await world.settled();
  const headers = { Baggage: 'user=somebody-else', tracestate: 'a=b', 'x-baggage': 'mine' };

  for (const { ports } of world.edges) await call(ports.proxy, '/', { headers });

  const seen = upstream.received.map(({ headers: { baggage, tracestate, 'x-baggage': own } }) => ({
    ...{ baggage, tracestate, own },
  }));
  expect(seen).toEqual([
    { baggage: undefined, tracestate: 'a=b', own: 'mine' },
    { baggage: 'user=somebody-else', tracestate: 'a=b', own: 'mine' },
    { baggage: 'user=somebody-else', tracestate: 'a=b', own: 'mine' },
  ]);
});
