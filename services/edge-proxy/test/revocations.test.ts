import { appendRevocation } from '@sluice/config-log';
import { authVerify, type Revocation, STREAMS } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { eventually, silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

const ISSUED_AT = Date.now() - 60_000;
const revocationOf = (value: string, by: Revocation['by'] = 'subject'): Revocation => ({
  ...{ by, value, notBeforeMs: ISSUED_AT + 1 },
});

/** Edges with a guarded route, and an auth that lets all in and says whose the token is: `<subject>.<tenant>.<n>`. */
const startWorld = async (edges = 1) => {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await Upstream.start());
  const to = service('echo', upstream.url);
  const world = stack.use(
    await EdgeWorld.start({ services: [to], routes: [route('all', to)], plugins: [plugin('jwt', {})] }),
  );
  for (let more = 1; more < edges; more++) await world.addEdge();
  const auth = Bus.open({ url: world.nats.url, name: 'auth', logger: silentLogger() });
  stack.defer(() => auth.close());
  const asked: string[] = [];
  auth.answer(authVerify, ({ checks }) => {
    asked.push(...checks.map(({ token }) => token));
    const results = checks.map(({ id, token }) => {
      const [subject, tenant, jti] = token.split('.');
      const marks = { subject, tenant, jti, issuedAtMs: ISSUED_AT };
      return { id, outcome: 'allow' as const, cacheMs: 60_000, tenantId: tenant, token: marks };
    });
    return { v: 1 as const, results };
  });
  await (await auth.connection).flush();
  return {
    world,
    asked,
    revoke: (revocation: Revocation) => {
      const stored = { revocation, occurredAt: new Date().toISOString(), actor: 'test' };
      return appendRevocation(world.jetstream, stored);
    },
    /** The status of each edge. */
    statuses: (token: string) =>
      Promise.all(
        world.edges.map(async ({ ports }) => {
          const headers = { authorization: `Bearer ${token}` };
          const { status, text } = await call(ports.proxy, '/', { headers });
          return status === 401 ? text : status;
        }),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

const REFUSED = '{"message":"Token revoked"}';

test.each([
  ['subject', 'user-1'],
  ['tenant', 'tenant-1'],
  ['jti', '1'],
] as const)(
  'given verdicts in the caches, when their %s is revoked, then every edge refuses; others are not asked about again',
  async (by, value) => {
    await using edges = await startWorld(2);
    expect(await edges.statuses('user-1.tenant-1.1')).toEqual([200, 200]);
    expect(await edges.statuses('user-2.tenant-2.2')).toEqual([200, 200]);
    const asked = edges.asked.length;

    await edges.revoke(revocationOf(value, by));

    await eventually(async () =>
      expect(await edges.statuses('user-1.tenant-1.1')).toEqual([REFUSED, REFUSED]),
    );
    expect(await edges.statuses('user-2.tenant-2.2')).toEqual([200, 200]);
    expect(edges.asked.slice(asked)).not.toContain('user-2.tenant-2.2');
  },
);

test('given an auth that has not heard of a revocation yet, then the edge that has refuses all the same', async () => {
  await using edges = await startWorld();
  await edges.revoke(revocationOf('user-1'));
  await eventually(async () => expect(await edges.statuses('user-1.tenant-1.1')).toEqual([REFUSED]));
  expect(edges.asked).toContain('user-1.tenant-1.1');
});

test('given a revocation from before, then an edge that starts later refuses', async () => {
  await using edges = await startWorld();
  await edges.revoke(revocationOf('user-1'));
  await edges.world.addEdge();
  await eventually(async () => expect(await edges.statuses('user-1.tenant-1.1')).toEqual([REFUSED, REFUSED]));
});

test('given the bus was away, when it is back, then what was revoked before and meanwhile is refused', async () => {
  await using edges = await startWorld();
  const { nats } = edges.world;
  expect(await edges.statuses('user-1.tenant-1.1')).toEqual([200]);
  await edges.revoke(revocationOf('user-2'));
  await eventually(async () => expect(await edges.statuses('user-2.tenant-2.2')).toEqual([REFUSED]));

  await nats.kill();
  expect(await edges.statuses('user-1.tenant-1.1')).toEqual([200]);
  await nats.start();
  await eventually(() => edges.revoke(revocationOf('user-1')).then(() => true));

  await eventually(async () => {
    expect(await edges.statuses('user-1.tenant-1.1')).toEqual([REFUSED]);
    expect(await edges.statuses('user-2.tenant-2.2')).toEqual([REFUSED]);
    expect(await edges.statuses('user-3.tenant-3.3')).toEqual([200]);
  });
});

test('given the list cannot be read when the bus is back, then no verdict is remembered until it can', async () => {
  await using edges = await startWorld();
  const { nats, jetstream } = edges.world;
  const token = 'user-1.tenant-1.1';
  await edges.statuses(token);
  await edges.statuses(token);
  expect(edges.asked).toEqual([token]);
  const { manager } = await jetstream.raw();
  await manager.streams.delete(STREAMS.REVOCATIONS.name);
  await nats.kill();
  await nats.start();

  await eventually(async () => {
    const before = edges.asked.length;
    expect(await edges.statuses(token)).toEqual([200]);
    expect(edges.asked.length).toBe(before + 1);
  });
  const ready = await (await fetch(`http://127.0.0.1:${edges.world.edges[0]?.ports.status}/readyz`)).json();
  expect(ready).toMatchObject({ status: 'degraded', problems: { revocations: expect.any(String) } });

  await eventually(() => jetstream.ensureStream(STREAMS.REVOCATIONS));
  await eventually(async () => {
    expect(await edges.statuses(token)).toEqual([200]);
    const before = edges.asked.length;
    expect(await edges.statuses(token)).toEqual([200]);
    expect(edges.asked.length).toBe(before);
  });
});
