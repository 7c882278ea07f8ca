import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawUpstream } from './raw.ts';
import { World } from './world.ts';

/** What upstreams do with a request, by the name of their route. */
const BEHAVIOURS = {
  'hang-up': (socket: Socket) => socket.destroy(),
  reset: (socket: Socket) => socket.resetAndDestroy(),
  silent: () => undefined,
  nonsense: (socket: Socket) => socket.end('SMTP ready\r\n\r\n'),
  'half-head': (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  'bad-length': (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx'),
  error: (socket: Socket) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nfive'),
  unavailable: (socket: Socket) => socket.end('HTTP/1.1 503 Gone\r\nContent-Length: 5\r\n\r\nthree'),
  deaf: (socket: Socket) => socket.pause(),
} as const;

/** A port whose queue of connections is full and whose owner is stopped: nobody ever gets through. */
const startFull = async (): Promise<{ port: number; child: ChildProcess; waiting: Socket[] }> => {
  const script = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
  });
  child.kill('SIGSTOP');
  const waiting = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  // Two fit in; that a third one has not is what makes it full.
  await Promise.all(waiting.slice(0, 2).map((socket) => new Promise((done) => socket.once('connect', done))));
  return { port, child, waiting };
};

let world: World;
let full: Awaited<ReturnType<typeof startFull>>;
const upstreams = new Map<string, RawUpstream>();
beforeAll(async () => {
  [world, full] = await Promise.all([World.shared(), startFull()]);
  for (const [name, behave] of Object.entries(BEHAVIOURS))
    upstreams.set(name, await RawUpstream.start(behave));
  const port = (name: string) => upstreams.get(name)?.port ?? 0;
  const timeouts = { connect_timeout: 5000, read_timeout: 5000, write_timeout: 5000 };
  const on = (name: string, to: number, over: Record<string, unknown>) =>
    world.service(name, [{ name, paths: [`/${name}`] }], { port: to, ...timeouts, ...over });
  await world.load({
    services: [
      ...Object.keys(BEHAVIOURS).map((name) => on(name, port(name), { retries: name === 'error' ? 5 : 3 })),
      on('once', port('hang-up'), { retries: 0 }),
      on('six', port('hang-up'), { retries: 5 }),
      on('read', port('silent'), { retries: 2, read_timeout: 100 }),
      on('write', port('deaf'), { retries: 0, write_timeout: 100 }),
      on('connect', full.port, { retries: 1, connect_timeout: 100 }),
      on('two', 1, { host: 'two.upstream', retries: 1 }),
      on('two-once', 1, { host: 'two.upstream', retries: 0 }),
      world.service('slow', [{ paths: ['/slow'] }], { read_timeout: 100 }),
      world.service('steady', [{ paths: ['/steady'] }], { port: port('silent'), read_timeout: 100 }),
    ],
    upstreams: [
      {
        name: 'two.upstream',
        algorithm: 'least-connections', // a repeated request avoids the target it was sent to
        targets: [{ target: `127.0.0.1:${world.upstream.port}` }, { target: '127.0.0.1:1', weight: 1000 }],
      },
    ],
  });
});
afterAll(async () => {
  for (const socket of full.waiting) socket.destroy();
  full.child.kill('SIGKILL');
  for (const upstream of upstreams.values()) await upstream[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const INVALID = 'An invalid response was received from the upstream server';
const TIMEOUT = 'The upstream server is timing out';

test.each([
  { path: '/hang-up', method: 'GET', connections: 4, status: 502, message: INVALID, vector: 8 },
  { path: '/hang-up', method: 'POST', connections: 1, status: 502, message: INVALID, vector: 8 },
  { path: '/hang-up', method: 'PATCH', connections: 1, status: 502, message: INVALID },
  { path: '/hang-up', method: 'LOCK', connections: 1, status: 502, message: INVALID },
  { path: '/hang-up', method: 'PUT', connections: 4, status: 502, message: INVALID },
  { path: '/hang-up', method: 'DELETE', connections: 4, status: 502, message: INVALID },
  { path: '/hang-up', method: 'HEAD', connections: 4, status: 502, message: '' },
  { path: '/reset', method: 'GET', connections: 4, status: 502, message: INVALID },
  { path: '/once', method: 'GET', connections: 1, status: 502, message: INVALID },
  { path: '/six', method: 'GET', connections: 6, status: 502, message: INVALID },
  { path: '/read', method: 'GET', connections: 3, status: 504, message: TIMEOUT },
  { path: '/read', method: 'POST', connections: 1, status: 504, message: TIMEOUT },
  { path: '/nonsense', method: 'GET', connections: 1, status: 502, message: INVALID },
  { path: '/bad-length', method: 'GET', connections: 1, status: 502, message: INVALID },
  { path: '/error', method: 'GET', connections: 1, status: 500, message: 'five', vector: 9 },
  { path: '/unavailable', method: 'GET', connections: 1, status: 503, message: 'three' },
])('when asked $method $path, then $connections connections and $status (vector: $vector)', async (row) => {
  const before = [...upstreams.values()].reduce((sum, { connections }) => sum + connections, 0);
  const body = row.method === 'GET' || row.method === 'HEAD' ? {} : { body: 'x' };
  const headers = { 'content-length': row.method === 'GET' || row.method === 'HEAD' ? '0' : '1' };
  const answer = await world.ask(row.path, { method: row.method, headers, ...body });
  const after = [...upstreams.values()].reduce((sum, { connections }) => sum + connections, 0);
  expect(answer.status).toBe(row.status);
  expect(answer.text.split('\n')[0]).toBe(row.message);
  expect(after - before).toBe(row.connections);
});

test.each(['GET', 'POST', 'PATCH'])(
  'given a target that refuses and one that serves, when asked %s, then it is tried on the other one',
  async (method) => {
    for (let i = 0; i < 6; i++) {
      const { status, text } = await world.ask('/two', {
        method,
        body: 'whole',
        headers: { 'content-length': '5' },
      });
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ method, body: 'whole', headers: { 'content-length': '5' } });
    }
  },
);

test('given retries 0, when a target refuses, then 502', async () => {
  const statuses = new Set<number>();
  for (let i = 0; i < 6; i++) statuses.add((await world.ask('/two-once')).status);
  expect([...statuses].sort()).toContain(502);
});

test('given an upstream that sleeps past read_timeout, with retries 0, then 504 (vector: 5)', async () => {
  world.upstream.answerWith('sleep', { delayMs: 20_000 });
  const answer = await world.ask('/slow?script=sleep');
  expect(answer.status).toBe(504);
  expect(answer.text).toMatch(/^The upstream server is timing out\nrequest_id: \w{32}\n$/);
});

test('given an upstream that never takes a connection, then 504 after connect_timeout', async () => {
  const answer = await world.ask('/connect');
  expect(answer).toMatchObject({ status: 504, text: expect.stringContaining(TIMEOUT) });
});

test('given an upstream that does not read, then 504 after write_timeout', async () => {
  const answer = await world.ask('/write', { method: 'PUT', body: Buffer.alloc(32 * 1024 * 1024) });
  expect(answer).toMatchObject({ status: 504, text: expect.stringContaining(TIMEOUT) });
});
