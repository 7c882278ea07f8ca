import http2 from 'node:http2';
import { connect } from 'node:net';
import { edgeDecision } from '@sluice/contracts';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { EdgeWorld, type Entities, plugin, route, service, Upstream } from '../edge-world.ts';
import { TLS, tlsPort } from '../tls-world.ts';

const LARGE = 300_000;
const through = ({ url }: Upstream): Entities => {
  const to = service('up', url);
  const routes = ['small', 'large'].map((name) => route(name, to, { paths: [`/${name}`] }));
  return { services: [to], routes, plugins: [plugin('prometheus', { bandwidth_metrics: true })] };
};

const recordsOf = async ({ bus }: EdgeWorld) => {
  const [answer] = await bus.scatter(edgeDecision, { limit: 100 }, 1);
  return answer?.records ?? [];
};

/** What Kong's family says of a route, in bytes. */
const bandwidth = async ({ edges }: EdgeWorld, of: string, direction: 'ingress' | 'egress') => {
  const text = await (await fetch(`http://127.0.0.1:${edges[0]?.ports.status}/metrics`)).text();
  const line = new RegExp(
    `^kong_bandwidth_bytes\\{service="up",route="${of}",direction="${direction}".* (\\d+)$`,
    'm',
  );
  return Number(line.exec(text)?.[1]);
};

test('given requests that share a connection of HTTP/2, then each is charged with its own bytes', async () => {
  // The small one is open for as long as the large one takes both ways.
  const held = Promise.withResolvers<void>();
  await using upstream = await Upstream.start((request, response) => {
    request.resume().once('end', () => {
      if (request.url === '/small') void held.promise.then(() => response.end('ok'));
      else response.end(Buffer.alloc(LARGE, 'a'));
    });
  });
  await using world = await EdgeWorld.start(through(upstream), TLS);
  const session = http2.connect(`https://localhost:${tlsPort(world)}`, { rejectUnauthorized: false });
  const whole = (stream: http2.ClientHttp2Stream) =>
    new Promise((resolve, reject) => stream.resume().once('close', resolve).once('error', reject));
  const small = whole(session.request({ ':path': '/small' }));
  await eventually(() => expect(upstream.received).toHaveLength(1));
  const upload = session.request({ ':path': '/large', ':method': 'POST' });
  upload.end(Buffer.alloc(LARGE, 'b'));
  await whole(upload);
  held.resolve();
  await small;
  session.close();

  await eventually(async () => expect(await recordsOf(world)).toHaveLength(2));
  const bytes = new Map((await recordsOf(world)).map(({ path, bytes: of }) => [path, of]));
  expect(bytes.get('/small')?.in).toBe(0);
  expect(bytes.get('/small')?.out).toBeLessThan(2000);
  expect(bytes.get('/large')?.in).toBe(LARGE);
  expect(bytes.get('/large')?.out).toBeGreaterThanOrEqual(LARGE);
  for (const direction of ['ingress', 'egress'] as const) {
    expect(await bandwidth(world, 'small', direction)).toBeLessThan(2000);
    expect(await bandwidth(world, 'large', direction)).toBeGreaterThanOrEqual(LARGE);
  }
});

test('given a request without a body, when the next one follows at once on its connection, then that is not its body', async () => {
  const held = Promise.withResolvers<void>();
  await using upstream = await Upstream.start((request, response) => {
    const until = request.url === '/small' ? held.promise : Promise.resolve();
    void until.then(() => response.end('ok'));
  });
  await using world = await EdgeWorld.start(through(upstream));
  const socket = connect(world.port, '127.0.0.1');
  socket.resume().write('GET /small HTTP/1.1\r\nhost: a\r\n\r\n');
  await eventually(() => expect(upstream.received).toHaveLength(1));
  await new Promise((written) =>
    socket.write(
      `POST /large HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n${'c'.repeat(20_000)}`,
      written,
    ),
  );
  held.resolve();

  await eventually(async () => expect(await recordsOf(world)).toHaveLength(2));
  socket.destroy();
  const bytes = new Map((await recordsOf(world)).map(({ path, bytes: { in: read } }) => [path, read]));
  expect([bytes.get('/small'), bytes.get('/large')]).toEqual([0, 20_000]);
});
