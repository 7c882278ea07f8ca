import { authVerify, ratelimitCheck } from '@sluice/contracts';
import { Bus } from '@sluice/service-kit';
import { eventually, silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, type Echo, EdgeWorld, plugin, route, service, Upstream } from './edge-world.ts';

const TOKEN = { authorization: 'Bearer a.b.c' };

/** Answers a lane's contract over the real bus, as the auth and ratelimit processes do. */
const answering = async (world: EdgeWorld, serve: (bus: Bus) => void): Promise<Bus> => {
  const bus = Bus.open({ url: world.nats.url, name: 'responder', logger: silentLogger() });
  serve(bus);
  await (await bus.connection).flush();
  return bus;
};

const allowAll =
  (seen: unknown[] = []) =>
  (bus: Bus) =>
    bus.answer(authVerify, ({ checks }) => {
      seen.push(...checks);
      return {
        v: 1 as const,
        results: checks.map(({ id }) => ({
          id,
          outcome: 'allow' as const,
          cacheMs: 60_000,
          credential: { id: 'logto', identifier: 'https://issuer.test' },
          tenantId: 'tenant-123',
        })),
      };
    });

const withJwt = async (upstream: Upstream) => {
  const to = service('echo', upstream.url);
  const guarded = route('guarded', to, { paths: ['/guarded'] });
  const open = route('open', to, { paths: ['/open'] });
  return EdgeWorld.start({
    services: [to],
    routes: [guarded, open],
    plugins: [plugin('jwt', {}, { route: { id: guarded.id } })],
  });
};

test('given auth answers allow, when the token comes again, then it is asked once and the upstream sees who it is', async () => {
  await using upstream = await Upstream.start();
  await using world = await withJwt(upstream);
  const asked: unknown[] = [];
  const auth = await answering(world, allowAll(asked));

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call(world.port, '/guarded', { headers: TOKEN })),
  );
  await call(world.port, '/guarded', { headers: TOKEN });

  expect(answers.map((a) => a.status)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(answers[0]?.json<Echo>().headers['x-credential-identifier']).toBe('https://issuer.test');
  expect(asked.length).toBe(1);
  await auth.drain();
});

test('given no auth process, when a guarded route is asked, then 503 with Retry-After, and open routes serve', async () => {
  await using upstream = await Upstream.start();
  await using world = await withJwt(upstream);

  const guarded = await call(world.port, '/guarded', { headers: TOKEN });
  const anonymous = await call(world.port, '/guarded');

  expect(guarded.status).toBe(503);
  expect(guarded.headers['retry-after']).toBe('1');
  expect(anonymous.status).toBe(401);
  expect(anonymous.headers['www-authenticate']).toBe('Bearer');
  expect((await call(world.port, '/open')).status).toBe(200);

  const auth = await answering(world, allowAll());
  await eventually(async () =>
    expect((await call(world.port, '/guarded', { headers: TOKEN })).status).toBe(200),
  );
  await auth.drain();
});

test('given a verdict in the cache, when auth and the bus go away, then it holds; a token never seen gets 503', async () => {
  await using upstream = await Upstream.start();
  await using world = await withJwt(upstream);
  const auth = await answering(world, allowAll());
  expect((await call(world.port, '/guarded', { headers: TOKEN })).status).toBe(200);
  await auth.drain();
  await world.nats.kill();

  expect((await call(world.port, '/guarded', { headers: TOKEN })).status).toBe(200);
  expect((await call(world.port, '/guarded', { headers: { authorization: 'Bearer x.y.z' } })).status).toBe(
    503,
  );
  await world.nats.start();
});

test('given a new configuration, when the same token comes, then auth is asked again', async () => {
  await using upstream = await Upstream.start();
  await using world = await withJwt(upstream);
  const asked: unknown[] = [];
  const auth = await answering(world, allowAll(asked));
  await call(world.port, '/guarded', { headers: TOKEN });
  const extra = route('extra', null, { paths: ['/extra'] });
  await world.append([{ op: 'put', kind: 'routes', id: extra.id, entity: { ...extra } }]);
  await world.settled();
  await call(world.port, '/guarded', { headers: TOKEN });
  expect(asked.length).toBe(2);
  await auth.drain();
});

test('given a configuration that changes while auth is asked, then the next request asks anew', async () => {
  await using upstream = await Upstream.start();
  await using world = await withJwt(upstream);
  const versions: number[] = [];
  const released = Promise.withResolvers<void>();
  const auth = await answering(world, (bus) =>
    bus.answer(authVerify, async ({ checks }) => {
      versions.push(...checks.map((check) => check.version));
      if (versions.length === 1) await released.promise;
      return {
        v: 1 as const,
        results: checks.map(({ id }) => ({ id, outcome: 'allow' as const, cacheMs: 0 })),
      };
    }),
  );
  const before = call(world.port, '/guarded', { headers: TOKEN });
  await eventually(() => versions.length === 1);
  const extra = route('extra', null, { paths: ['/extra'] });
  await world.append([{ op: 'put', kind: 'routes', id: extra.id, entity: { ...extra } }]);
  await world.settled();
  const after = await call(world.port, '/guarded', { headers: TOKEN });
  released.resolve();

  expect(after.status).toBe(200);
  expect((await before).status).toBe(200);
  expect(versions).toContain((versions[0] ?? 0) + 1);
  await auth.drain();
});

const limited = async (upstream: Upstream, config: Record<string, unknown>) => {
  const to = service('echo', upstream.url);
  return EdgeWorld.start({
    services: [to],
    routes: [route('all', to)],
    plugins: [
      plugin('rate-limiting', {
        minute: 3,
        policy: 'redis',
        redis: { host: 'redis' },
        limit_by: 'header',
        header_name: 'X-Tenant-Id',
        ...config,
      }),
    ],
  });
};
const asTenant = (tenant: string) => ({ headers: { 'x-tenant-id': tenant } });

test('given the limiter answers, when the budget is spent, then Kong’s headers and 429', async () => {
  await using upstream = await Upstream.start();
  await using world = await limited(upstream, {});
  let used = 0;
  const limiter = await answering(world, (bus) =>
    bus.answer(ratelimitCheck, ({ checks }) => ({
      v: 1 as const,
      results: checks.map(({ id, limits }) => {
        const [{ period, limit } = { period: 'minute' as const, limit: 1 }] = limits;
        used += 1;
        const outcome = used <= limit ? ('allow' as const) : ('deny' as const);
        return {
          id,
          outcome,
          windows: [{ period, limit, remaining: Math.max(0, limit - used), resetMs: 30_000 }],
          ...(outcome === 'deny' ? { violated: period } : {}),
        };
      }),
    })),
  );
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push(await call(world.port, '/', asTenant('t')));
  expect(statuses.map((a) => a.status)).toEqual([200, 200, 200, 429]);
  expect(statuses.map((a) => a.headers['x-ratelimit-remaining-minute'])).toEqual(['2', '1', '0', '0']);
  expect(statuses[3]?.headers['retry-after']).toBe(statuses[3]?.headers['ratelimit-reset']);
  expect(statuses[3]?.json().message).toBe('API rate limit exceeded');
  await limiter.drain();
});

test('given no limiter, when fault tolerant, then requests pass without rate headers up to the edge’s own share', async () => {
  await using upstream = await Upstream.start();
  await using world = await limited(upstream, {});
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await call(world.port, '/', asTenant('t')));
  expect(answers.map((a) => a.status)).toEqual([200, 200, 200, 429]);
  expect(answers[0]?.headers['ratelimit-limit']).toBeUndefined();
  expect(answers[0]?.headers['x-ratelimit-limit-minute']).toBeUndefined();
  expect(answers[3]?.headers['retry-after']).toMatch(/^\d+$/);
  expect((await call(world.port, '/', asTenant('other'))).status).toBe(200);
});

test('given no limiter, when not fault tolerant, then 500 as Kong', async () => {
  await using upstream = await Upstream.start();
  await using world = await limited(upstream, { fault_tolerant: false });
  const answer = await call(world.port, '/', asTenant('t'));
  expect(answer).toMatchObject({ status: 500, text: '{"message":"An unexpected error occurred"}' });
});

test('given a quota read with the limit, when the response goes out, then it shows the quota without another question', async () => {
  await using upstream = await Upstream.start();
  const to = service('echo', upstream.url);
  await using world = await EdgeWorld.start({
    services: [to],
    routes: [route('all', to)],
    plugins: [
      plugin('rate-limiting', {
        minute: 100,
        policy: 'redis',
        redis: { host: 'redis' },
        limit_by: 'header',
        header_name: 'X-Tenant-Id',
      }),
      plugin('quota-mirror', { quota_key_prefix: 'quota:tenant:' }),
    ],
  });
  const asked: { quotaKey?: string | undefined }[] = [];
  const limiter = await answering(world, (bus) =>
    bus.answer(ratelimitCheck, ({ checks }) => {
      asked.push(...checks);
      return {
        v: 1 as const,
        results: checks.map(({ id }) => ({
          id,
          outcome: 'allow' as const,
          windows: [{ period: 'minute' as const, limit: 100, remaining: 99, resetMs: 1000 }],
          quota: {
            limit: 100,
            used: 85,
            remaining: 15,
            period: 'monthly',
            resetAt: '2099-01-01T00:00:00Z',
            lastUpdated: 'x',
            stale: false,
          },
        })),
      };
    }),
  );
  const { headers } = await call(world.port, '/', asTenant('tenant-123'));
  expect(headers).toMatchObject({
    'x-quota-limit': '100',
    'x-quota-used': '85',
    'x-quota-remaining': '15',
    'x-quota-usage-percentage': '85.00',
    'x-quota-warning': 'Quota usage at 85.00%',
  });
  expect(asked.map((check) => check.quotaKey)).toEqual(['quota:tenant:tenant-123']);
  await limiter.drain();
});
