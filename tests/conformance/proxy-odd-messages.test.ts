import { connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchangeRaw, RawUpstream, splitRaw } from './raw.ts';
import { World } from './world.ts';

const chunked = 'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n';

/** What upstreams answer, by the name of their route. */
const ANSWERS = {
  'until-close': 'HTTP/1.1 200 OK\r\nX-Kind: until-close\r\n\r\nbody',
  'old-http': 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody',
  hints: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n${chunked}`,
  continued: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${chunked}`,
  reason: 'HTTP/1.1 299 Quite Fine\r\nContent-Length: 4\r\n\r\nbody',
  empty: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  latin: 'HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 4\r\n\r\nbody',
  switched: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  lengths: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody!',
  'too-early': 'HTTP/1.1 413 Too Much\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop',
} as const;

let world: World;
let got = '';
const upstreams: RawUpstream[] = [];
beforeAll(async () => {
  world = await World.shared();
  const services: object[] = [world.service('echo', [{ paths: ['/echo'] }])];
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const upstream = await RawUpstream.start((socket: Socket, first) => {
      got = first;
      socket.end(answer, 'latin1');
    });
    upstreams.push(upstream);
    services.push(world.service(name, [{ paths: [`/${name}`] }], { port: upstream.port }));
  }
  await world.load({ services });
});
afterAll(async () => {
  for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

test.each([
  { path: '/until-close', status: 200, text: 'body' },
  { path: '/old-http', status: 200, text: 'body' },
  { path: '/hints', status: 200, text: 'body' },
  { path: '/continued', status: 200, text: 'body' },
  { path: '/reason', status: 299, text: 'body' },
  { path: '/empty', status: 200, text: '' },
])('given an upstream that answers as $path, then the client has $status', async ({ path, status, text }) => {
  expect(await world.ask(path)).toMatchObject({ status, text });
});

test.each(['/switched', '/lengths'])('given an upstream that answers as %s, then 502', async (path) => {
  const answer = await world.ask(path);
  expect(answer.status).toBe(502);
  expect(answer.text).toMatch(/^An invalid response was received from the upstream server\n/);
});

test('given a reason phrase, then it passes', async () => {
  const head = 'GET /reason HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  expect(await exchangeRaw(world.gateway.ready.proxy, head)).toMatch(/^HTTP\/1\.1 299 Quite Fine\r\n/);
});

/** The bytes that come back, as one character each. */
const bytesFor = (request: string): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(world.gateway.ready.proxy);
    let text = '';
    connect({ host: hostname, port: Number(port) })
      .on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      })
      .once('close', () => resolve(text))
      .write(request, 'latin1');
  });

test('given bytes beyond ASCII in headers and odd characters in the query, then both ends see them as they are', async () => {
  const answer = await bytesFor(
    'GET /latin/x?a="<|>^`{}\\[] HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Mine: na\xefve\r\n\r\n',
  );
  expect(splitRaw(answer).head).toContain('X-Name: caf\xe9');
  const { head } = splitRaw(got);
  expect(head[0]).toBe('GET /x?a="<|>^`{}\\[] HTTP/1.1');
  expect(head).toContain('X-Mine: na\xefve');
});

test('given an answer before the body was sent, then the client has that answer', async () => {
  const body = Buffer.alloc(8_000_000, 'x');
  const head = `PUT /too-early HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => undefined);
  socket.write(head);
  socket.write(body);
  await eventually(() => expect(text).toMatch(/^HTTP\/1\.1 413 Too Much\r\n[\s\S]*\r\n\r\nstop$/));
  socket.destroy();
});

test('given a client that leaves in mid-body, then the upstream never sees a whole request', async () => {
  const before = world.upstream.seen.length;
  const connections = world.upstream.connections;
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly a part');
  await eventually(() => world.upstream.connections > connections);
  socket.destroy();
  expect((await world.ask('/echo?after=1')).status).toBe(200);
  expect(world.upstream.seen.slice(before).map(({ method }) => method)).toEqual(['GET']);
});
