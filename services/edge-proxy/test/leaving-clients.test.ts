import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { eventually } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import { EdgeWorld, ENGINES, forwardBy, route, service, Upstream } from './edge-world.ts';

/** A client that has left frees the upstream's connection within this, in ms. */
const FREED_WITHIN_MS = 5000;
const GIB = 1024 ** 3;

/** An upstream that answers a part and leaves the rest open, by path. */
const halfway = (incoming: IncomingMessage, response: ServerResponse): void => {
  if (incoming.url === '/mid-answer') response.writeHead(200, { 'content-length': '1000' }).write('half');
  if (incoming.url === '/idle-stream')
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  incoming.resume();
};

const asking = (port: number, bytes: string): Promise<Socket> =>
  new Promise((resolve) => {
    const client = connect({ port, host: '127.0.0.1' }, () => {
      client.write(bytes);
      resolve(client);
    });
    client.on('error', () => undefined);
    client.resume();
  });

const get = (path: string, lines = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const SITUATIONS = {
  waiting: get('/waiting'),
  'in mid-answer': get('/mid-answer'),
  'on an idle stream': get('/idle-stream'),
  'in mid-body': 'POST /waiting HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome of it',
} as const;
const LEAVING = {
  FIN: (client: Socket) => client.end(),
  RST: (client: Socket) => client.resetAndDestroy(),
} as const;

const through = (upstream: Upstream, over: Parameters<typeof service>[2] = {}, settings = {}) => {
  const to = service('up', upstream.url, { read_timeout: 60_000, write_timeout: 60_000, ...over });
  return EdgeWorld.start({ services: [to], routes: [route('all', to)] }, settings);
};

/** Accepts WebSockets, and talks on when the other side is done: only a freed connection ends that. */
const acceptWebSockets = (upstream: Upstream): void => {
  upstream.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex) => {
    const key = `${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.on('error', () => undefined);
    socket.once('end', () => {
      const talking = setInterval(() => socket.write('more'), 20);
      socket.once('close', () => clearInterval(talking));
    });
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
};
const handshake = get(
  '/ws',
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
);

/** Waits until the connection's far end stands still, and says where, in bytes. */
const standsAt = async (count: () => number): Promise<number> => {
  let before = -1;
  let same = 0;
  await eventually(() => {
    const now = count();
    same = now > 0 && now === before ? same + 1 : 0;
    before = now;
    return same === 10;
  });
  return before;
};

describe.each(ENGINES)('by %s', (engine) => {
  forwardBy(engine);

  test('given clients that leave by FIN or RST wherever they stand, then the upstream’s connection is freed', async () => {
    await using upstream = await Upstream.start(halfway);
    acceptWebSockets(upstream);
    await using world = await through(upstream);
    for (const [how, leave] of Object.entries(LEAVING))
      for (const [where, bytes] of [...Object.entries(SITUATIONS), ['on a WebSocket', handshake]] as const) {
        const client = await asking(world.port, bytes);
        await eventually(() => expect(upstream.sockets.size, `${where}, before ${how}`).toBe(1));
        if (where !== 'waiting' && where !== 'in mid-body') await eventually(() => client.bytesRead > 0);
        leave(client);
        await eventually(
          () => expect(upstream.sockets.size, `${where}, after ${how}`).toBe(0),
          FREED_WITHIN_MS,
        );
      }
  });

  test('given four clients that do not read 1 GiB each, then at most 64 MiB leave the upstream', async () => {
    const piece = Buffer.alloc(256 * 1024);
    await using upstream = await Upstream.start((_incoming, response) => {
      response.writeHead(200, { 'content-length': `${GIB}` });
      const more = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await using world = await through(upstream);
    const clients = await Promise.all(Array.from({ length: 4 }, () => asking(world.port, get('/'))));
    for (const client of clients) client.pause();
    const inFlight = await standsAt(() =>
      [...upstream.sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0),
    );
    expect(upstream.sockets.size).toBe(4);
    expect(inFlight).toBeLessThan(64 * 1024 * 1024);
    for (const client of clients) client.destroy();
    await eventually(() => expect(upstream.sockets.size).toBe(0), FREED_WITHIN_MS);
  });

  test('given an upstream that stops reading four uploads of 1 GiB, then at most 64 MiB leave the clients', async () => {
    await using upstream = await Upstream.start((incoming) => incoming.pause());
    const readOn = () => {
      for (const incoming of upstream.received) incoming.resume(); // who does not read sees no end either
    };
    await using world = await through(upstream);
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${GIB}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 4 }, () => asking(world.port, head)));
    const piece = Buffer.alloc(256 * 1024);
    for (const client of clients) {
      const more = () => {
        while (!client.destroyed && client.write(piece));
      };
      client.on('drain', more);
      more();
    }
    const inFlight = await standsAt(() =>
      clients.reduce((sum, client) => sum + client.bytesWritten - client.writableLength, 0),
    );
    expect(inFlight).toBeLessThan(64 * 1024 * 1024);
    for (const client of clients) client.destroy();
    readOn();
    await eventually(() => expect(upstream.sockets.size).toBe(0), FREED_WITHIN_MS);
  });

  test('given a client that takes nothing of its answer for CLIENT_STALL_MS, then it is cut off and the upstream is freed', async () => {
    await using upstream = await Upstream.start((_incoming, response) => {
      response.writeHead(200, { 'content-length': `${GIB}` }).write(Buffer.alloc(32 * 1024 * 1024));
    });
    await using world = await through(upstream, { read_timeout: 200 }, { CLIENT_STALL_MS: '400' });
    const client = await asking(world.port, get('/'));
    client.pause();
    await eventually(() => expect(upstream.sockets.size).toBe(1));
    await eventually(() => expect(upstream.sockets.size).toBe(0));
    client.destroy();
  });
});
