import { Agent, request } from 'node:http';
import { eventually, freePort } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EchoUpstream } from './echo-upstream.ts';
import { type Document, World } from './world.ts';

let world: World;
let echoes: EchoUpstream[];
beforeAll(async () => {
  [world, ...echoes] = (await Promise.all([
    World.shared(),
    ...['a', 'b', 'c'].map((name) => EchoUpstream.start(name)),
  ])) as [World, ...EchoUpstream[]];
});
afterAll(async () => {
  for (const echo of echoes) await echo[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const named = (name: string): EchoUpstream => {
  const echo = echoes.find((one) => one.name === name);
  if (echo === undefined) throw new Error(`no upstream ${name}`);
  return echo;
};

/** A service and an upstream entity under one name; targets by the names of echo upstreams, with weights. */
const pool = (
  name: string,
  weights: Readonly<Record<string, number>>,
  over: Document = {},
  service: Document = {},
) => ({
  service: world.service(name, [{ name, paths: [`/${name}`] }], {
    host: `${name}.upstream`,
    port: 1,
    ...service,
  }),
  upstream: {
    name: `${name}.upstream`,
    targets: Object.entries(weights).map(([echo, weight]) => ({
      target: echo.includes(':') ? echo : `127.0.0.1:${named(echo).port}`,
      weight,
    })),
    ...over,
  },
});

const load = (...pools: readonly ReturnType<typeof pool>[]): Promise<void> =>
  world.load({
    services: pools.map(({ service }) => service),
    upstreams: pools.map(({ upstream }) => upstream),
  });

/** Who answers a request. */
const servedBy = async (path: string): Promise<string> => `${(await world.ask(path)).headers['x-upstream']}`;

/** How many of `count` requests each upstream serves, sixteen at a time over kept connections. */
const shares = async (path: string, count: number): Promise<Record<string, number>> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const { hostname, port } = new URL(world.gateway.ready.proxy);
  const served: Record<string, number> = {};
  const one = () =>
    new Promise<void>((done, fail) => {
      request({ hostname, port, path, agent }, (answer) => {
        const name = `${answer.headers['x-upstream'] ?? answer.statusCode}`;
        served[name] = (served[name] ?? 0) + 1;
        answer.resume().once('end', done);
      })
        .once('error', fail)
        .end();
    });
  await Promise.all(Array.from({ length: count }, one));
  agent.destroy();
  return served;
};

test('given weights 60, 30, 10 and 0, when 10,000 requests come, then shares keep within 2 %', async () => {
  await load(pool('weighted', { a: 60, b: 30, c: 10, '127.0.0.1:1': 0 }));
  const served = await shares('/weighted', 10_000);
  for (const [name, share] of Object.entries({ a: 6000, b: 3000, c: 1000 }))
    expect(Math.abs((served[name] ?? 0) - share), name).toBeLessThanOrEqual(200);
});

test('given equal weights, when six requests come one by one, then each target has two', async () => {
  await load(pool('equal', { a: 100, b: 100, c: 100 }));
  const served: string[] = [];
  for (let i = 0; i < 6; i++) served.push(await servedBy('/equal'));
  expect(served.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
});

test('given a weight that becomes 0, then the answer under way ends whole and no request follows', async () => {
  await load(pool('drain', { a: 100, b: 100 }));
  named('a').answerWith('slow', { delayMs: 1000, body: 'whole' });
  named('b').answerWith('slow', { delayMs: 1000, body: 'whole' });
  const before = named('a').seen.length;
  const underWay = [world.ask('/drain?script=slow'), world.ask('/drain?script=slow')];
  await eventually(() => named('a').seen.length > before);
  await load(pool('drain', { a: 0, b: 100 }));
  const seen = named('a').seen.length;
  expect(await shares('/drain', 40)).toEqual({ b: 40 });
  expect(named('a').seen.length).toBe(seen);
  for (const answer of await Promise.all(underWay)) expect(answer.text).toBe('whole');
});

test('given a target that leaves and one that comes, then the next requests go where they should', async () => {
  await load(pool('change', { a: 100, b: 100 }));
  expect(Object.keys(await shares('/change', 20)).toSorted()).toEqual(['a', 'b']);
  await load(pool('change', { b: 100, c: 100 }));
  expect(Object.keys(await shares('/change', 20)).toSorted()).toEqual(['b', 'c']);
});

test('given a service whose host is an upstream, then its own port means nothing', async () => {
  await load(pool('ported', { a: 100 }, {}, { port: 9 }));
  expect(await servedBy('/ported')).toBe('a');
});

test('given least-connections and a busy target, then others serve until it is free', async () => {
  await load(pool('least', { a: 100, b: 100 }, { algorithm: 'least-connections' }));
  for (const echo of [named('a'), named('b')]) echo.answerWith('hold', { delayMs: 1500 });
  const before = { a: named('a').seen.length, b: named('b').seen.length };
  const held = world.ask('/least?script=hold');
  await eventually(() => named('a').seen.length > before.a || named('b').seen.length > before.b);
  const busy = named('a').seen.length > before.a ? 'a' : 'b';
  const free = busy === 'a' ? 'b' : 'a';
  for (let i = 0; i < 10; i++) expect(await servedBy('/least')).toBe(free);
  expect((await held).headers['x-upstream']).toBe(busy);
  expect(Object.keys(await shares('/least', 40)).toSorted()).toEqual(['a', 'b']);
});

test('given least-connections and weights 3 to 1, then requests at once are spread so', async () => {
  await load(pool('loaded', { a: 300, b: 100 }, { algorithm: 'least-connections' }));
  for (const echo of [named('a'), named('b')]) echo.answerWith('hold', { delayMs: 500 });
  const answers = await Promise.all(Array.from({ length: 16 }, () => servedBy('/loaded?script=hold')));
  expect(answers.filter((name) => name === 'a').length).toBe(12);
});

test('given latency and a slow target, then most requests go to the fast one', async () => {
  await load(pool('ewma', { a: 100, b: 100 }, { algorithm: 'latency' }));
  named('a').answerWith('late', { delayMs: 60 });
  for (let i = 0; i < 10; i++) await servedBy('/ewma?script=late');
  const served: string[] = [];
  for (let i = 0; i < 30; i++) served.push(await servedBy('/ewma?script=late'));
  expect(served.filter((name) => name === 'b').length).toBeGreaterThanOrEqual(27);
});

test('given no healthy target left to try, then 503 currently unavailable', async () => {
  const closed = `127.0.0.1:${await freePort()}`;
  const healthchecks = { passive: { unhealthy: { tcp_failures: 1 } } };
  await load(pool('last', { [closed]: 100 }, { healthchecks }, { retries: 2 }));
  const answer = await world.ask('/last', { headers: { accept: 'application/json' } });
  expect(answer.status).toBe(503);
  expect(answer.json().message).toBe('The upstream server is currently unavailable');
});

test.each([
  { target: 'localhost:PORT', status: 200 },
  { target: 'nobody.invalid:80', status: 503 },
])('given a target by name $target, then $status', async ({ target, status }) => {
  const at = target.replace('PORT', `${named('a').port}`);
  await load(pool('byname', { [at]: 100 }));
  const answer = await world.ask('/byname');
  expect(answer.status).toBe(status);
  if (status === 200) expect(answer.json<{ headers: { host: string } }>().headers.host).toBe(at);
  else expect(answer.json().message).toBe('failure to get a peer from the ring-balancer');
});

test('given a target by name that is not found beside one that is, then the other serves', async () => {
  await load(pool('half', { 'nobody.invalid:80': 100, a: 1 }));
  expect(await shares('/half', 10)).toEqual({ a: 10 });
});
