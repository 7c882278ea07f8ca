import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

/* How records wait and how connections are kept, where plugin-loggers.test.ts says nothing (kong-compat 4.17). */

/** A delivery as the receiver saw it; `connection` counts those to the receiver. */
interface Delivery {
  readonly name: string;
  readonly body: string;
  readonly connection: number;
}

let world: World;
let receiver: Server;
let lines: TcpServer;
let status = 200;
let held: (() => void)[] = [];
const deliveries: Delivery[] = [];
const lineConnections: string[] = [];

/** Answers with `status`; to `/hold/…` not before a test says so. */
const startReceiver = async (): Promise<Server> => {
  let connections = 0;
  const numbers = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const name = request.url?.slice(1) ?? '';
      const body = Buffer.concat(chunks).toString();
      deliveries.push({ name, body, connection: numbers.get(request.socket) ?? 0 });
      const answer = () => response.writeHead(status).end();
      if (name.startsWith('hold')) held.push(answer);
      else answer();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections += 1;
    numbers.set(socket, connections);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

beforeAll(async () => {
  [world, receiver] = await Promise.all([World.shared(), startReceiver()]);
  lines = createTcpServer((socket) => {
    const at = lineConnections.push('') - 1;
    socket.on('data', (chunk: Buffer) => {
      lineConnections[at] += chunk.toString();
    });
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(lines, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const http = (name: string, config: Document) =>
    routeWith(name, [
      { name: 'http-log', config: { http_endpoint: `http://127.0.0.1:${port}/${name}`, ...config } },
    ]);
  const tcp = (name: string, keepalive: number) =>
    routeWith(name, [
      {
        name: 'tcp-log',
        config: { host: '127.0.0.1', port: (lines.address() as AddressInfo).port, keepalive },
      },
    ]);
  await world.load({
    services: [
      world.service('echo', [
        http('hold-one', { queue: { concurrency_limit: 1 } }),
        http('hold-all', { queue: { concurrency_limit: -1 } }),
        http('bytes', { queue: { max_batch_size: 9, max_coalescing_delay: 2, max_bytes: 4000 } }),
        http('given-up', { queue: { initial_retry_delay: 0.05, max_retry_delay: 0.1, max_retry_time: 0.3 } }),
        http('old-count', { retry_count: 3 }),
        http('kept', { keepalive: 60_000 }),
        http('dropped', { keepalive: 50 }),
        tcp('tcp-kept', 60_000),
        tcp('tcp-dropped', 50),
      ]),
    ],
  });
});
afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  lines.close();
  await world[Symbol.asyncDispose]();
});

const of = (name: string): Delivery[] => deliveries.filter((delivery) => delivery.name === name);
/** What a request to `/<name>/<n>` leaves in the record. */
const isIn = (text: string, name: string, n: number): boolean => text.includes(`"uri":"/${name}/${n}"`);

test.each([
  { given: '1', name: 'hold-one', atOnce: 1 },
  { given: '-1', name: 'hold-all', atOnce: 3 },
])(
  'http-log queue.concurrency_limit: given $given, then $atOnce of three wait for the receiver',
  async (row) => {
    // Different ones: a receiver that says nothing for 10 s is sent the same record again.
    const different = () => new Set(of(row.name).map(({ body }) => body)).size;
    const before = of('old-count').length;
    held = [];
    for (const n of [1, 2, 3]) await world.ask(`/${row.name}/${n}`);
    await eventually(() => different() >= row.atOnce);
    await world.ask('/old-count'); // sent after those, had they been sent
    await eventually(() => of('old-count').length > before);
    expect(different()).toBe(row.atOnce);
    await eventually(() => {
      for (const answer of held.splice(0)) answer();
      return different() === 3;
    });
  },
);

test('http-log queue.max_bytes: given more bytes than may wait, then the oldest records are dropped', async () => {
  for (const n of [1, 2, 3, 4]) await world.ask(`/bytes/${n}`);
  await eventually(() => of('bytes').length === 1);
  const [{ body = '' } = {}] = of('bytes');
  expect(isIn(body, 'bytes', 4)).toBe(true);
  expect(isIn(body, 'bytes', 1)).toBe(false);
  expect(body.length).toBeLessThanOrEqual(4000 + '[]'.length + 3);
});

test('http-log queue.max_retry_time: given a receiver that goes on failing, then the record is given up', async () => {
  status = 503;
  await world.ask('/given-up/1');
  await eventually(() => of('given-up').length >= 3);
  // 50 ms, then 100 ms at most, within 300 ms: no fifth or sixth time, and the next record is sent after it.
  await world.ask('/given-up/2');
  await eventually(() => of('given-up').some(({ body }) => isIn(body, 'given-up', 2)));
  status = 200;
  expect(of('given-up').filter(({ body }) => isIn(body, 'given-up', 1)).length).toBeLessThanOrEqual(5);
});

test('http-log retry_count: given the old name, then records are sent as ever', async () => {
  await world.ask('/old-count/1');
  await eventually(() => of('old-count').some(({ body }) => isIn(body, 'old-count', 1)));
});

const connectionOf = (name: string, n: number): Promise<number> =>
  eventually(() => {
    const found = of(name).find(({ body }) => isIn(body, name, n));
    if (found === undefined) throw new Error(`no record ${n} of ${name}`);
    return found.connection;
  });

test('http-log keepalive: given long, then one connection carries both records', async () => {
  await world.ask('/kept/1');
  const first = await connectionOf('kept', 1);
  await world.ask('/kept/2');
  expect(await connectionOf('kept', 2)).toBe(first);
});

test('http-log keepalive: given 50 ms, then an idle connection is closed', async () => {
  await world.ask('/dropped/1');
  const first = await connectionOf('dropped', 1);
  await eventually(async () => {
    const n = 2 + of('dropped').length;
    await world.ask(`/dropped/${n}`);
    return (await connectionOf('dropped', n)) !== first;
  });
});

const lineOf = (name: string, n: number): Promise<number> =>
  eventually(() => {
    const at = lineConnections.findIndex((text) => isIn(text, name, n));
    return at === -1 ? false : at + 1;
  }) as Promise<number>;

test.each([
  { given: 'long', name: 'tcp-kept', isKept: true },
  { given: '50 ms', name: 'tcp-dropped', isKept: false },
])('tcp-log keepalive: given $given, then the connection is kept: $isKept', async ({ name, isKept }) => {
  await world.ask(`/${name}/1`);
  const first = await lineOf(name, 1);
  if (isKept) {
    await world.ask(`/${name}/2`);
    expect(await lineOf(name, 2)).toBe(first);
    return;
  }
  let n = 1;
  await eventually(async () => {
    n += 1;
    await world.ask(`/${name}/${n}`);
    return (await lineOf(name, n)) !== first;
  });
});
