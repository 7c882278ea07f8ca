import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Bus, connectRedis, JetStream, type Redis } from '@sluice/service-kit';
import { eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const MIRROR = join(import.meta.dirname, '../../services/quota-mirror/src/main.ts');
const stack = new AsyncDisposableStack();
let jetstream: JetStream;
let redis: Redis;
let run: (...args: string[]) => Promise<{ code: number; out: string; err: string }>;
let quietly: () => Promise<void>;

const runWith = async (urls: readonly string[], args: readonly string[]) => {
  const said = { out: '', err: '' };
  const collect = (stream: keyof typeof said) =>
    new Writable({
      write(chunk, _encoding, done) {
        said[stream] += String(chunk);
        done();
      },
    });
  const io = { env: {}, cwd: '/', root: '/', out: collect('out'), err: collect('err') };
  const readInput = () => Promise.resolve('');
  return { code: await runCli(['quota', ...args, ...urls], { ...io, readInput }), ...said };
};

const startedMirror = async (nats: string, redisUrl: string): Promise<ChildProcess> => {
  const env = { ...process.env, NATS_URL: nats, REDIS_URL: redisUrl, STATUS_PORT: '0', LOG_LEVEL: 'silent' };
  const child = spawn(process.execPath, [MIRROR], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return child;
};

beforeAll(async () => {
  const natsServer = stack.use(await startNats());
  const redisServer = stack.use(await startRedis());
  const mirror = await startedMirror(natsServer.url, redisServer.url);
  stack.defer(async () => {
    mirror.kill('SIGKILL');
    await once(mirror, 'exit');
  });
  const logger = silentLogger();
  const bus = Bus.open({ url: natsServer.url, name: 'test', logger });
  stack.defer(() => bus.close());
  redis = await connectRedis({ url: redisServer.url, name: 'test', commandTimeoutMs: 2000, logger });
  stack.defer(() => redis.disconnect());
  jetstream = new JetStream(bus);
  const { manager } = await jetstream.raw();
  quietly = () =>
    eventually(async () => {
      const { num_pending, num_ack_pending } = await manager.consumers.info('QUOTAS', 'quota-mirror');
      expect(num_pending + num_ack_pending).toBe(0);
    });
  run = (...args) =>
    runWith(
      ['--nats', natsServer.url, ...(args[0] === 'reconcile' ? ['--redis', redisServer.url] : [])],
      args,
    );
  const event = (eventId: string, tenantId: unknown, payload: unknown) =>
    jetstream.append('quota.updated', JSON.stringify({ eventId, tenantId, payload }), {
      headers: { 'X-Source': eventId },
    });
  for (const n of [1, 2, 3]) await event(`s${n}`, `t${n}`, { limit: 100, used: n, period: 'monthly' });
  await event('u1', 't1', { usage: { total_tokens: 5, cost_usd: 0.1 } });
  await event('u1', 't1', { usage: { total_tokens: 5, cost_usd: 0.1 } });
  await event('no tenant', undefined, { limit: 1, used: 1 });
  await event('bad', 't2', { limit: 'many', used: 1 });
  await jetstream.append('quota.updated', new Uint8Array(1024 * 1024 - 100).fill(0x78));
  await eventually(async () => expect((await jetstream.streamInfo('DEADLETTER')).messages).toBe(3));
  await quietly();
});
afterAll(() => stack.disposeAsync());

test('given dead letters, when replay is not told to apply, then it lists them, changes nothing and says so', async () => {
  const before = await jetstream.streamInfo('QUOTAS');

  const { code, out } = await run('replay');
  const asJson = JSON.parse((await run('replay', '--json', '--reason', 'invalid_payload')).out);

  expect(code).toBe(0);
  expect(out).toContain('nothing was published: this is what --apply would publish (3)');
  expect(asJson).toMatchObject({
    dryRun: true,
    total: 1,
    data: [{ tenant: 't2', reason: 'invalid_payload' }],
  });
  expect((await run('replay', '--tenant', 'nobody')).out).toBe('no dead letter fits\n');
  expect((await jetstream.streamInfo('QUOTAS')).lastSeq).toBe(before.lastSeq);
});

test('given --apply, then each chosen letter goes back whole, once, and what is still poison is a dead letter again', async () => {
  const { lastSeq } = await jetstream.streamInfo('QUOTAS');

  const first = JSON.parse((await run('replay', '--json', '--apply', '--sequence', '1-3')).out);
  const second = JSON.parse((await run('replay', '--json', '--apply', '--sequence', '1-3')).out);

  const outcomes = (told: { data: { outcome: string }[] }) => told.data.map(({ outcome }) => outcome);
  expect(outcomes(first)).toEqual(['published', 'published', 'published']);
  expect(outcomes(second)).toEqual(['published before', 'published before', 'published before']);
  const { manager } = await jetstream.raw();
  const back = await Promise.all(
    [1, 2, 3].map((n) => manager.streams.getMessage('QUOTAS', { seq: lastSeq + n })),
  );
  expect(
    back
      .map(({ data }) => data.length)
      .toSorted((a, b) => a - b)
      .at(-1),
  ).toBe(1024 * 1024 - 100);
  expect(back.map(({ header }) => header.get('X-Replayed-From')).sort()).toEqual(
    [1, 2, 3].map((n) => `DEADLETTER.${n}`),
  );
  expect(back.some(({ header }) => header.get('X-Source') === 'bad')).toBe(true);
  await eventually(async () => expect((await jetstream.streamInfo('DEADLETTER')).messages).toBe(6));
});

test.each([
  [['replay', '--reason', 'boredom'], '--reason: there is no reason boredom'],
  [['replay', '--sequence', 'x'], '--sequence: give a number such as 7'],
])('given %j, then it is refused and the remedy is named', async (args, message) => {
  const { code, err } = await run(...args);

  expect(code).toBe(1);
  expect(err).toContain(message);
});

test('given Redis as the streams say, then reconcile exits with 0; given what differs, with 2 and the differences', async () => {
  await quietly();
  expect((await run('reconcile')).code).toBe(0);

  await redis.hset('quota:tenant:t1', { used: '99' });
  await redis.del('quota:tenant:t2');
  await redis.hset('quota:tenant:stranger', { used: '1' });
  await redis.hincrby('quota:usage:{t1}', 'total_tokens', 1);
  const { code, out } = await run('reconcile', '--json');

  expect(code).toBe(2);
  const told = JSON.parse(out);
  expect(told.equal).toBe(false);
  expect(told.differences).toEqual(
    expect.arrayContaining([
      { tenant: 't1', field: 'used', redis: '99', stream: '1' },
      expect.objectContaining({ tenant: 't2', field: 'used', redis: null }),
      { tenant: 'stranger', field: 'key', redis: 'there', stream: null },
      { tenant: 't1', field: 'total_tokens', redis: '6', stream: '5' },
    ]),
  );
});

test('given nobody at the address, then the command says so without a login and exits with 3', async () => {
  const { code, err } = await runWith([], ['replay', '--nats', 'nats://me:secret@127.0.0.1:1']);

  expect(code).toBe(3);
  expect(err).toContain('nats at nats://127.0.0.1:1 does not answer');
  expect(err).not.toContain('secret');
});
