import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connectRedis } from '@sluice/service-kit';
import { eventually, freePort, type ServerProcess, silentLogger, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { spendBudget } from '../src/spend.ts';
import { CounterStore } from '../src/store.ts';
import { BUDGET, check, countersOf, openStore } from './harness.ts';

const yearly = [{ period: 'year' as const, limit: 1_000_000 }];
const UNAVAILABLE = { name: 'CheckFailed', code: 'store_unavailable' };

test('given Redis hangs, when checks come, then each fails while it still hangs, and afterwards the counter is what was admitted', async () => {
  await using server = await startRedis();
  await using a = await openStore(server, { commandTimeoutMs: 40 });
  let admitted = 0;
  const ask = async () => {
    await spendBudget(a.store, check(yearly));
    admitted += 1;
  };
  await eventually(ask);

  server.freeze();
  const first = await Promise.allSettled(Array.from({ length: 3 }, ask));
  const second = await Promise.allSettled(Array.from({ length: 20 }, ask));
  expect([...first, ...second].map((answer) => answer.status)).toEqual(Array(23).fill('rejected'));
  for (const answer of second) expect(answer).toMatchObject({ reason: UNAVAILABLE });
  expect(a.store.problem).toBe('too slow');
  const third = await Promise.allSettled([ask(), ask()]); // one of them may be the probe of this second
  expect(third).toContainEqual({
    status: 'rejected',
    reason: expect.objectContaining({ message: 'Redis is too slow' }),
  });
  server.thaw();

  await eventually(ask); // on the same connection, so after everything that was sent before
  expect(a.store.problem).toBeUndefined();
  await using patient = await openStore(server);
  expect(await countersOf(patient.redis)).toEqual({ year: admitted });
});

test('given Redis answered while the process was busy beyond its time, when it looks up, then the answer counts', async () => {
  await using server = await startRedis();
  const commandTimeoutMs = 200;
  await using a = await openStore(server, { commandTimeoutMs });
  await using other = await openStore(server);
  await eventually(() => spendBudget(a.store, check(yearly)));
  const before = await countersOf(other.redis);

  await other.redis.call('CLIENT', 'PAUSE', '50');
  const asked = spendBudget(a.store, check(yearly));
  for (let turns = 0; turns < 3; turns++) await setImmediate(); // the question is out
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.5 * commandTimeoutMs);

  await expect(asked).resolves.toMatchObject({ outcome: 'allow' });
  expect(await countersOf(other.redis)).toEqual({ year: Number(before.year) + 1 });
});

test('given one stall in which 25 checks time out together, then Redis is asked again at once', async () => {
  await using server = await startRedis();
  const instant = performance.now(); // of the stall's timeouts, however slow this machine is
  let isStalled = false;
  const now = () => (isStalled ? instant : performance.now());
  await using a = await openStore(server, { commandTimeoutMs: 40, now });
  const ask = () => spendBudget(a.store, check(yearly));
  await eventually(ask);

  isStalled = true;
  server.freeze();
  const answers = await Promise.allSettled(Array.from({ length: 25 }, ask));
  server.thaw();

  expect(answers.map(({ status }) => status)).toEqual(Array(25).fill('rejected'));
  expect(a.store.problem).toBeUndefined();
  await eventually(ask);
});

test('given Redis is killed, when it comes back empty, then checks fail at once meanwhile and count from nothing', async () => {
  await using server = await startRedis();
  await using a = await openStore(server);
  await spendBudget(a.store, check(yearly, 5));

  await server.kill();
  await eventually(() => a.store.problem === 'away');
  await expect(spendBudget(a.store, check(yearly))).rejects.toMatchObject(UNAVAILABLE);
  const quotaOnly = { key: BUDGET, cost: 1, limits: [], quotaKey: 'quota:tenant:t' };
  await expect(spendBudget(a.store, quotaOnly)).rejects.toMatchObject(UNAVAILABLE);
  await server.start();

  const verdict = await eventually(() => spendBudget(a.store, check(yearly)));
  expect(verdict.windows).toMatchObject([{ remaining: 999_999 }]);
  expect(await countersOf(a.redis)).toEqual({ year: 1 });
});

test('given Redis dies under load, when it restarts with its data, then nothing was counted twice', async () => {
  await using server = await startRedis({ durable: true });
  await using a = await openStore(server);
  let admitted = 0;
  let failed = 0;
  const ask = () =>
    spendBudget(a.store, check(yearly)).then(
      () => {
        admitted += 1;
      },
      () => {
        failed += 1;
      },
    );

  const waves = [];
  for (let i = 0; i < 20; i++) waves.push(...Array.from({ length: 20 }, ask));
  await waves[0];
  await server.kill();
  await Promise.all(waves);
  await server.start();
  await eventually(() => spendBudget(a.store, check(yearly, 1000)));

  const { year = 0 } = await countersOf(a.redis);
  expect(admitted + failed).toBe(400);
  // A check whose answer was cut off may have been spent, each at most once.
  expect(year - 1000).toBeGreaterThanOrEqual(admitted);
  expect(year - 1000).toBeLessThanOrEqual(admitted + failed);
});

/** Stands between a client and Redis and holds back some replies until the client has given up. */
const slowProxy = async (
  redis: ServerProcess,
  isSlow: () => boolean,
): Promise<{ port: number; server: Server }> => {
  const port = await freePort();
  const server = createServer((client) => {
    const upstream = connect(redis.port, '127.0.0.1');
    let tail = Promise.resolve();
    client.pipe(upstream);
    upstream.on('data', (data) => {
      const waitMs = isSlow() ? 60 : 0;
      tail = tail
        .then(() => new Promise((done) => setTimeout(done, waitMs)))
        .then(() => void client.write(data));
    });
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true); // else the reply after a slow one waits for the kernel's delayed acknowledgement
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { port, server };
};

test('given a fifth of Redis’s replies come after the timeout, when 100 checks are asked, then each is counted at most once and every admitted one is', async () => {
  await using server = await startRedis();
  let replies = 0;
  let isSlow = false;
  const proxy = await slowProxy(server, () => isSlow && ++replies % 5 === 0);
  const options = { commandTimeoutMs: 40, logger: silentLogger() };
  const redis = await connectRedis({ url: `redis://127.0.0.1:${proxy.port}`, name: 'test', ...options });
  const store = new CounterStore({ redis, keyStyle: 'kong', commandTimeoutMs: 40 });
  await eventually(() => spendBudget(store, check(yearly)));
  isSlow = true;

  const answers = [];
  for (let i = 0; i < 100; i++)
    answers.push(...(await Promise.allSettled([spendBudget(store, check(yearly))])));

  const admitted = answers.filter((answer) => answer.status === 'fulfilled').length;
  await using direct = await openStore(server);
  const { year = 0 } = await countersOf(direct.redis);
  expect(admitted).toBeGreaterThan(0);
  expect(admitted).toBeLessThan(100);
  expect(year).toBeGreaterThanOrEqual(admitted + 1);
  expect(year).toBeLessThanOrEqual(101);
  redis.disconnect();
  proxy.server.close();
});
