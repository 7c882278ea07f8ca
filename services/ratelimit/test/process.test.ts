import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { ratelimitCheck, ratelimitLease, ratelimitSettle } from '@sluice/contracts';
import { Bus, Lane, type ReadyMessage } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { check, countersOf, NIL_UUID, openStore } from './harness.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

interface Instance extends AsyncDisposable {
  readonly ready: ReadyMessage;
  readonly child: ChildProcess;
  /** @returns the exit code after SIGTERM. */
  stop(): Promise<number | null>;
  get(path: string): Promise<{ status: number; text: string }>;
}

const startInstance = async (nats: ServerProcess, redis: ServerProcess, env = {}): Promise<Instance> => {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      STATUS_PORT: '0',
      LOG_LEVEL: 'silent',
      COMMAND_TIMEOUT_MS: '5000',
      ...env,
    },
  });
  const [ready] = (await once(child, 'message')) as [ReadyMessage];
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    return ((await exited) as [number | null])[0];
  };
  return {
    ready,
    child,
    stop,
    get: async (path) => {
      const response = await fetch(`http://127.0.0.1:${ready.ports.status}${path}`);
      return { status: response.status, text: await response.text() };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
};

const openAsker = async (nats: ServerProcess): Promise<Bus> => {
  const bus = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  await bus.connection;
  return bus;
};

test('given the process runs, when it is asked over the bus, then it spends, leases and settles, and tells its state', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await using limiter = await startInstance(nats, redis, { COMMAND_TIMEOUT_MS: '500' });
  expect(limiter.ready).toMatchObject({
    process: 'ratelimit',
    detail: `Lua loaded · redis 127.0.0.1:${redis.port}`,
  });
  const bus = await openAsker(nats);
  const patient = { timeoutMs: 5000 };
  const key = `ratelimit:r1:${NIL_UUID}:tenant-123`;
  const limits = [{ period: 'year' as const, limit: 1000 }];

  const spent = await new Lane(bus, { ...ratelimitCheck, ...patient }, { isIdempotent: false }).ask({
    key,
    cost: 10,
    limits,
  });
  const leased = await new Lane(bus, { ...ratelimitLease, ...patient }, { isIdempotent: false }).ask({
    key,
    leaseId: 'e1-1',
    wants: 20,
    edges: 1,
    ttlMs: 1000,
    limits,
  });
  const settled = await new Lane(bus, { ...ratelimitSettle, ...patient }, { isIdempotent: true }).ask({
    key,
    leaseId: 'e1-1',
    unused: 5,
  });

  expect(spent).toMatchObject({ outcome: 'allow', windows: [{ remaining: 990 }] });
  expect(leased).toMatchObject({ outcome: 'allow', granted: 20, windows: [{ remaining: 970 }] });
  expect(settled).toMatchObject({ outcome: 'allow', returned: 5 });
  const { text } = await limiter.get('/metrics');
  expect(text).toContain('sluice_ratelimit_checks_total{outcome="allow"} 1');
  expect(text).toContain('sluice_ratelimit_leases_total{outcome="granted"} 1');
  expect(text).toContain('sluice_ratelimit_leases_total{outcome="settled"} 1');
  expect(text).toContain('sluice_ratelimit_lease_tokens_total{outcome="returned"} 5');
  expect(text).toContain('sluice_ratelimit_redis_up 1');

  expect(JSON.parse((await limiter.get('/readyz')).text)).toEqual({ status: 'ready', problems: {} });
  await redis.kill();
  const degraded = await eventually(async () => {
    const answer = await limiter.get('/readyz');
    return answer.text.includes('degraded') && answer;
  });
  expect(degraded).toEqual({ status: 200, text: '{"status":"degraded","problems":{"redis":"away"}}' });
  await redis.start();
  await eventually(async () => (await limiter.get('/readyz')).text.includes('"ready"'));
  await nats.kill();
  await eventually(async () => (await limiter.get('/readyz')).status === 503);

  expect(await limiter.stop()).toBe(0);
  await bus.close();
});

test('given Redis is away and its URL holds a password, when the process starts, then it says so without the password', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await redis.kill();
  const url = `redis://someone:s3cr3t-canary@127.0.0.1:${redis.port}/0`;

  await using limiter = await startInstance(nats, redis, { REDIS_URL: url });

  expect(limiter.ready.detail).toBe(`redis 127.0.0.1:${redis.port} is away`);
  expect(JSON.stringify(limiter.ready)).not.toContain('s3cr3t');
  expect(await limiter.stop()).toBe(0);
});

test('given two instances under 1,000 checks a second, when each is restarted in turn, then no check fails and each is counted once', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await using first = await startInstance(nats, redis);
  await using second = await startInstance(nats, redis);
  const bus = await openAsker(nats);
  const lane = new Lane(bus, { ...ratelimitCheck, timeoutMs: 10_000 }, { isIdempotent: false });
  const limits = [{ period: 'year' as const, limit: 1_000_000 }];
  let isLoaded = true;
  const asked: Promise<string>[] = [];
  const load = async () => {
    for await (const _tick of setInterval(10)) {
      if (!isLoaded) return;
      for (let i = 0; i < 10; i++)
        asked.push(
          lane.ask(check(limits)).then(
            () => 'answered',
            (error: Error) => error.message,
          ),
        );
    }
  };

  const loading = load();
  expect(await first.stop()).toBe(0);
  await using firstAgain = await startInstance(nats, redis);
  expect(await second.stop()).toBe(0);
  await using secondAgain = await startInstance(nats, redis);
  const before = asked.length;
  await eventually(() => asked.length > Math.max(3000, before + 500));
  isLoaded = false;
  await loading;

  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer !== 'answered')).toEqual([]);
  for (const instance of [firstAgain, secondAgain])
    expect((await instance.get('/metrics')).text).toMatch(
      /sluice_ratelimit_checks_total\{outcome="allow"\} [1-9]/,
    );
  await using counters = await openStore(redis);
  expect(await countersOf(counters.redis)).toEqual({ year: answers.length });
  await bus.close();
});
