import { zstdDecompressSync } from 'node:zlib';
import {
  edgeAnswerCache,
  edgeLogLevel,
  edgeMetrics,
  edgeTargetHealth,
  edgeUpstreamHealth,
} from '@sluice/contracts';
import { createLogger } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';
import { healthchecks, targetEntity, upstreamEntity } from './upstream-entities.ts';

const balanced = (checks: ReturnType<typeof healthchecks>, ports: readonly number[]) => {
  const pool = upstreamEntity('pool', { healthchecks: checks });
  const to = service('up', 'http://pool', { host: 'pool' });
  return {
    services: [to],
    routes: [route('all', to)],
    upstreams: [pool],
    targets: ports.map((port) => targetEntity(pool, `127.0.0.1:${port}`)),
  };
};
const { id: upstreamId } = upstreamEntity('pool');

test('given a target marked unhealthy, when requests come, then it gets none until it is marked healthy', async () => {
  await using one = await Upstream.start();
  await using other = await Upstream.start();
  const checks = healthchecks({ passiveUnhealthy: { http_failures: 1 } });
  await using world = await EdgeWorld.start(balanced(checks, [one.port, other.port]));
  const at = { upstreamId, target: `127.0.0.1:${one.port}` };

  const out = await world.bus.ask(edgeTargetHealth, { ...at, health: 'UNHEALTHY' });

  expect(out).toEqual({ instance: 'edge-0', outcome: 'set' });
  for (let i = 0; i < 4; i++) expect((await call(world.port, '/')).status).toBe(200);
  expect([one.received.length, other.received.length]).toEqual([0, 4]);
  const { targets } = await world.bus.ask(edgeUpstreamHealth, { upstreamId });
  expect(targets).toEqual([
    { target: at.target, address: at.target, health: 'UNHEALTHY', weight: 100 },
    {
      target: `127.0.0.1:${other.port}`,
      address: `127.0.0.1:${other.port}`,
      health: 'HEALTHY',
      weight: 100,
    },
  ]);

  await world.bus.ask(edgeTargetHealth, { ...at, address: at.target, health: 'HEALTHY' });

  for (let i = 0; i < 4; i++) await call(world.port, '/');
  expect(one.received.length).toBe(2);
});

test('given a target, an address or checks that are not there, when health is set, then the answer says so', async () => {
  await using up = await Upstream.start();
  const target = `127.0.0.1:${up.port}`;
  const checked = balanced(healthchecks({ passiveUnhealthy: { http_failures: 1 } }), [up.port]);
  await using world = await EdgeWorld.start(checked);
  const ask = async (over: Readonly<Record<string, string>>) =>
    (await world.bus.ask(edgeTargetHealth, { upstreamId, target, health: 'UNHEALTHY', ...over })).outcome;
  expect(await ask({ target: '127.0.0.1:1' })).toBe('absent');
  expect(await ask({ address: '127.0.0.1:1' })).toBe('absent');
  expect(await ask({ upstreamId: '00000000-0000-4000-8000-000000000000' })).toBe('absent');
  await world.commit(balanced(healthchecks({}), [up.port]));
  expect(await ask({})).toBe('unchecked');
});

test('given kept answers, when they are asked for, dropped and cleared, then the edge tells and forgets them', async () => {
  await using up = await Upstream.start((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end('kept'),
  );
  const to = service('up', up.url);
  const cache = plugin('proxy-cache', { strategy: 'memory' });
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins: [cache] });
  const ask = (action: 'read' | 'drop' | 'clear', key?: string) =>
    world.bus.ask(edgeAnswerCache, { action, ...(key === undefined ? {} : { key }) });
  const key = String((await call(world.port, '/a')).headers['x-cache-key']);
  await call(world.port, '/b');

  const read = await ask('read', key);

  expect(read).toMatchObject({
    instance: 'edge-0',
    count: 1,
    answer: { status: 200, bodyBytes: 4, ttlSeconds: 300 },
  });
  expect(Buffer.from(read.answer?.body ?? '', 'base64').toString()).toBe('kept');
  expect(await ask('drop', key)).toEqual({ instance: 'edge-0', count: 1 });
  expect(await ask('read', key)).toEqual({ instance: 'edge-0', count: 0 });
  expect(await ask('drop', key)).toEqual({ instance: 'edge-0', count: 0 });
  expect(await ask('clear')).toEqual({ instance: 'edge-0', count: 1 });
  expect((await call(world.port, '/b')).headers['x-cache-status']).toBe('Miss');
});

test('given an answer too large for a message, when it is asked for, then its size is told without it', async () => {
  const body = Buffer.alloc(600 * 1024, 'x');
  await using up = await Upstream.start((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(body),
  );
  const to = service('up', up.url);
  const cache = plugin('proxy-cache', { strategy: 'memory' });
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins: [cache] });
  const key = String((await call(world.port, '/a')).headers['x-cache-key']);

  const { answer } = await world.bus.ask(edgeAnswerCache, { action: 'read', key });

  expect(answer).toMatchObject({ bodyBytes: body.length });
  expect(answer).not.toHaveProperty('body');
});

test('given another log level, when it is set, then this edge writes by it', async () => {
  const lines: string[] = [];
  const options = { service: 'edge-proxy', instance: 'edge-1', level: 'fatal' };
  const logger = createLogger(options, { write: (line) => lines.push(line) });
  await using world = await EdgeWorld.start({});
  await world.addEdge({}, logger);
  logger.debug('unheard');

  const answers = await world.bus.scatter(edgeLogLevel, { level: 'debug' }, 2);

  expect(answers.map(({ instance }) => instance).sort()).toEqual(['edge-0', 'edge-1']);
  logger.debug('heard');
  expect(lines.join('')).toContain('"heard"');
  expect(lines.join('')).not.toContain('unheard');
});

test('metrics come as text, and packed for who can read that', async () => {
  await using up = await Upstream.start();
  const to = service('up', up.url);
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
  await call(world.port, '/');

  const plain = await world.bus.ask(edgeMetrics, {});
  const { text, zstd = '' } = await world.bus.ask(edgeMetrics, { accepts: ['zstd'] });

  expect(plain.text).toContain('sluice_build_info');
  expect(plain.zstd).toBeUndefined();
  expect(text).toBe('');
  expect(zstdDecompressSync(Buffer.from(zstd, 'base64')).toString()).toContain('sluice_build_info');
});
