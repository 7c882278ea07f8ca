import { storeCandidate } from '@sluice/config-log';
import { authVerify, configApplied, configOffered } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { Bus } from '@sluice/service-kit';
import { eventually, silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, type Entities, plugin, route, service, Upstream } from './edge-world.ts';

/** An edge that serves /live, and a candidate with /tried instead. */
const prepare = async (upstream: Upstream) => {
  const to = service('echo', upstream.url);
  const live: Entities = { services: [to], routes: [route('live', to, { paths: ['/live'] })] };
  const tried: Entities = { services: [to], routes: [route('tried', to, { paths: ['/tried'] })] };
  const world = await EdgeWorld.start(live);
  const told: (string | undefined)[] = [];
  world.bus.on(
    configApplied,
    ({ candidate, outcome, reason }) => void told.push(reason ?? candidate ?? outcome),
  );
  const offer = async (entities: Entities, edges: string[], leaseMs = 60_000, known?: string) => {
    const { position } = world;
    const id = known ?? (await storeCandidate(world.jetstream, ConfigState.fromEntities(entities), position));
    const { epoch, version } = position;
    world.bus.publish(configOffered, { id, base: { epoch, version }, instance: 'r', edges, leaseMs });
    return id;
  };
  const statuses = async () => [
    (await call(world.port, '/live')).status,
    (await call(world.port, '/tried')).status,
  ];
  return { world, live, tried, told, offer, statuses };
};
const LIVE = [200, 404];
const TRIED = [404, 200];

test('given an offer to this edge, then it serves the candidate and says so, until the offer is over or not renewed', async () => {
  await using upstream = await Upstream.start();
  const { world, tried, told, offer, statuses } = await prepare(upstream);
  await using _ = world;

  const id = await offer(tried, ['edge-0']);
  await eventually(async () => expect(await statuses()).toEqual(TRIED));
  expect(told).toContain(id);
  await offer(tried, [], 60_000, id);
  await eventually(async () => expect(await statuses()).toEqual(LIVE));

  await offer(tried, ['edge-0'], 400);
  await eventually(() => told.filter((said) => said !== id && said?.includes('-2-')).length > 0);
  await eventually(async () => expect(await statuses()).toEqual(LIVE));
});

test('given an offer to others, or one that is built on another version, then this edge serves what the log says', async () => {
  await using upstream = await Upstream.start();
  const { world, live, tried, told, offer, statuses } = await prepare(upstream);
  await using _ = world;

  const toOthers = await offer(tried, ['edge-1']);
  const outdated = await storeCandidate(world.jetstream, ConfigState.fromEntities(tried), world.position);
  const base = { epoch: world.position.epoch, version: 0 };
  world.bus.publish(configOffered, { id: outdated, base, instance: 'r', edges: ['edge-0'], leaseMs: 60_000 });
  const ours = await offer({ ...live, plugins: [plugin('correlation-id', {})] }, ['edge-0']);

  await eventually(() => expect(told).toContain(ours));
  expect(told).not.toContain(toOthers);
  expect(told).not.toContain(outdated);
  expect(await statuses()).toEqual(LIVE);
});

test('given a commit while a candidate is served, then the edge serves the log, all of it and nothing else', async () => {
  await using upstream = await Upstream.start();
  const { world, live, tried, offer, statuses } = await prepare(upstream);
  await using _ = world;
  const id = await offer(tried, ['edge-0']);
  await eventually(async () => expect(await statuses()).toEqual(TRIED));

  const [to] = live.services ?? [];
  const added = route('added', to ?? null, { paths: ['/added'] });
  await world.commit({ ...live, routes: [...(live.routes ?? []), added] });

  await eventually(async () => expect(await statuses()).toEqual(LIVE));
  expect((await call(world.port, '/added')).status).toBe(200);
  await offer(tried, [], 1, id);
  expect(await statuses()).toEqual(LIVE);
});

test('given a candidate that does not compile, then it is refused, and the edge goes on as before', async () => {
  await using upstream = await Upstream.start();
  const { world, live, tried, told, offer, statuses } = await prepare(upstream);
  await using _ = world;

  const id = await offer({ ...tried, plugins: [plugin('no-such-plugin', {})] }, ['edge-0']);
  await eventually(() => told.some((said) => said?.includes('no-such-plugin')));
  expect(await statuses()).toEqual(LIVE);
  await offer(tried, [], 1, id);
  await eventually(() => expect(told.at(-1)).toBe('applied'));
  await world.commit({ ...live, routes: tried.routes ?? [] });
  await eventually(async () => expect(await statuses()).toEqual(TRIED));
});

test('given auth is asked while the edge changes to a candidate of the same version, then that verdict is not remembered', async () => {
  await using upstream = await Upstream.start();
  const { world, live, offer } = await prepare(upstream);
  await using _ = world;
  const guarded = { ...live, plugins: [plugin('jwt', {})] };
  await world.commit(guarded);
  const auth = Bus.open({ url: world.nats.url, name: 'auth', logger: silentLogger() });
  const released = Promise.withResolvers<void>();
  let asked = 0;
  auth.answer(authVerify, async ({ checks }) => {
    asked += checks.length;
    if (asked === 1) await released.promise;
    return {
      v: 1 as const,
      results: checks.map(({ id }) => ({ id, outcome: 'allow' as const, cacheMs: 60_000 })),
    };
  });
  await (await auth.connection).flush();
  const ask = async (path: string) => {
    const headers = { authorization: 'Bearer a.b.c' };
    return (await call(world.port, path, { headers })).status;
  };

  const before = ask('/live');
  await eventually(() => asked === 1);
  await offer({ ...guarded, routes: [...(live.routes ?? []), route('more', null, { paths: ['/more'] })] }, [
    'edge-0',
  ]);
  await eventually(async () => expect((await call(world.port, '/more')).status).not.toBe(404));
  released.resolve();
  expect(await before).toBe(200);

  expect(await ask('/live')).toBe(200);
  expect(asked).toBe(2);
  expect(await ask('/live')).toBe(200);
  expect(asked).toBe(2);
  await auth.drain();
});
