import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { authVerify, ratelimitCheck } from '@sluice/contracts';
import { createLogger } from '@sluice/service-kit';
import { eventually } from '@sluice/testkit';
import { connect, type NatsConnection } from 'nats';
import { expect, test } from 'vitest';
import { AS_SHIPPED, call, EdgeWorld, idOf, plugin, route, service, Upstream } from './edge-world.ts';

// What a service behind may do instead of answering; killed and frozen processes are in tests/outages.test.ts.
const SLOW_MS = 500;
const WRONG = {
  'no JSON': 'garbage',
  'other JSON': '{"v":1,"results":"none"}',
  'nothing at all': '',
  'somebody else’s ids': '{"v":1,"results":[{"id":99999999,"outcome":"allow","cacheMs":60000,"windows":[]}]}',
  'its own verdict': '{"v":1,"results":[{"id":1,"outcome":"perhaps"}]}',
} as const;

/** Answers a subject in the service's place; `undefined`: after 500 ms, with what would be right by then. */
const answering = async (
  world: EdgeWorld,
  subject: string,
  text: string | ((question: string) => string) | undefined,
) => {
  const connection: NatsConnection = await connect({ servers: world.nats.url });
  connection.subscribe(subject, {
    queue: 'impostor',
    callback: (_error, message) => {
      if (typeof text === 'function') message.respond(text(message.string()));
      else if (text !== undefined) message.respond(text);
      else setTimeout(() => message.respond(answerTo(message.string())), SLOW_MS);
    },
  });
  await connection.flush();
  return { [Symbol.asyncDispose]: () => connection.close() };
};

const answerTo = (question: string): string => {
  const { checks } = JSON.parse(question) as { checks: { id: number }[] };
  const verdict = { outcome: 'allow', cacheMs: 60_000, windows: [] };
  return JSON.stringify({ v: 1, results: checks.map(({ id }) => ({ id, ...verdict })) });
};

const guardedWorld = async (upstream: Upstream) => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    { service: 'edge', instance: 'edge', level: 'warn' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const to = service('up', upstream.url);
  const routes = ['guarded', 'tolerant', 'strict', 'open'].map((name) =>
    route(name, to, { paths: [`/${name}`] }),
  );
  const on = (name: string) => ({ id: idOf(`on ${name}`), route: { id: idOf(name) } });
  const limits = { minute: 1000, limit_by: 'ip', exact: true };
  const entities = {
    services: [to],
    routes,
    plugins: [
      plugin('jwt', {}, on('guarded')),
      plugin('rate-limiting', { ...limits, fault_tolerant: true }, on('tolerant')),
      plugin('rate-limiting', { ...limits, fault_tolerant: false }, on('strict')),
    ],
  };
  const world = await EdgeWorld.start();
  const edge = await world.addEdge(AS_SHIPPED, logger);
  await world.commit(entities);
  const ask = (path: string) =>
    call(edge.ports.proxy, path, { headers: { authorization: `Bearer ${crypto.randomUUID()}.b.c` } });
  const status = async (path: string) => (await call(edge.ports.status, path)).json<{ problems?: object }>();
  return { world, ask, status, lines, metrics: async () => (await call(edge.ports.status, '/metrics')).text };
};

for (const [what, text] of Object.entries({ ...WRONG, 'an answer 500 ms late': undefined })) {
  test(`given auth answers ${what}, then guarded routes get 503 with Retry-After and never 200 or 401, and open ones serve`, async () => {
    await using upstream = await Upstream.start();
    const { world, ask } = await guardedWorld(upstream);
    await using _closing = world;
    await using _auth = await answering(world, authVerify.subject, text);
    for (let i = 0; i < 8; i++) {
      const refused = await ask('/guarded');
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toBe('1');
    }
    expect((await ask('/open')).status).toBe(200);
    expect(upstream.received.length).toBe(1);
  });

  test(`given ratelimit answers ${what}, then fault_tolerant passes without rate headers and the other is 500`, async () => {
    await using upstream = await Upstream.start();
    const { world, ask } = await guardedWorld(upstream);
    await using _ratelimit = await answering(world, ratelimitCheck.subject, text);
    await using _closing = world;
    for (let i = 0; i < 8; i++) {
      const passed = await ask('/tolerant');
      expect(passed.status).toBe(200);
      expect(passed.headers['ratelimit-limit']).toBeUndefined();
      expect(passed.headers['x-sluice-degraded']).toBe('ratelimit');
      expect((await ask('/strict')).status).toBe(500);
    }
  });
}

/** What ratelimit says while Redis is away. */
const storeAway = (question: string): string => {
  const { checks } = JSON.parse(question) as { checks: { id: number }[] };
  const error = { outcome: 'error', code: 'store_unavailable', message: 'the check could not be decided' };
  return JSON.stringify({ v: 1, results: checks.map(({ id }) => ({ id, ...error })) });
};

test('given ratelimit says that its Redis is away, then fault_tolerant passes, the other is 500, and both are counted and named', async () => {
  await using upstream = await Upstream.start();
  const { world, ask, status, metrics, lines } = await guardedWorld(upstream);
  await using _ratelimit = await answering(world, ratelimitCheck.subject, storeAway);
  await using _closing = world;
  for (let i = 0; i < 4; i++) {
    const passed = await ask('/tolerant');
    expect(passed.status).toBe(200);
    expect(passed.headers['ratelimit-limit']).toBeUndefined();
    expect(passed.headers['x-sluice-degraded']).toBe('ratelimit');
    expect((await ask('/strict')).status).toBe(500);
  }
  expect(fallbacksOf('ratelimit', await metrics())).toBe(8);
  const why = 'it could not decide: what it needs is away';
  for (const path of ['/readyz', '/status'])
    expect((await status(path)).problems).toMatchObject({ ratelimit: why });
  const told = lines.filter(({ msg }) => msg === 'decided without a service');
  expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(['failed']));
});

/** Decisions that the edge made without a service, whatever the reason. */
const fallbacksOf = (dependency: string, metrics: string): number =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith(`sluice_degraded_decisions_total{dependency="${dependency}"`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

test('given services are away, then each fallback is counted, told of in one line a second, and named at the status port until it answers', async () => {
  await using upstream = await Upstream.start();
  const { world, ask, status, lines, metrics } = await guardedWorld(upstream);
  await using _closing = world;
  for (let i = 0; i < 50; i++) await Promise.all([ask('/guarded'), ask('/tolerant')]);

  // A slow machine may give up waiting for the word that nobody answers: that is a fallback, too.
  for (const dependency of ['auth', 'ratelimit']) expect(fallbacksOf(dependency, await metrics())).toBe(50);
  const problems = { auth: 'nobody answers', ratelimit: 'nobody answers' };
  await eventually(async () => {
    await Promise.all([ask('/guarded'), ask('/tolerant')]);
    expect(await status('/readyz')).toMatchObject({ status: 'degraded', problems });
  });
  expect(await status('/status')).toMatchObject({ problems });
  const told = lines.filter(({ msg }) => msg === 'decided without a service');
  expect(told.map(({ dependency }) => dependency)).toEqual(expect.arrayContaining(['auth', 'ratelimit']));
  expect(told.length).toBeLessThan(20);

  const connection = await connect({ servers: world.nats.url });
  for (const { subject } of [authVerify, ratelimitCheck])
    connection.subscribe(subject, { callback: (_e, message) => message.respond(answerTo(message.string())) });
  await connection.flush();
  await eventually(async () => {
    await Promise.all([ask('/guarded'), ask('/tolerant')]);
    expect(Object.keys((await status('/readyz')).problems ?? {})).toEqual([]);
  });
  await connection.close();
});

test('given a collector and a log receiver that accept and never answer, then no request waits for them', async () => {
  await using upstream = await Upstream.start();
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`;
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to)],
    plugins: [
      plugin('opentelemetry', { endpoint: url, sampling_rate: 1, queue: { max_batch_size: 1 } }),
      plugin('http-log', { http_endpoint: url, queue: { max_batch_size: 1 } }),
    ],
  });
  const answers = await Promise.all(Array.from({ length: 200 }, () => call(world.port, '/')));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  await eventually(() => sockets.size > 0); // they were told, and are still being waited for
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test('given a limiter that comes and goes, then the edge admits its share of the limit alone, once in a window', async () => {
  await using upstream = await Upstream.start();
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to)],
    plugins: [plugin('rate-limiting', { year: 3, limit_by: 'ip', fault_tolerant: true })],
  });
  let asked = 0;
  await using _ratelimit = await answering(world, ratelimitCheck.subject, (question) => {
    asked += 1;
    if (asked % 2 === 1) return storeAway(question);
    const { checks } = JSON.parse(question) as { checks: { id: number }[] };
    const windows = [{ period: 'year', limit: 3, remaining: 0, resetMs: 60_000 }];
    const denial = { outcome: 'deny', violated: 'year', windows };
    return JSON.stringify({ v: 1, results: checks.map(({ id }) => ({ id, ...denial })) });
  });
  const statuses: number[] = [];
  for (let n = 0; n < 20; n++) statuses.push((await call(world.port, '/')).status);

  expect(asked).toBe(20);
  expect(statuses.filter((status) => status === 200).length).toBe(3);
  expect(statuses.filter((status) => status === 429).length).toBe(17);
});
