import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as whatHasArrived } from 'node:timers/promises';
import { call, eventually, freePort } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { World } from '../conformance/world.ts';
import { AS_SHIPPED, isAlive } from '../gateway.ts';
import { Line, startLoad } from './edge-clients.ts';

// The short form in `npm test` restarts an edge; SLUICE_FAULTS=long the services behind, too.
const isLong = process.env.SLUICE_FAULTS === 'long';
const TICK_MS = 50;
const DRAIN_MS = 3000;
/** Of the ticks until the deadline, what a stream must still have got: the machine may be busy. */
const TICKS_AFTER_SIGTERM = 20;

const get = (path: string, lines = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const HANDSHAKE = get(
  '/stream',
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
);
const acceptOf = (key: string | undefined) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Ticks on every event stream and every WebSocket for as long as they are open; `/slow` takes a second. */
const startTicking = async (): Promise<{ server: Server; port: number }> => {
  const tickOn = (to: Duplex | import('node:http').ServerResponse, text: string) => {
    const timer = setInterval(() => to.write(text), TICK_MS);
    to.on('error', () => undefined);
    to.once('close', () => clearInterval(timer));
  };
  const server = createServer((incoming, response) => {
    if (incoming.url === '/slow') setTimeout(() => response.end('slow'), 1000);
    else if (incoming.url !== '/stream') response.end('ok');
    else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      tickOn(response, 'data: tick\n\n');
    }
  });
  server.on('upgrade', (incoming, socket: Duplex) => {
    const accept = acceptOf(incoming.headers['sec-websocket-key']);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    tickOn(socket, '\x81\x04tick');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, port: (server.address() as AddressInfo).port };
};

test('given two edges with load, streams and WebSockets, when one is told to end, then what is under way is finished, idle connections are told, and streams end at the deadline only', async () => {
  const { server, port } = await startTicking();
  await using world = await World.start({ DRAIN_TIMEOUT_MS: `${DRAIN_MS}` }, ['--edges', '2']);
  const routes = [{ name: 'all', paths: ['/'] }];
  const document = { _format_version: '3.0', services: [world.service('ticking', routes, { port })] };
  await eventually(async () => {
    const { headers } = await world.post('/config', document);
    return headers['x-sluice-acknowledged'] === '2/2';
  }, 30_000);
  const { ready } = world.gateway;
  const lines = (count: number, bytes: string) =>
    Array.from({ length: count }, () => new Line(ready.proxy, bytes));
  const streams = [...lines(20, get('/stream')), ...lines(8, HANDSHAKE)];
  const idle = lines(24, get('/idle'));
  const load = startLoad(ready.proxy, '/load');
  await eventually(() => streams.every((line) => line.count('tick') > 2));
  await eventually(() => idle.every((line) => line.text.endsWith('ok')));
  await load.answered(200);
  const slow = lines(16, get('/slow'));
  await load.answered(50);

  const [pid = 0] = ready.pids['edge-proxy'];
  const before = streams.map((line) => line.count('tick'));
  process.kill(pid, 'SIGTERM');
  const sent = idle.map(() => 1);
  const isTold = (line: Line) => line.text.includes('Connection: close');
  await eventually(async () => {
    // A client looks at its connection before it asks on it, however long it was held up before.
    await whatHasArrived();
    for (const [i, line] of idle.entries()) {
      if (line.isOver || isTold(line) || line.count('HTTP/1.1 200 OK') !== sent[i]) continue;
      line.socket.write(get('/idle'));
      sent[i] = (sent[i] ?? 0) + 1;
    }
    return idle.some(isTold);
  });
  await eventually(() => idle.every((line, i) => line.count('HTTP/1.1 200 OK') === sent[i]));
  await eventually(() => slow.every((line) => line.text.endsWith('slow')));
  await load.answered(200);
  expect(streams.filter((line) => line.isOver)).toEqual([]);
  await eventually(() => !isAlive(pid), 30_000);
  await load.answered(200);

  expect(await load.stop()).toEqual([]);
  const told = idle.filter(isTold);
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(idle.length);
  const ended = streams
    .map((line, i) => ({ line, before: before[i] ?? 0 }))
    .filter(({ line }) => line.isOver);
  expect(ended.length).toBeGreaterThan(0);
  expect(ended.length).toBeLessThan(streams.length);
  for (const { line, before } of ended)
    expect(line.count('tick') - before).toBeGreaterThan(TICKS_AFTER_SIGTERM);
  for (const line of [...streams, ...idle, ...slow]) line.socket.destroy();
  server.closeAllConnections();
  server.close();
}, 120_000);

test.skipIf(!isLong)(
  'given two auth and two ratelimit processes under load, when one after the other ends, then no request fails',
  async () => {
    // Every request asks both: no verdict is remembered, and no budget leased.
    await using world = await World.start({ ...AS_SHIPPED, VERDICT_CACHE_MAX_MS: '0', LEASES: 'off' });
    await world.load({
      services: [world.service('echo', [{ name: 'all', paths: ['/all'] }])],
      consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alice-key' }] }],
      plugins: [
        { name: 'key-auth' },
        {
          name: 'rate-limiting',
          config: { hour: 10_000_000, policy: 'redis', redis: { host: '127.0.0.1' } },
        },
      ],
    });
    const { gateway } = world;
    await world.until('/all', 401);
    const headers = { apikey: 'alice-key' };
    await eventually(async () => (await world.ask('/all', { headers })).status === 200);
    const load = startLoad(gateway.ready.proxy, '/all', headers);
    await load.answered(200);
    for (const name of ['auth', 'ratelimit'] as const) {
      const statusPort = await freePort();
      gateway.startService(name, { STATUS_PORT: `${statusPort}` });
      const isReady = async () =>
        (await call(`http://127.0.0.1:${statusPort}`, '/readyz')).json().status === 'ready';
      await eventually(isReady, 30_000);
      await load.answered(100);
      const [pid = 0] = gateway.ready.pids[name];
      process.kill(pid, 'SIGTERM');
      await eventually(() => !isAlive(pid), 30_000);
      await load.answered(200);
    }
    expect(await load.stop()).toEqual([]);
    // A slow machine may let a check time out; that there was nobody to ask must not have happened.
    const { text } = await world.admin('/metrics');
    const alone = text
      .split('\n')
      .filter((line) => line.startsWith('sluice_degraded_decisions_total{') && !line.endsWith(' 0'));
    expect(alone.filter((line) => /reason="(no-responders|disconnected|malformed)"/.test(line))).toEqual([]);
  },
  120_000,
);
