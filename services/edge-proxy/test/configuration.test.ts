import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configCommitted } from '@sluice/contracts';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, type Echo, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

test('given two edges under load, when routes come and go, then both follow and not one request fails', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  const steady = route('steady', to, { paths: ['/steady'] });
  await using world = await EdgeWorld.start({ services: [to], routes: [steady] });
  await world.addEdge();
  const ports = world.edges.map((edge) => edge.ports.proxy);
  let isLoading = true;
  let served = 0;
  const failures: unknown[] = [];
  const load = ports.map(async (port) => {
    while (isLoading) {
      const { status } = await call(port, '/steady').catch((error: unknown) => ({ status: error }));
      served += 1;
      if (status !== 200) failures.push(status);
    }
  });

  try {
    for (let i = 0; i < 20; i++) {
      const extra = route(`extra${i}`, to, { paths: [`/extra/${i}`] });
      await world.commit({ services: [to], routes: [steady, extra] });
      for (const port of ports) {
        expect((await call(port, `/extra/${i}`)).status).toBe(200);
        if (i > 0) expect((await call(port, `/extra/${i - 1}`)).status).toBe(404);
      }
    }
  } finally {
    isLoading = false;
    await Promise.all(load);
  }
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThan(40);
});

test('given a last known good file, when the edge starts with the bus away, then it serves what it served before', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-edge-'));
  const first = await world.addEdge({ DATA_DIR: dataDir });
  await world.settled();
  const hashAt = async (port: number) =>
    (await call(port, '/status')).json<{ configuration_hash: string }>().configuration_hash;
  const hash = await hashAt(first.ports.status);
  await first.stop();
  world.edges.pop();
  await world.nats.kill();

  const again = await world.addEdge({ DATA_DIR: dataDir });

  expect((await call(again.ports.proxy, '/x')).json<Echo>().url).toBe('/x');
  const readiness = await call(again.ports.status, '/readyz');
  expect(readiness.status).toBe(200);
  expect(readiness.json()).toMatchObject({ status: 'degraded', problems: { nats: 'disconnected' } });
  expect(await hashAt(again.ports.status)).toBe(hash);
  const isStale = async () =>
    /^sluice_config_stale 1$/m.test((await call(again.ports.status, '/metrics')).text);
  await eventually(isStale, 30_000); // no registry was heard for 10 s
  const later = (await call(again.ports.status, '/readyz')).json<{ problems: object }>();
  expect(later.problems).toMatchObject({ config: 'no registry heard for 10 s' });
  await world.nats.start();
});

test('given a commit that an edge cannot compile, when it comes, then the old configuration serves and the next good one is taken', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  const all = route('all', to);
  await using world = await EdgeWorld.start({ services: [to], routes: [all] });

  const unknown = plugin('no-such-plugin', {});
  await world.append([
    { op: 'delete', kind: 'routes', id: all.id },
    { op: 'put', kind: 'plugins', id: unknown.id, entity: { ...unknown } },
  ]);
  await world.settled();
  expect((await call(world.port, '/')).status).toBe(200);
  const readiness = (await call(world.edges[0]?.ports.status ?? 0, '/readyz')).json<{
    problems: Record<string, string>;
  }>();
  expect(readiness.problems.refused).toContain('no-such-plugin');

  await world.append([{ op: 'delete', kind: 'plugins', id: unknown.id }]);
  await world.settled();
  await eventually(async () => expect((await call(world.port, '/')).status).toBe(404));
});

test('given garbage and a forged commit on the bus, when they come, then the configuration stays', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  await using world = await EdgeWorld.start({ services: [to], routes: [route('all', to)] });
  const connection = await world.bus.connection;
  connection.publish('config.live.committed', 'garbage');
  connection.publish(
    'config.live.committed',
    JSON.stringify({ ...configCommitted.examples[0]?.payload, tenantId: undefined }),
  );
  await connection.flush();
  await eventually(async () =>
    expect((await call(world.edges[0]?.ports.status ?? 0, '/metrics')).text).toMatch(
      /sluice_bus_refused_messages [2-9]/,
    ),
  );
  expect((await call(world.port, '/')).status).toBe(200);
});

test('given a disabled service, when it is enabled again, then its routes leave and come back', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  const routes = [route('all', to)];
  await using world = await EdgeWorld.start({ services: [{ ...to, enabled: false }], routes });
  expect((await call(world.port, '/')).status).toBe(404);
  await world.commit({ services: [to], routes });
  expect((await call(world.port, '/')).status).toBe(200);
  await world.commit({ services: [{ ...to, enabled: false }], routes });
  expect((await call(world.port, '/')).status).toBe(404);
});
