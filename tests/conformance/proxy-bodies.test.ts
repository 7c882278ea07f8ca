import { createHash } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchangeRaw, RawUpstream, splitRaw } from './raw.ts';
import { World } from './world.ts';

/** Ends the answer of `/stream` when a test says so. */
let goOn: () => void = () => undefined;

/** Answers that come bit by bit, and a digest of what it is sent. */
const startServer = async (): Promise<Server> => {
  const server = createServer((incoming, response) => {
    const [, kind] = incoming.url?.split('/') ?? [];
    if (kind === 'digest') {
      const digest = createHash('sha256');
      incoming.on('data', (chunk: Buffer) => digest.update(chunk));
      incoming.on('end', () => response.end(digest.digest('hex')));
    } else if (kind === 'events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
      response.write('data: one\n\n');
      goOn = () => response.end('data: two\n\n');
    } else if (kind === 'trailers') {
      response.writeHead(200, { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '42' });
      response.end();
    } else {
      // Steadily, though not within read_timeout as a whole.
      const timer = setInterval(() => response.write('.'), 50);
      setTimeout(() => {
        clearInterval(timer);
        response.end('done');
      }, 2500);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
};

let world: World;
let server: Server;
let broken: RawUpstream;
beforeAll(async () => {
  [world, server] = await Promise.all([World.shared(), startServer()]);
  broken = await RawUpstream.start((socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part'),
  );
  const { port } = server.address() as AddressInfo;
  await world.load({
    services: [
      world.service('echo', [
        { name: 'echo', paths: ['/echo'] },
        { name: 'unbuffered', paths: ['/unbuffered'], request_buffering: false, response_buffering: false },
      ]),
      world.service('bits', [{ name: 'bits', paths: ['/'] }], { port }),
      world.service('steady', [{ paths: ['/steady'], strip_path: false }], { port, read_timeout: 1000 }),
      world.service('broken', [{ paths: ['/broken'] }], { port: broken.port }),
    ],
  });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await broken[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const raw = (text: string) => exchangeRaw(world.gateway.ready.proxy, text);

test.each(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT'].flatMap((method) => [
    { method, framing: 'content-length', headers: { 'content-length': '7' } },
    { method, framing: 'chunks', headers: { 'transfer-encoding': 'chunked' } },
  ]),
)('given a body by $framing, when sent by $method, then it arrives whole', async ({ method, headers }) => {
  for (const path of ['/echo', '/unbuffered']) {
    const { seen } = await world.through(path, { method, headers, body: 'a\r\nb=\u00e9' });
    expect(seen).toMatchObject({ method, body: 'a\r\nb=\u00e9' });
  }
});

test('given 20 MB in either framing, then every byte arrives', async () => {
  const body = Buffer.alloc(20_000_000, 'sluice');
  const expected = createHash('sha256').update(body).digest('hex');
  for (const headers of [{ 'content-length': `${body.length}` }, { 'transfer-encoding': 'chunked' }])
    expect((await world.ask('/digest', { method: 'POST', headers, body })).text).toBe(expected);
});

test('given Expect: 100-continue, then the client is told to go on and the body arrives', async () => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(world.gateway.ready.proxy).port) });
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString();
  });
  socket.write(
    'POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
  );
  await eventually(() => got.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  socket.write('body');
  await eventually(() => socket.destroyed);
  expect(got).toContain('\r\n\r\nHTTP/1.1 200 OK\r\n');
  expect(world.upstream.seen.at(-1)).toMatchObject({ body: 'body', method: 'POST' });
  expect(world.upstream.seen.at(-1)?.headers.expect).toBeUndefined();
});

test('given an event stream, then the first event comes before the second was sent', async () => {
  const events: string[] = [];
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const outgoing = request({ hostname, port, path: '/events', agent: false }, (answer) => {
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.headers['x-accel-buffering']).toBeUndefined();
    answer.on('data', (chunk: Buffer) => events.push(chunk.toString()));
  });
  outgoing.end();
  await eventually(() => expect(events.join('')).toBe('data: one\n\n'));
  goOn();
  await eventually(() => expect(events.join('')).toBe('data: one\n\ndata: two\n\n'));
});

test.each([
  { te: 'trailers', trailers: true },
  { te: 'gzip', trailers: false },
  { te: undefined, trailers: false },
])('given TE $te, then trailers of the upstream reach the client: $trailers', async ({ te, trailers }) => {
  const line = te === undefined ? '' : `TE: ${te}\r\n`;
  const answer = await raw(`GET /trailers HTTP/1.1\r\nHost: h\r\nConnection: close, TE\r\n${line}\r\n`);
  expect(splitRaw(answer).head.some((name) => /^trailer: x-sum$/i.test(name))).toBe(trailers);
  expect(/^x-sum: 42\r$/im.test(answer)).toBe(trailers);
  expect(splitRaw(answer).body).toMatch(/^4\r\nbody\r\n0\r\n/);
});

test('given an HTTP/1.0 client, then a chunked answer comes without chunks and the connection ends', async () => {
  const { head, body } = splitRaw(await raw('GET /trailers HTTP/1.0\r\n\r\n'));
  expect(head.some((line) => /^transfer-encoding/i.test(line))).toBe(false);
  expect(body).toBe('body');
});

test('given an answer that is compressed, then its bytes pass as they are', async () => {
  const zipped = gzipSync('plain text');
  const headers = { 'Content-Encoding': 'gzip', 'Content-Length': `${zipped.length}` };
  world.upstream.answerWith('zipped', { body: zipped, headers });
  const answer = await world.ask('/echo?script=zipped', { headers: { 'accept-encoding': 'gzip' } });
  expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': `${zipped.length}` });
  expect(answer.text).toBe(zipped.toString());
});

test('given an upstream that breaks off in mid-answer, then the client’s connection breaks too', async () => {
  await expect(world.ask('/broken')).rejects.toThrow();
});

test('given an answer whose bytes keep coming, then read_timeout counts between two of them, not in all', async () => {
  expect((await world.ask('/steady')).text).toMatch(/^\.{9,}done$/);
});

test('given several requests on one connection, sent without waiting, then answers come in order', async () => {
  const ask = (n: number, last = '') => `GET /echo/${n} HTTP/1.1\r\nHost: h\r\n${last}\r\n`;
  const answer = await raw(`${ask(1)}${ask(2)}${ask(3, 'Connection: close\r\n')}`);
  expect([...answer.matchAll(/"url":"\/(\d)"/g)].map(([, n]) => n)).toEqual(['1', '2', '3']);
});

test('given something malformed behind a request, then that request is answered and the connection ends', async () => {
  const answer = await raw('GET /echo/1 HTTP/1.1\r\nHost: h\r\n\r\nthis is no HTTP\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/"body":""\}\r\n0\r\n\r\n$/);
});

test('given a chunked body that turns malformed, then 400 and the upstream never sees a whole request', async () => {
  const before = world.upstream.seen.length;
  const head = 'POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(await raw(`${head}3\r\nabc\r\nzz\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(world.upstream.seen.length).toBe(before);
});
