import { edgeTargetHealth, edgeUpstreamHealth } from '@sluice/contracts';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { edgesSeen, runEdge, runRegistry } from '../registry-world.ts';

type Health = 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' | 'DNS_ERROR';
const CONFIG = `
_format_version: "3.0"
upstreams:
- name: pool
  healthchecks: { passive: { unhealthy: { http_failures: 1 } } }
  targets: [{ target: "api.test:80" }, { target: "[::1]:81", weight: 50 }]
`;

/** A registry with edges that see one address of api.test each, and `[::1]:81`. */
const given = async (edges: Readonly<Record<string, readonly [api: Health, own: Health]>>) => {
  const stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const registry = stack.use(await runRegistry(nats.url));
  for (const [instance, [api, own]] of Object.entries(edges)) {
    const edge = stack.use(await runEdge(nats.url, instance));
    edge.bus.answer(edgeUpstreamHealth, () => ({
      instance,
      targets: [
        {
          target: 'api.test:80',
          address: api === 'DNS_ERROR' ? '' : '10.0.0.7:80',
          health: api,
          weight: 100,
        },
        { target: '[::1]:81', address: '[::1]:81', health: own, weight: 50 },
      ],
    }));
    edge.bus.answer(edgeTargetHealth, () => ({ instance, outcome: 'set' as const }));
    await (await edge.bus.connection).flush();
  }
  await edgesSeen(registry, Object.keys(edges).length);
  expect((await registry.postYaml(CONFIG)).status).toBe(201);
  return {
    registry,
    natsUrl: nats.url,
    health: async () => {
      const { body } = await registry.send('GET', '/upstreams/pool/health');
      const data = body?.data as { target: string; health: Health; data: object }[];
      return Object.fromEntries(data.map(({ target, health, data: more }) => [target, { health, ...more }]));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

test('given no edge answers, then the configuration is told', async () => {
  await using world = await given({});
  expect(await world.health()).toMatchObject({
    'api.test:80': {
      health: 'HEALTHY',
      addresses: [],
      weight: { total: 100, available: 100, unavailable: 0 },
    },
    '[::1]:81': {
      health: 'HEALTHY',
      host: '::1',
      port: 81,
      dns: 'AAAA',
      addresses: [{ ip: '::1', port: 81, weight: 50, health: 'HEALTHY' }],
    },
  });
  const answer = await world.registry.send('PUT', '/upstreams/pool/targets/api.test:80/unhealthy');
  expect([answer.status, answer.headers.get('x-sluice-acknowledged')]).toEqual([204, '0/0']);
});

test('given edges that see different things, then the worst is told', async () => {
  await using world = await given({ one: ['HEALTHY', 'HEALTHY'], other: ['UNHEALTHY', 'HEALTHY'] });
  expect(await world.health()).toMatchObject({
    'api.test:80': {
      health: 'UNHEALTHY',
      addresses: [{ ip: '10.0.0.7', port: 80, weight: 100, health: 'UNHEALTHY' }],
      weight: { total: 100, available: 0, unavailable: 100 },
    },
    '[::1]:81': { health: 'HEALTHY' },
  });
  const { body } = await world.registry.send('GET', '/upstreams/pool/health?balancer_health=1');
  expect(body?.data).toMatchObject({
    health: 'HEALTHY',
    details: { healthy: true, weight: { total: 150, available: 50, unavailable: 100 } },
  });
});

test('given one edge cannot resolve a name, then that is the worst, and its weight is not available', async () => {
  await using world = await given({ one: ['HEALTHY', 'UNHEALTHY'], other: ['DNS_ERROR', 'UNHEALTHY'] });
  expect(await world.health()).toMatchObject({
    'api.test:80': { health: 'DNS_ERROR', addresses: [{ health: 'HEALTHY' }] },
    '[::1]:81': { health: 'UNHEALTHY' },
  });
  const { body } = await world.registry.send('GET', '/upstreams/pool/health?balancer_health=1');
  expect(body?.data).toMatchObject({ health: 'UNHEALTHY', details: { healthy: false } });
});

test('given an edge that does not answer, when a target is marked, then the others are counted after a while', async () => {
  await using world = await given({ one: ['HEALTHY', 'HEALTHY'] });
  await using _silent = await runEdge(world.natsUrl, 'silent');
  await edgesSeen(world.registry, 2);
  const answer = await world.registry.send('PUT', '/upstreams/pool/targets/api.test:80/unhealthy');
  expect([answer.status, answer.headers.get('x-sluice-acknowledged')]).toEqual([204, '1/2']);
});
