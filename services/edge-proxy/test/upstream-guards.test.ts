import { expect, test } from 'vitest';
import { RetryBudget } from '../src/upstream/retry-budget.ts';
import { call, EdgeWorld, ENGINES, route, service, Upstream } from './edge-world.ts';
import { targetEntity, upstreamEntity } from './upstream-entities.ts';

const metricOf = async (world: EdgeWorld, name: string): Promise<number> => {
  const { text } = await call(world.edges[0]?.ports.status ?? 0, '/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1),
  );
};

const times = <T>(count: number, ask: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, ask));

const hangUp = () => Upstream.start((incoming) => incoming.socket.destroy());

for (const engine of ENGINES)
  test(`given retries 5 and an upstream that fails every request, when many come, then it sees 1.2 times as many, and each POST once (${engine})`, async () => {
    await using upstream = await hangUp();
    const to = service('up', upstream.url, { retries: 5 });
    await using world = await EdgeWorld.start(
      { services: [to], routes: [route('all', to)] },
      { FORWARD_ENGINE: engine },
    );
    for (let wave = 0; wave < 10; wave++)
      for (const { status } of await times(100, () => call(world.port, '/'))) expect(status).toBe(502);
    expect(upstream.received.length).toBeLessThanOrEqual(1200 + 50); // and ten a second in any case
    expect(upstream.received.length).toBeGreaterThan(1050);
    expect(await metricOf(world, 'sluice_upstream_retries_total{outcome="refused"}')).toBeGreaterThan(500);
    const before = upstream.received.length;
    for (const { status } of await times(50, () => call(world.port, '/', { method: 'POST', body: 'x' })))
      expect(status).toBe(502);
    expect(upstream.received.length).toBe(before + 50);
  });

test('given RETRY_BUDGET_PERCENT off, then every request gets all its retries, as in Kong', async () => {
  await using upstream = await hangUp();
  const to = service('up', upstream.url, { retries: 2 });
  await using world = await EdgeWorld.start(
    { services: [to], routes: [route('all', to)] },
    { RETRY_BUDGET_PERCENT: 'off' },
  );
  await times(100, () => call(world.port, '/'));
  expect(upstream.received.length).toBe(300);
});

test('given an outage is over for a while, then what it used up of the budget is forgotten', () => {
  let now = 0;
  const counts = { made: { value: 0 }, refused: { value: 0 } };
  const budget = new RetryBudget({ share: 0.2, ...counts, now: () => now });
  const to = service('up', 'http://127.0.0.1');
  for (let i = 0; i < 500; i++) {
    budget.began(to);
    budget.spend(to);
  }
  expect(counts).toEqual({ made: { value: 100 }, refused: { value: 400 } });
  now += 3000;
  expect(budget.spend(to)).toBe(true);
});

test('given TARGET_BREAKER_FAILURES 3, when a target fails so often, then it is left alone but for a probe, until it answers', async () => {
  let isDown = true;
  await using upstream = await Upstream.start((incoming, response) =>
    isDown ? incoming.socket.destroy() : response.end('up'),
  );
  const to = service('up', upstream.url);
  await using world = await EdgeWorld.start(
    { services: [to], routes: [route('all', to)] },
    { TARGET_BREAKER_FAILURES: '3' },
  );
  for (let i = 0; i < 3; i++) expect((await call(world.port, '/')).status).toBe(502);
  const refused = await call(world.port, '/');
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('1');
  expect(upstream.received.length).toBe(3);
  expect(await metricOf(world, 'sluice_target_breaker_open')).toBe(1);
  isDown = false;
  let answer = refused;
  while (answer.status === 503) answer = await call(world.port, '/');
  expect(answer.text).toBe('up');
  expect((await call(world.port, '/')).status).toBe(200);
});

test('given a target that is left alone beside one that answers, then every request goes to that one', async () => {
  await using bad = await hangUp();
  await using good = await Upstream.start();
  const pool = upstreamEntity('pool');
  const to = service('up', 'http://pool', { host: 'pool', retries: 1 });
  await using world = await EdgeWorld.start(
    {
      services: [to],
      routes: [route('all', to)],
      upstreams: [pool],
      targets: [bad, good].map(({ port }) => targetEntity(pool, `127.0.0.1:${port}`)),
    },
    { TARGET_BREAKER_FAILURES: '2' },
  );
  for (let i = 0; i < 20; i++) expect((await call(world.port, '/')).status).toBe(200);
  expect(bad.received.length).toBeLessThan(5);
});
