import { call, eventually, freePort } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { World } from '../conformance/world.ts';

// The short form in `npm test`; SLUICE_FAULTS=long runs every combination.
const isLong = process.env.SLUICE_FAULTS === 'long';
const CONCURRENCY = isLong ? [1, 4, 16, 64, 256] : [1, 256];
const EDGES = isLong ? [1, 2, 4] : [4];
const LIMIT = 50;
const REQUESTS = 600;

/** `count` requests, so many at once; the statuses. Each goes to the next of the origins. */
const volley = async (
  origins: readonly string[],
  path: string,
  { count, atOnce }: { count: number; atOnce: number },
): Promise<number[]> => {
  const statuses: number[] = [];
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      sent += 1;
      const { status } = await call(origins[sent % origins.length] ?? '', path);
      statuses.push(status);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return statuses;
};

/** A check that a slow machine lets time out may have been counted: it is a 500 here, and never one more. */
const expectExact = (statuses: readonly number[]): void => {
  const count = (status: number) => statuses.filter((each) => each === status).length;
  expect(count(200)).toBeLessThanOrEqual(LIMIT);
  expect(count(200) + count(500)).toBeGreaterThanOrEqual(LIMIT);
  expect(count(200) + count(429) + count(500)).toBe(REQUESTS);
};

const limited = (names: readonly string[], world: World) => ({
  services: [
    world.service(
      'echo',
      names.map((name) => ({ name, paths: [`/${name}/`] })),
    ),
  ],
  plugins: names.map((name) => ({
    name: 'rate-limiting',
    route: name,
    config: {
      year: LIMIT,
      policy: 'redis',
      fault_tolerant: false,
      limit_by: 'service',
      redis: { host: '127.0.0.1' },
    },
  })),
});

test.each(EDGES)(
  'given %i edges, when 600 requests come with any concurrency, then 50 of a limit of 50 pass',
  async (edges) => {
    await using world = await World.start({}, ['--edges', `${edges}`]);
    const { ready } = world.gateway;
    for (const atOnce of CONCURRENCY) {
      const redis = new Redis(ready.redis);
      await redis.flushdb(); // a limit by service counts for all routes
      redis.disconnect();
      const name = `at-${atOnce}`;
      await world.load(limited([name], world));
      await eventually(
        async () =>
          (await world.post('/config', { _format_version: '3.0', ...limited([name], world) })).headers[
            'x-sluice-acknowledged'
          ] === `${edges}/${edges}`,
        30_000,
      );
      const statuses = await volley([ready.proxy], `/${name}/`, { count: REQUESTS, atOnce });
      expectExact(statuses);
    }
  },
  180_000,
);

/** Sets a process's clock off by so many ms, and steps it by five minutes more at SIGUSR2. */
const withClockOff = (ms: number): string => {
  const code = `let off = ${ms}; const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...of) { if (of.length === 0) super(Real.now() + off); else super(...of); }
      static now() { return Real.now() + off; }
    };
    process.on('SIGUSR2', () => { off += 300_000; });`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
};

test.skipIf(!isLong)(
  'given edges whose clocks are 5 minutes slow, right and 5 minutes fast, also stepped during the run, then a limit of 50 is 50',
  async () => {
    await using world = await World.start();
    const { gateway } = world;
    const ports = [await freePort(), await freePort(), await freePort()];
    for (const [i, port] of ports.entries())
      gateway.startService('edge-proxy', {
        PROXY_PORT: `${port}`,
        PROXY_HOST: '127.0.0.1',
        INSTANCE: `skewed-${i}`,
        DATA_DIR: `${gateway.dataDir}/skewed-${i}`,
        NODE_OPTIONS: withClockOff((i - 1) * 300_000),
      });
    await eventually(
      async () =>
        (await world.post('/config', { _format_version: '3.0', ...limited(['skewed'], world) })).headers[
          'x-sluice-acknowledged'
        ] === '4/4',
      30_000,
    );
    const origins = ports.map((port) => `http://127.0.0.1:${port}`);
    const statuses = await volley(origins, '/skewed/', { count: 300, atOnce: 16 });
    for (const pid of gateway.edgePids.slice(1)) process.kill(pid, 'SIGUSR2');
    statuses.push(...(await volley(origins, '/skewed/', { count: 300, atOnce: 16 })));
    expectExact(statuses);
  },
  120_000,
);
