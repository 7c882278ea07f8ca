import { edgeUpstreamHealth } from '@sluice/contracts';
import { eventually, freePort } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, type Entities, plugin, route, service, Upstream } from './edge-world.ts';
import { healthchecks, targetEntity, upstreamEntity } from './upstream-entities.ts';

const balanced = (checks: ReturnType<typeof healthchecks>, ports: readonly number[], retries = 0) => {
  const pool = upstreamEntity('pool', { healthchecks: checks });
  const to = service('up', 'http://pool', { host: 'pool', retries });
  return {
    services: [to],
    routes: [route('all', to)],
    upstreams: [pool],
    targets: ports.map((port) => targetEntity(pool, `127.0.0.1:${port}`)),
    plugins: [plugin('prometheus', { upstream_health_metrics: true })],
  } satisfies Entities;
};

const healthOf = async (world: EdgeWorld): Promise<string[]> => {
  const upstreamId = upstreamEntity('pool').id;
  const [answer] = await world.bus.scatter(edgeUpstreamHealth, { upstreamId }, 1);
  return answer?.targets.map(({ health }) => health) ?? [];
};

test('given passive http_failures 2, when a target answers 500 twice, then it gets no more requests', async () => {
  await using bad = await Upstream.start((_request, response) => response.writeHead(500).end());
  await using good = await Upstream.start();
  const checks = healthchecks({ passiveUnhealthy: { http_failures: 2 } });
  await using world = await EdgeWorld.start(balanced(checks, [bad.port, good.port]));
  const statuses = [];
  for (let i = 0; i < 10; i++) statuses.push((await call(world.port, '/')).status);
  expect(bad.received.length).toBe(2);
  expect(statuses.filter((status) => status === 500).length).toBe(2);
  expect(await healthOf(world)).toEqual(['UNHEALTHY', 'HEALTHY']);
});

test('given passive tcp_failures 1 and a retry, when a target refuses, then the client sees 200 and it is out', async () => {
  await using good = await Upstream.start();
  const checks = healthchecks({ passiveUnhealthy: { tcp_failures: 1 } });
  await using world = await EdgeWorld.start(balanced(checks, [await freePort(), good.port], 1));
  for (let i = 0; i < 4; i++) expect((await call(world.port, '/')).status).toBe(200);
  expect(await healthOf(world)).toEqual(['UNHEALTHY', 'HEALTHY']);
});

test('given retries 0, when a connection is refused, then it counts as status 502 and not as a TCP failure', async () => {
  const port = await freePort();
  const tcp = healthchecks({ passiveUnhealthy: { tcp_failures: 1 } });
  await using world = await EdgeWorld.start(balanced(tcp, [port]));
  for (let i = 0; i < 3; i++) expect((await call(world.port, '/')).status).toBe(502);
  expect(await healthOf(world)).toEqual(['HEALTHY']);
  const http = healthchecks({ passiveUnhealthy: { http_failures: 1, http_statuses: [502] } });
  await world.commit(balanced(http, [port]));
  expect((await call(world.port, '/')).status).toBe(502);
  expect((await call(world.port, '/')).status).toBe(503);
});

test('given passive timeouts 1, when a target is too slow, then 504 and it is out', async () => {
  await using slow = await Upstream.start(() => undefined);
  const config = balanced(healthchecks({ passiveUnhealthy: { timeouts: 1 } }), [slow.port]);
  await using world = await EdgeWorld.start({
    ...config,
    services: config.services.map((to) => ({ ...to, read_timeout: 50 })),
  });
  expect((await call(world.port, '/')).status).toBe(504);
  expect((await call(world.port, '/')).status).toBe(503);
});

test('given a threshold of 60 and half of the weight gone, then the whole upstream is refused', async () => {
  await using bad = await Upstream.start((_request, response) => response.writeHead(500).end());
  await using good = await Upstream.start();
  const checks = healthchecks({ passiveUnhealthy: { http_failures: 1 }, threshold: 60 });
  await using world = await EdgeWorld.start(balanced(checks, [bad.port, good.port]));
  await call(world.port, '/');
  await call(world.port, '/');
  const answer = await call(world.port, '/');
  expect(answer.status).toBe(503);
  expect(answer.json().message).toBe('failure to get a peer from the ring-balancer');
});

test('given a target that is out, when another target is added, then it stays out', async () => {
  await using bad = await Upstream.start((_request, response) => response.writeHead(500).end());
  await using good = await Upstream.start();
  const checks = healthchecks({ passiveUnhealthy: { http_failures: 1 } });
  await using world = await EdgeWorld.start(balanced(checks, [bad.port]));
  await call(world.port, '/');
  await world.commit(balanced(checks, [bad.port, good.port]));
  for (let i = 0; i < 4; i++) expect((await call(world.port, '/')).status).toBe(200);
  await world.commit(balanced(healthchecks(), [bad.port, good.port]));
  expect(await healthOf(world)).toEqual(['HEALTHCHECKS_OFF', 'HEALTHCHECKS_OFF']);
});

test.each(['http', 'tcp'] as const)(
  'given active %s probes, when a target goes and comes back, then it is out and in again without a request',
  async (type) => {
    const port = await freePort();
    const checks = healthchecks({
      active: { type, http_path: '/alive' },
      activeHealthy: { interval: 0.05, successes: 1, http_statuses: [200] },
      activeUnhealthy: { interval: 0.05, tcp_failures: 1, http_failures: 1 },
    });
    await using world = await EdgeWorld.start(balanced(checks, [port]));
    await eventually(async () => expect(await healthOf(world)).toEqual(['UNHEALTHY']));
    expect((await call(world.port, '/')).status).toBe(503);
    await using back = await Upstream.start(undefined, port);
    await eventually(async () => expect(await healthOf(world)).toEqual(['HEALTHY']));
    expect(back.received.every(({ url }) => url === '/alive')).toBe(true);
    expect((await call(world.port, '/')).status).toBe(200);
  },
);

test('given active probes, when the answer is an unhealthy status, then the target is out; its headers are sent', async () => {
  await using ill = await Upstream.start((_request, response) => response.writeHead(503).end());
  const checks = healthchecks({
    active: { headers: { 'x-probe': ['yes'] } },
    activeHealthy: { interval: 0.05 },
    activeUnhealthy: { http_failures: 2 },
  });
  await using world = await EdgeWorld.start(balanced(checks, [ill.port]));
  await eventually(async () => expect(await healthOf(world)).toEqual(['UNHEALTHY']));
  expect(ill.received.length).toBe(2);
  expect(ill.received[0]?.headers['x-probe']).toBe('yes');
});

test('given a prometheus plugin that asks for it, then each target has four states of which one is 1', async () => {
  await using bad = await Upstream.start((_request, response) => response.writeHead(500).end());
  const checks = healthchecks({ passiveUnhealthy: { http_failures: 1 } });
  await using world = await EdgeWorld.start(balanced(checks, [bad.port]));
  await call(world.port, '/');
  const scrape = async () =>
    (await (await fetch(`http://127.0.0.1:${world.edges[0]?.ports.status}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith('kong_upstream_target_health{'));
  const at = `127.0.0.1:${bad.port}`;
  const line = (state: string, value: number) =>
    `kong_upstream_target_health{upstream="pool",target="${at}",address="${at}",state="${state}",subsystem="http"} ${value}`;
  expect(await scrape()).toEqual([
    line('healthchecks_off', 0),
    line('healthy', 0),
    line('unhealthy', 1),
    line('dns_error', 0),
  ]);
  await world.commit({ ...balanced(checks, []) });
  expect(await scrape()).toEqual([]);
});

test('given a target that was out, when the configuration has it no more, then no line calls it unhealthy for ever', async () => {
  await using good = await Upstream.start();
  const dead = await freePort();
  const measured = plugin('prometheus', { upstream_health_metrics: true });
  const to = (port: number): Entities => {
    const one = service('up', `http://127.0.0.1:${port}`);
    return { services: [one], routes: [route('all', one)], plugins: [measured] };
  };
  await using world = await EdgeWorld.start(to(dead));
  const healthLines = async () =>
    (await (await fetch(`http://127.0.0.1:${world.edges[0]?.ports.status}/metrics`)).text())
      .split('\n')
      .filter((line) => /^kong_upstream_(target_)?health\{/.test(line));
  expect((await call(world.port, '/')).status).toBe(502);
  await eventually(async () => expect(await healthLines()).toHaveLength(5));

  await world.commit(to(good.port));
  expect((await call(world.port, '/')).status).toBe(200);
  await eventually(async () => expect(await healthLines()).toHaveLength(5));
  expect((await healthLines()).filter((line) => line.includes(`:${dead}"`))).toEqual([]);

  await world.commit({});
  expect(await healthLines()).toEqual([]);
});

test('given an upstream the edge does not have, when asked for its health, then it lists no targets', async () => {
  await using world = await EdgeWorld.start({});
  const upstreamId = '00000000-0000-4000-8000-000000000000';
  expect(await world.bus.scatter(edgeUpstreamHealth, { upstreamId }, 1)).toEqual([
    { instance: 'edge-0', targets: [] },
  ]);
});
