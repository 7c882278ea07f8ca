import { eventually, freePort } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EchoUpstream } from './echo-upstream.ts';
import { type Document, World } from './world.ts';

let world: World;
let a: EchoUpstream;
let b: EchoUpstream;
beforeAll(async () => {
  [world, a, b] = await Promise.all([World.shared(), EchoUpstream.start('a'), EchoUpstream.start('b')]);
  for (const status of [500, 503, 418, 200]) a.answerWith(`${status}`, { status });
  a.answerWith('slow', { delayMs: 20_000 });
});
afterAll(async () => {
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

let made = 0;
/** Loads a new upstream with those checks before targets `a` and `b`, and answers with the path that leads there. */
const load = async (healthchecks: Document, service: Document = {}, ports = [a.port, b.port]) => {
  made += 1;
  const name = `pool${made}`;
  await world.load({
    services: [world.service(name, [{ paths: [`/${name}`] }], { host: `${name}.upstream`, ...service })],
    upstreams: [
      {
        name: `${name}.upstream`,
        healthchecks,
        targets: ports.map((port) => ({ target: `127.0.0.1:${port}` })),
      },
    ],
  });
  return `/${name}`;
};

/** Asks until target `a` has had that answer `times` times; `b` answers 200 to everything. */
const letFail = async (path: string, script: string, times: number): Promise<void> => {
  const goal = a.seen.length + times;
  await eventually(async () => {
    if (a.seen.length < goal) await world.ask(`${path}?script=${script}`);
    return a.seen.length >= goal;
  });
};

/** Who serves the next ten requests. */
const serving = async (path: string): Promise<string[]> => {
  const served = new Set<string>();
  for (let i = 0; i < 10; i++) {
    const answer = await world.ask(path);
    served.add(`${answer.headers['x-upstream'] ?? answer.status}`);
  }
  return [...served].toSorted();
};

const failing = (unhealthy: Document, healthy: Document = {}) => ({ passive: { unhealthy, healthy } });

test.each([
  {
    title: 'http_failures 2 and 500 twice',
    checks: failing({ http_failures: 2 }),
    scripts: ['500', '500'],
    out: true,
  },
  {
    title: 'http_failures 2 and 500 once',
    checks: failing({ http_failures: 2 }),
    scripts: ['500'],
    out: false,
  },
  {
    title: '503, the other status of the list',
    checks: failing({ http_failures: 1 }),
    scripts: ['503'],
    out: true,
  },
  { title: 'a status in neither list', checks: failing({ http_failures: 1 }), scripts: ['418'], out: false },
  {
    title: 'a status that was put on the list',
    checks: failing({ http_failures: 1, http_statuses: [418] }),
    scripts: ['418'],
    out: true,
  },
  {
    title: 'a success between two failures, without a limit for successes',
    checks: failing({ http_failures: 2 }),
    scripts: ['500', '200', '500'],
    out: true,
  },
  {
    title: 'a success between two failures, with a limit for successes',
    checks: failing({ http_failures: 2 }, { successes: 1 }),
    scripts: ['500', '200', '500'],
    out: false,
  },
  { title: 'limits of 0', checks: failing({}), scripts: ['500', '500', '500'], out: false },
])('given passive checks and $title, then it is out: $out', async ({ checks, scripts, out }) => {
  const path = await load(checks);
  for (const script of scripts) await letFail(path, script, 1);
  expect(await serving(path)).toEqual(out ? ['b'] : ['a', 'b']);
});

test('given passive timeouts 1, when a target is too slow, then 504 and it is out', async () => {
  const path = await load(failing({ timeouts: 1 }), { read_timeout: 200 });
  await letFail(path, 'slow', 1);
  expect(await serving(path)).toEqual(['b']);
});

test('given tcp_failures 1 and retries, when a target refuses, then the client sees 200 and it is out', async () => {
  const gone = await freePort();
  const path = await load(failing({ tcp_failures: 1 }), { retries: 3 }, [gone, b.port]);
  expect(await serving(path)).toEqual(['b']);
  expect(await serving(path)).toEqual(['b']);
});

test('given retries 0, when a target refuses, then that is status 502, which no list has by default', async () => {
  const gone = await freePort();
  expect(await serving(await load(failing({ tcp_failures: 1 }), {}, [gone, b.port]))).toEqual(['502', 'b']);
  const listed = await load(failing({ http_failures: 1, http_statuses: [502] }), {}, [gone, b.port]);
  await serving(listed);
  expect(await serving(listed)).toEqual(['b']);
});

test('given all targets out, then 503 failure to get a peer (vector: 7)', async () => {
  const path = await load(failing({ http_failures: 1 }), {}, [a.port]);
  await letFail(path, '500', 1);
  const answer = await world.ask(path);
  expect(answer.status).toBe(503);
  expect(answer.json().message).toBe('failure to get a peer from the ring-balancer');
});

test('given a threshold that half of the weight does not pass, then the whole upstream is refused', async () => {
  const path = await load({ ...failing({ http_failures: 1 }), threshold: 50 });
  await letFail(path, '500', 1);
  expect(await serving(path)).toEqual(['503']);
});

test('given a target that passive checks took out, when active ones find it well, then it is back', async () => {
  const active = { healthy: { successes: 1 }, unhealthy: { interval: 0.2 } };
  const path = await load({ ...failing({ http_failures: 1 }), active });
  await letFail(path, '500', 1);
  await eventually(async () => (await serving(path)).join() === 'a,b');
});

test.each([
  { type: 'http', unhealthy: { http_failures: 1, tcp_failures: 1 } },
  { type: 'tcp', unhealthy: { tcp_failures: 1 } },
])('given active $type checks, when a target goes and comes back, then it is out and in', async (row) => {
  const lame = await EchoUpstream.start('lame');
  const active = {
    type: row.type,
    healthy: { interval: 0.2, successes: 1 },
    unhealthy: { interval: 0.2, ...row.unhealthy },
  };
  const path = await load({ active }, {}, [lame.port, b.port]);
  expect(await serving(path)).toEqual(['b', 'lame']);
  await lame[Symbol.asyncDispose]();
  await eventually(async () => (await serving(path)).join() === 'b');
  await using back = await EchoUpstream.start('lame', lame.port);
  await eventually(async () => (await serving(path)).join() === 'b,lame');
  expect(back.seen.some(({ url }) => url === '/')).toBe(true);
});

test('given active checks, when a probe brings a status of the list, then the target is out', async () => {
  const active = {
    http_path: '/health?script=503',
    headers: { 'X-Probe': ['one', 'two'] },
    healthy: { interval: 0.2 },
    unhealthy: { http_failures: 2 },
  };
  const path = await load({ active });
  await eventually(async () => (await serving(path)).join() === 'b');
  const probe = a.seen.find(({ url }) => url === '/health?script=503');
  expect(probe).toMatchObject({ method: 'GET', headers: { 'x-probe': 'one, two' } });
});

test('given another change of the configuration, then a target that is out stays out', async () => {
  const document = (weight: number) => ({
    services: [world.service('kept', [{ paths: ['/kept'] }], { host: 'kept.upstream' })],
    upstreams: [
      {
        name: 'kept.upstream',
        healthchecks: failing({ http_failures: 1 }),
        targets: [{ target: `127.0.0.1:${a.port}` }, { target: `127.0.0.1:${b.port}`, weight }],
      },
    ],
  });
  await world.load(document(100));
  await letFail('/kept', '500', 1);
  await world.load(document(50));
  expect(await serving('/kept')).toEqual(['b']);
});
