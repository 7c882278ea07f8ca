import { createSocket } from 'node:dgram';
import { freePort } from '@sluice/testkit';
import { expect, test } from 'vitest';
import {
  call,
  type Echo,
  EdgeWorld,
  type Entities,
  plugin,
  raw,
  route,
  service,
  Upstream,
} from './edge-world.ts';
import { healthchecks, targetEntity, upstreamEntity } from './upstream-entities.ts';

type Pool = ReturnType<typeof upstreamEntity>;
type Aim = readonly [upstream: Upstream | string, weight?: number];

const poolService = (over: Parameters<typeof service>[2] = {}) =>
  service('up', 'http://pool', { host: 'pool', ...over });

const entities = (pool: Pool, aims: readonly Aim[], over: Entities = {}): Entities => {
  const to = poolService(over.services?.[0] ?? {});
  return {
    routes: [route('all', to)],
    upstreams: [pool],
    targets: aims.map(([at, weight]) =>
      targetEntity(pool, typeof at === 'string' ? at : `127.0.0.1:${at.port}`, weight),
    ),
    ...over,
    services: [to],
  };
};

const callTimes = async (count: number, port: number, path: (i: number) => string = () => '/') => {
  for (let i = 0; i < count; i++) expect((await call(port, path(i))).status).toBe(200);
};

test('given weights 3, 1 and 0, when 8 requests come, then 6, 2 and none arrive', async () => {
  await using a = await Upstream.start();
  await using b = await Upstream.start();
  await using never = await Upstream.start();
  await using world = await EdgeWorld.start(
    entities(upstreamEntity('pool'), [
      [a, 300],
      [b, 100],
      [never, 0],
    ]),
  );
  await callTimes(8, world.port);
  expect([a, b, never].map((upstream) => upstream.received.length)).toEqual([6, 2, 0]);
});

test('given a target that is taken out while it answers, then that answer ends whole and no request follows', async () => {
  let finish: () => void = () => undefined;
  await using leaving = await Upstream.start((_request, response) => {
    response.write('first ');
    finish = () => response.end('last');
  });
  await using staying = await Upstream.start();
  const pool = upstreamEntity('pool');
  await using world = await EdgeWorld.start(entities(pool, [[leaving]]));
  let isOver = false;
  const running = raw(world.port, 'GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').finally(
    () => {
      isOver = true;
    },
  );
  await expect.poll(() => leaving.received.length).toBe(1);
  await world.commit(entities(pool, [[staying]]));
  await callTimes(4, world.port);
  expect(isOver).toBe(false);
  finish();
  expect(await running).toMatch(/first [\s\S]*last/);
  expect(leaving.received.length).toBe(1);
  expect(staying.received.length).toBe(4);
});

test('given host_header on the upstream, then it is the Host; else the target’s name with its port', async () => {
  await using upstream = await Upstream.start();
  const pool = upstreamEntity('pool', { host_header: 'api.test:99' });
  await using world = await EdgeWorld.start(entities(pool, [[upstream]]));
  const hostSeen = async () => (await call(world.port, '/')).json<Echo>().headers.host;
  expect(await hostSeen()).toBe('api.test:99');
  await world.commit(entities(upstreamEntity('pool'), [[upstream]]));
  expect(await hostSeen()).toBe(`127.0.0.1:${upstream.port}`);
});

test('given least-connections and a refusing target, when retried, then the other one serves every request', async () => {
  await using upstream = await Upstream.start();
  const pool = upstreamEntity('pool', { algorithm: 'least-connections' });
  const dead = `127.0.0.1:${await freePort()}`;
  await using world = await EdgeWorld.start(
    entities(pool, [[dead], [upstream]], { services: [poolService({ retries: 1 })] }),
  );
  await callTimes(10, world.port);
  expect(upstream.received.length).toBe(10);
});

test('given least-connections and a target that is busy, then the others serve until it is free again', async () => {
  const held: (() => void)[] = [];
  await using busy = await Upstream.start((request, response) => {
    if (request.url === '/hold') held.push(() => response.end());
    else response.end();
  });
  await using idle = await Upstream.start();
  const pool = upstreamEntity('pool', { algorithm: 'least-connections' });
  await using world = await EdgeWorld.start(entities(pool, [[busy]]));
  const holding = call(world.port, '/hold');
  await expect.poll(() => held.length).toBe(1);
  await world.commit(entities(pool, [[busy], [idle]]));
  await callTimes(6, world.port);
  expect([busy.received.length, idle.received.length]).toEqual([1, 6]);
  held[0]?.();
  await holding;
  await callTimes(6, world.port);
  expect([busy.received.length, idle.received.length]).toEqual([4, 9]);
});

const hashed = (over: Partial<Pool>): Pool =>
  upstreamEntity('pool', { algorithm: 'consistent-hashing', ...over });

const seenBy = (upstreams: readonly Upstream[]) =>
  upstreams.map((upstream) => new Set(upstream.received.map(({ headers }) => headers['x-key'])));

test('given hash_on header, when 20 keys call twice each, then every key has one target and both are used', async () => {
  await using a = await Upstream.start();
  await using b = await Upstream.start();
  await using world = await EdgeWorld.start(
    entities(hashed({ hash_on: 'header', hash_on_header: 'X-Key' }), [[a], [b]]),
  );
  for (let i = 0; i < 40; i++) await call(world.port, '/', { headers: { 'x-key': `tenant-${i % 20}` } });
  const [atA, atB] = seenBy([a, b]) as [Set<string>, Set<string>];
  expect(atA.isDisjointFrom(atB)).toBe(true);
  expect(Math.min(atA.size, atB.size)).toBeGreaterThan(0);
  expect(atA.size + atB.size).toBe(20);
});

const onePerKey: readonly [string, Partial<Pool>, (key: number) => string][] = [
  ['path', { hash_on: 'path' }, (key) => `/p/${key}?x=1`],
  ['query_arg', { hash_on: 'query_arg', hash_on_query_arg: 'k' }, (key) => `/?k=${key}&k=0`],
  ['uri_capture', { hash_on: 'uri_capture', hash_on_uri_capture: 'id' }, (key) => `/users/u${key}`],
  [
    'a header that is missing, then hash_fallback path',
    { hash_on: 'header', hash_on_header: 'x-none', hash_fallback: 'path' },
    (key) => `/f/${key}`,
  ],
];

test.each(onePerKey)(
  'given hash by %s, then keys spread and each stays at its target',
  async (_by, over, path) => {
    await using a = await Upstream.start();
    await using b = await Upstream.start();
    const config = entities(hashed(over), [[a], [b]]);
    const [all] = config.routes ?? [];
    if (all === undefined) throw new Error('no route');
    await using world = await EdgeWorld.start({
      ...config,
      routes: [{ ...all, paths: ['~/users/(?<id>[^/]+)', '/'] }],
    });
    await callTimes(32, world.port, (i) => path(i % 16));
    const [atA, atB] = [a, b].map(({ received }) => new Set(received.map(({ url }) => url)));
    if (atA === undefined || atB === undefined) throw new Error('unreachable');
    expect(atA.isDisjointFrom(atB)).toBe(true);
    expect(atA.size + atB.size).toBe(16);
    expect(Math.min(atA.size, atB.size)).toBeGreaterThan(0);
  },
);

test('given hash_on ip or nothing to hash, then one client has one target', async () => {
  await using a = await Upstream.start();
  await using b = await Upstream.start();
  await using world = await EdgeWorld.start(entities(hashed({ hash_on: 'ip' }), [[a], [b]]));
  await callTimes(6, world.port, (i) => `/${i}`);
  expect([a.received.length, b.received.length].sort()).toEqual([0, 6]);
  await world.commit(entities(hashed({ hash_on: 'consumer' }), [[a], [b]]));
  await callTimes(6, world.port, (i) => `/${i}`);
  expect([a.received.length % 6, b.received.length % 6]).toEqual([0, 0]);
});

test('given hash_on cookie, when a client has none, then it gets one beside the upstream’s own and comes back with it', async () => {
  const answer: Parameters<typeof Upstream.start>[0] = (_request, response) =>
    response.writeHead(200, { 'set-cookie': 'own=1' }).end();
  await using a = await Upstream.start(answer);
  await using b = await Upstream.start(answer);
  const pool = hashed({ hash_on: 'cookie', hash_on_cookie: 'stick', hash_on_cookie_path: '/api' });
  await using world = await EdgeWorld.start(entities(pool, [[a], [b]]));
  const cookies = (await call(world.port, '/')).headers['set-cookie'] as string[];
  expect(cookies[0]).toBe('own=1');
  expect(cookies[1]).toMatch(/^stick=[0-9a-f-]{36}; Path=\/api; Same-Site=Lax; HttpOnly$/);
  const first = a.received.length === 1 ? a : b;
  const cookie = `x=y; ${cookies[1]?.split(';')[0]}`;
  for (let i = 0; i < 4; i++) {
    const again = await call(world.port, '/', { headers: { cookie } });
    expect(again.headers['set-cookie']).toEqual(['own=1']);
  }
  expect(first.received.length).toBe(5);
});

/** A DNS server with one answer to everything: these addresses, for this long. */
const startDns = async (addresses: readonly string[], ttlSeconds: number) => {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(type === 1 ? 'A' : `${type}`);
    const answers = type === 1 ? addresses : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x81_80, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    const records = answers.map((address) => {
      const record = Buffer.alloc(16);
      record.writeUInt16BE(0xc0_0c, 0);
      record.writeUInt16BE(1, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(ttlSeconds, 6);
      record.writeUInt16BE(4, 10);
      Buffer.from(address.split('.').map(Number)).copy(record, 12);
      return record;
    });
    socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), from.port, from.address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return {
    asked,
    server: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => socket.close(closed)),
  };
};

test('given a target by name, then its addresses are peers, the first request waits for them and Host is the name', async () => {
  await using upstream = await Upstream.start();
  await using dns = await startDns(['127.0.0.1'], 300);
  await using world = await EdgeWorld.start(
    entities(upstreamEntity('pool'), [[`api.internal.test:${upstream.port}`]]),
    { DNS_RESOLVER: dns.server },
  );
  const answer = await call(world.port, '/');
  expect(answer.json<Echo>().headers.host).toBe(`api.internal.test:${upstream.port}`);
  await callTimes(3, world.port);
  expect(dns.asked).toEqual(['A']);
});

test('given a target by a name that nobody knows, then 503 failure to get a peer', async () => {
  await using dns = await startDns([], 1);
  await using world = await EdgeWorld.start(entities(upstreamEntity('pool'), [['nowhere.invalid:80']]), {
    DNS_RESOLVER: dns.server,
  });
  const answer = await call(world.port, '/');
  expect(answer.status).toBe(503);
  expect(answer.json().message).toBe('failure to get a peer from the ring-balancer');
});

test('given retries and an upstream that accepts and closes, then GET makes 4 connections and POST 1', async () => {
  await using upstream = await Upstream.start((request) => request.socket.destroy());
  await using world = await EdgeWorld.start(
    entities(upstreamEntity('pool'), [[upstream]], { services: [poolService({ retries: 3 })] }),
  );
  expect((await call(world.port, '/')).status).toBe(502);
  expect(upstream.received.length).toBe(4);
  expect((await call(world.port, '/', { method: 'POST', body: 'x' })).status).toBe(502);
  expect(upstream.received.length).toBe(5);
});

test('given retries and a last healthy peer that fails on the way, then 503 currently unavailable', async () => {
  const pool = upstreamEntity('pool', {
    healthchecks: healthchecks({ passiveUnhealthy: { tcp_failures: 1 } }),
  });
  await using world = await EdgeWorld.start(
    entities(pool, [[`127.0.0.1:${await freePort()}`]], {
      services: [poolService({ retries: 5 })],
      plugins: [plugin('prometheus', {})],
    }),
  );
  const accept = { headers: { accept: 'application/json' } };
  const answer = await call(world.port, '/', accept);
  expect(answer.status).toBe(503);
  expect(answer.json().message).toBe('The upstream server is currently unavailable');
  expect((await call(world.port, '/', accept)).json().message).toBe(
    'failure to get a peer from the ring-balancer',
  );
});
