import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawUpstream, splitRaw } from './raw.ts';
import { World } from './world.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const acceptFor = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Agrees to the handshake and sends back every byte; `/refuse` is answered 403. */
const behave = (heads: string[]) => (socket: Socket, first: string) => {
  heads.push(first);
  if (first.startsWith('GET /refuse')) {
    socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\nX-Why: not you\r\n\r\nno');
    return;
  }
  const key = /^sec-websocket-key: (.*)$/im.exec(first)?.[1] ?? '';
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key.trim())}\r\nSec-WebSocket-Protocol: chat\r\nX-Theirs: 1\r\n\r\n`,
  );
  socket.pipe(socket);
};

const heads: string[] = [];
let world: World;
let upstream: RawUpstream;
let shy: RawUpstream;
beforeAll(async () => {
  [world, upstream, shy] = await Promise.all([
    World.shared(),
    RawUpstream.start(behave(heads)),
    RawUpstream.start((socket) => socket.destroy()),
  ]);
  await world.load({
    services: [
      world.service('socket', [{ name: 'socket', paths: ['/socket'] }], { port: upstream.port }),
      world.service('idle', [{ paths: ['/idle'] }], { port: upstream.port, read_timeout: 200 }),
      world.service('guarded', [{ name: 'guarded', paths: ['/guarded'] }], { port: upstream.port }),
      world.service('away', [{ paths: ['/away'] }], { port: 1 }),
      world.service('nameless', [{ paths: ['/nameless'] }], { host: 'nobody.invalid' }),
      world.service('shy', [{ paths: ['/shy'] }], { port: shy.port, retries: 2 }),
      world.service('two', [{ paths: ['/two'] }], { host: 'two.upstream', retries: 1 }),
      world.service('plain', [{ paths: ['/plain'] }]),
    ],
    upstreams: [
      {
        name: 'two.upstream',
        algorithm: 'least-connections',
        targets: [{ target: '127.0.0.1:1', weight: 1000 }, { target: `127.0.0.1:${upstream.port}` }],
      },
    ],
    plugins: [
      { name: 'key-auth', route: 'guarded' },
      { name: 'response-transformer', route: 'socket', config: { add: { headers: ['X-Added:1'] } } },
    ],
    consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'sesame' }] }],
  });
});
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  await shy[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** A handshake on a connection of its own; `text` grows with what comes back. */
const shake = (path: string, more = '') => {
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const socket = connect({ host: hostname, port: Number(port) });
  const got = { text: '', socket };
  socket.on('data', (chunk) => {
    got.text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: h.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${more}\r\n`,
  );
  return got;
};

test('given a handshake, then 101 with the gateway’s lines, and every byte comes back (vector: 44)', async () => {
  const got = shake('/socket/room?x=1', 'Sec-WebSocket-Protocol: chat\r\n');
  await eventually(() => got.text.includes('\r\n\r\n'));
  const { head } = splitRaw(got.text);
  expect(head[0]).toBe('HTTP/1.1 101 Switching Protocols');
  const lines = head.map((line) => line.toLowerCase());
  for (const line of [
    'connection: upgrade',
    'upgrade: websocket',
    'via: 1.1 kong/3.9.1',
    `sec-websocket-accept: ${acceptFor(KEY).toLowerCase()}`,
    'sec-websocket-protocol: chat',
    'x-theirs: 1',
    'x-added: 1',
  ])
    expect(lines.filter((other) => other === line)).toEqual([line]);
  expect(lines.some((line) => /^x-kong-request-id: \w{32}$/.test(line))).toBe(true);
  expect(lines.some((line) => /^x-kong-proxy-latency: \d+$/.test(line))).toBe(true);
  for (const frame of ['\x81\x05hello', '\x82\x7e\x01\x00'.padEnd(60_000, 'x')]) {
    got.text = '';
    got.socket.write(Buffer.from(frame, 'latin1'));
    await eventually(() => got.text === frame);
  }
  got.socket.destroy();
});

test('given a handshake, then the upstream sees it with the forwarding headers', async () => {
  const got = shake('/socket/room?x=1', 'Origin: http://o.test\r\n');
  await eventually(() => got.text.includes('\r\n\r\n'));
  const { head } = splitRaw(heads.at(-1) ?? '');
  expect(head[0]).toBe('GET /room?x=1 HTTP/1.1');
  const lines = head.map((line) => line.toLowerCase());
  for (const line of [
    'connection: keep-alive, upgrade',
    'upgrade: websocket',
    'via: 1.1 kong/3.9.1',
    'x-forwarded-for: 127.0.0.1',
    'x-forwarded-prefix: /socket',
    'origin: http://o.test',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${KEY.toLowerCase()}`,
  ])
    expect(lines.filter((other) => other === line)).toEqual([line]);
  got.socket.destroy();
});

test('given frames that follow the handshake at once, then none is lost', async () => {
  const got = shake('/socket');
  got.socket.write('\x81\x02ho', 'latin1');
  await eventually(() => got.text.endsWith('\x81\x02ho'));
  got.socket.destroy();
});

test.each([
  { path: '/socket/../refuse', status: 404 },
  { path: '/away', status: 502 },
  { path: '/nameless', status: 503 },
  { path: '/guarded', status: 401 },
  { path: '/nowhere', status: 404 },
])(
  'given a handshake for $path that cannot be, then a whole answer with $status',
  async ({ path, status }) => {
    const got = shake(path);
    await eventually(() => got.socket.destroyed);
    const { head, body } = splitRaw(got.text);
    expect(head[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.some((line) => /^X-Kong-Request-Id: \w{32}$/i.test(line))).toBe(true);
    expect(body).toContain('request_id');
  },
);

test('given a target that refuses the connection and one that serves, then the handshake goes to the other', async () => {
  for (let i = 0; i < 3; i++) {
    const got = shake('/two');
    got.socket.write('\x81\x02hi', 'latin1');
    await eventually(() => got.text.startsWith('HTTP/1.1 101 ') && got.text.endsWith('\x81\x02hi'));
    got.socket.destroy();
  }
});

test('given an upstream that hangs up and 2 retries, then three connections and 502', async () => {
  const got = shake('/shy');
  await eventually(() => got.socket.destroyed);
  expect(got.text).toMatch(/^HTTP\/1\.1 502 /);
  expect(shy.connections).toBe(3);
});

test('given an upstream that refuses the handshake, then its answer comes', async () => {
  const got = shake('/socket/refuse');
  await eventually(() => got.text.endsWith('\r\n\r\nno'));
  const { head } = splitRaw(got.text);
  expect(head[0]).toMatch(/^HTTP\/1\.1 403 /);
  expect(head).toEqual(expect.arrayContaining(['X-Why: not you', 'Via: 1.1 kong/3.9.1']));
  got.socket.destroy();
});

test('given a plugin that lets the client in, then the handshake goes on', async () => {
  const got = shake('/guarded', 'apikey: sesame\r\n');
  await eventually(() => got.text.startsWith('HTTP/1.1 101 '));
  got.socket.destroy();
});

test('given either end leaves, then so does the other', async () => {
  const got = shake('/socket');
  await eventually(() => got.text.includes('\r\n\r\n'));
  got.socket.end();
  await eventually(() => got.socket.destroyed);
});

test('given no frame for read_timeout, then the connection ends; frames keep it', async () => {
  const got = shake('/idle');
  await eventually(() => got.socket.destroyed);
  expect(got.text).toMatch(/^HTTP\/1\.1 101 /);
});

test('given another upgrade than websocket, then it is an ordinary request', async () => {
  const { answer, seen } = await world.through('/plain', {
    headers: { connection: 'Upgrade', upgrade: 'h2c' },
  });
  expect(answer.status).toBe(200);
  expect(seen.headers.upgrade).toBeUndefined();
});
