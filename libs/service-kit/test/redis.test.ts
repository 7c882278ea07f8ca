import { eventually, type ServerProcess, silentLogger, startRedis } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { connectRedis, createLogger } from '../src/index.ts';
import { retryWaitMs } from '../src/redis.ts';

const COMMAND_TIMEOUT_MS = 100;

const given = async (server: ServerProcess, logger = silentLogger()) => {
  const redis = await connectRedis({
    url: server.url,
    name: 'test',
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    logger,
  });
  await eventually(() => redis.status === 'ready');
  return redis;
};

test('given many processes lost Redis at one instant, then each comes back at a time of its own, later with each attempt', () => {
  const waits = (attempt: number) => new Set(Array.from({ length: 100 }, () => retryWaitMs(attempt)));
  expect(waits(1).size).toBeGreaterThan(90);
  expect([0, 1].map((least) => retryWaitMs(1, () => least))).toEqual([100, 50]);
  expect([0, 1].map((least) => retryWaitMs(9, () => least))).toEqual([500, 250]);
});

test('given Redis hangs without closing, then a command is given up; thawed, it works again', async () => {
  await using server = await startRedis();
  const redis = await given(server);
  server.freeze();

  await expect(redis.incr('spent')).rejects.toThrow(/timed out/i);

  server.thaw();
  await eventually(async () => expect(await redis.ping()).toBe('PONG'));
  redis.disconnect();
});

test('given Redis is killed, then commands are refused without waiting; started again, it comes back by itself', async () => {
  await using server = await startRedis({ durable: true });
  const lines: string[] = [];
  const logger = createLogger(
    { service: 'test', instance: 'test', level: 'info' },
    { write: (line) => lines.push(line) },
  );
  const redis = await given(server, logger);
  await redis.incr('spent');

  await server.kill();
  await eventually(() => redis.status !== 'ready');
  const refused = await Promise.allSettled(Array.from({ length: 100 }, () => redis.incr('spent')));
  expect(refused.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 'rejected'));
  const refusal = { message: expect.stringContaining('enableOfflineQueue') }; // not even tried
  for (const outcome of refused) expect(outcome).toMatchObject({ reason: refusal });

  const awayLines = () => lines.filter((line) => line.includes('redis is away'));
  await eventually(() => awayLines().length > 0);
  await server.start();
  await eventually(() => redis.status === 'ready');
  expect(await redis.get('spent')).toBe('1'); // nothing was kept and sent later
  await eventually(() => lines.some((line) => line.includes('redis is back')));
  expect(awayLines()).toHaveLength(1);
  redis.disconnect();
});

test('given a command was under way when Redis died, then it is not sent again to the next one: it would count twice', async () => {
  await using server = await startRedis({ durable: true });
  const redis = await given(server);
  server.freeze();
  await expect(redis.incr('spent')).rejects.toThrow(/timed out/i); // it is sent, and waits in the server's socket

  await server.kill();
  await server.start();
  await eventually(() => redis.status === 'ready');
  expect(await redis.get('spent')).toBeNull();
  redis.disconnect();
});
