import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import { boundUnwantedBody } from '../src/lingering-close.ts';
import { call, EdgeWorld, ENGINES, forwardBy, raw, route, service, Upstream } from './edge-world.ts';
import { TLS, throughTo, tlsPort } from './tls-world.ts';

const REQUEST = 'POST / HTTP/1.1\r\nHost: a\r\n';

/** Writes a piece again and again until the edge ends the connection; resolves with what came back. */
const pour = (port: number, start: string, piece: string): Promise<{ text: string; sent: number }> =>
  new Promise((resolve) => {
    let text = '';
    let sent = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write(start, more));
    const more = (): void => {
      if (socket.destroyed || socket.writableEnded) return;
      sent += piece.length;
      socket.write(piece, () => setImmediate(more)); // the edge is on the same event loop
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => resolve({ text, sent }));
  });

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given clients that are slow with their heads, then they are cut, and an honest one is served meanwhile', async () => {
    await using upstream = await Upstream.start();
    const to = service('up', upstream.url);
    const settings = { HEADERS_TIMEOUT_MS: '400' };
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] }, settings);
    const slow = Array.from({ length: 200 }, () => raw(world.port, 'GET / HTTP/1.1\r\nHo'));
    expect((await call(world.port, '/')).status).toBe(200);
    for (const text of await Promise.all(slow)) expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('given more connections than there may be, then the others are closed at once, until some go', async () => {
    await using upstream = await Upstream.start();
    const to = service('up', upstream.url);
    const settings = { MAX_CONNECTIONS: '20' };
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] }, settings);
    const open: Socket[] = Array.from({ length: 60 }, () =>
      connect(world.port, '127.0.0.1').on('error', () => undefined),
    );
    await eventually(() => expect(open.filter((socket) => socket.closed).length).toBe(40));
    for (const socket of open) socket.destroy();
    await eventually(async () => expect((await call(world.port, '/')).status).toBe(200));
  });

  test.each([
    ['nothing', ''],
    ['half a head', 'GET / HTTP/1.1\r\nHo'],
    ['what is no HTTP', '\0\r\n\r\n'],
    ['a request that is refused', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['an upgrade that is refused', 'GET /none HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'],
  ])(
    'given clients that send %s, read nothing and never close, then their places are given to others',
    async (_, text) => {
      await using upstream = await Upstream.start();
      const to = service('up', upstream.url);
      const settings = { MAX_CONNECTIONS: '20', HEADERS_TIMEOUT_MS: '400' };
      await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] }, settings);
      const held: Socket[] = [];
      const isServed = () =>
        call(world.port, '/', { headers: { connection: 'close' } }).then(
          ({ status }) => status === 200,
          () => false,
        );
      // Until no place is left: whoever asks meanwhile may have taken one.
      await eventually(async () => {
        const socket = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
        held.push(socket.on('error', () => undefined));
        await once(socket, 'connect');
        return held.length >= 20 && !(await isServed());
      });
      for (const socket of held) socket.write(text);
      await eventually(isServed);
      for (const socket of held) socket.destroy();
    },
  );

  test.each([
    ['a head', REQUEST, 'X-A: 1\r\n'.repeat(1000)],
    ['a line', `${REQUEST}X-A: `, 'a'.repeat(8000)],
    ['a target', 'GET /', 'a'.repeat(8000)],
    ['a method', '', 'GET'.repeat(1000)],
    ['a chunk extension', `${REQUEST}Transfer-Encoding: chunked\r\n\r\n5;`, 'a'.repeat(8000)],
    ['trailers', `${REQUEST}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X-A: 1\r\n'.repeat(1000)],
  ])('given %s without end, then it is cut soon', async (_, start, piece) => {
    await using upstream = await Upstream.start();
    const to = service('up', upstream.url);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    const { sent } = await pour(world.port, start, piece);
    expect(sent).toBeLessThan(10_000_000); // what the system's own buffers hold, and no more
    expect((await call(world.port, '/')).status).toBe(200);
  });

  test('given a request that is answered and goes on without end, then its connection is cut', async () => {
    await using server = await new Promise<Server>((resolve) => {
      const listening = createServer((request, response) => {
        boundUnwantedBody(request, 300);
        response.end('enough');
      }).listen(0, '127.0.0.1', () => resolve(listening));
    });
    const { port } = server.address() as AddressInfo;
    const start = `${REQUEST}Transfer-Encoding: chunked\r\n\r\n`;
    const { text } = await pour(port, start, '0'.repeat(8000)); // zeros before a chunk's size have no end
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*enough/);
  });

  test('given a body that trickles, then it is cut with 408 and its upstream freed, and one that flows passes', async () => {
    const hungUp: string[] = [];
    await using upstream = await Upstream.start((incoming, response) => {
      incoming.on('close', () => {
        if (!incoming.complete) hungUp.push(incoming.url ?? '');
      });
      incoming.resume().on('end', () => response.end('all of it'));
    });
    const to = service('up', upstream.url);
    const settings = { BODY_TIMEOUT_MS: '400' };
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] }, settings);
    const drip = (path: string, piece: string) =>
      new Promise<string>((resolve) => {
        let text = '';
        const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
        const socket = connect(world.port, '127.0.0.1', () => socket.write(head));
        let left = 60;
        const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`;
        const dripping = setInterval(() => socket.write(left-- > 0 ? chunk : '0\r\n\r\n'), 20);
        socket.on('data', (bytes: Buffer) => {
          text += bytes.toString('latin1');
        });
        socket.on('error', () => undefined);
        socket.once('close', () => {
          clearInterval(dripping);
          resolve(text);
        });
      });
    const [slow, steady] = await Promise.all([drip('/slow', 'x'), drip('/steady', 'x'.repeat(4000))]);
    expect(slow).toMatch(/^HTTP\/1\.1 408 /);
    expect(steady).toMatch(/^HTTP\/1\.1 200 [\s\S]*all of it/);
    await eventually(() => expect(hungUp).toEqual(['/slow']));
  });

  test('given a body that trickles over HTTP/2, then its stream ends with 408 and its upstream is freed, and one that flows passes', async () => {
    await using upstream = await Upstream.start();
    const settings = { ...TLS, BODY_TIMEOUT_MS: '400' };
    await using world = await EdgeWorld.start(throughTo(upstream), settings);
    const session = http2.connect(`https://localhost:${tlsPort(world)}`, { rejectUnauthorized: false });
    const drip = (piece: string) =>
      new Promise<number>((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false });
        let left = 60;
        const dripping = setInterval(() => (left-- > 0 ? stream.write(piece) : stream.end()), 20);
        stream.once('response', (head) => resolve(Number(head[':status'])));
        stream.once('error', reject);
        stream.resume().once('close', () => clearInterval(dripping));
      });
    try {
      expect(await Promise.all([drip('x'), drip('x'.repeat(4000))])).toEqual([408, 200]);
      await eventually(() => expect(upstream.sockets.size).toBeLessThanOrEqual(1));
    } finally {
      session.destroy();
    }
  });

  test('given 6,000 lines of one name, then the request passes as it is', async () => {
    await using upstream = await Upstream.start((incoming, response) =>
      response.end(`${incoming.rawHeaders.filter((name) => name === 'a').length}`),
    );
    const to = service('up', upstream.url);
    await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
    const lines = 'a:1\r\n'.repeat(6000);
    const text = await raw(world.port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 (?:200 |400 )/);
  });
});
