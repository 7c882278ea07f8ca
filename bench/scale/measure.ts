import { ratelimitCheck } from '@sluice/contracts';
import { type ServerProcess, startNats } from '@sluice/testkit';
import { connect } from 'nats';
import { Limiter } from '../leases/limiter.ts';
import { cpuMicros } from '../measure/cpu.ts';
import { surroundingsText } from '../report/page.ts';
import { surroundings } from '../report/save.ts';
import type { ServerFigures } from './figures.ts';

const QUESTIONS = 60_000;
const CHECKS = 30_000;
const ROUNDS = 6;
const AT_ONCE = 64;
const BATCH = 16;
const TENANTS = 500;
const PROTOCOL_BYTES = 160; // PUB, MSG and the inbox, twice
const LIMITS = (['minute', 'hour', 'day'] as const).map((period) => ({ period, limit: 1_000_000_000 }));

/** Runs it so many times, some at once; µs of CPU that the process used for each, in the cheapest of some rounds. */
const costOf = async (pid: number, times: number, run: (n: number) => Promise<unknown>): Promise<number> => {
  let next = 0;
  const round = async () => {
    const [from, before] = [next, cpuMicros(pid)];
    const until = from + times / ROUNDS;
    const worker = async () => {
      while (next < until) await run(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return (cpuMicros(pid) - before) / (next - from);
  };
  const costs: number[] = [];
  for (let n = 0; n < ROUNDS; n++) costs.push(await round());
  return Math.min(...costs); // what else the machine does only adds
};

const pidOf = ({ pid }: ServerProcess): number => pid ?? 0;

/** A question and its answer between two clients of a nats-server, in µs of its CPU. */
const measureNats = async (checks: number): Promise<number> => {
  await using nats = await startNats();
  const [asker, limiter] = [await connect({ servers: nats.url }), await connect({ servers: nats.url })];
  const { request, reply } = sample(checks);
  limiter.subscribe('question', { queue: 'q', callback: (_, message) => void message.respond(reply) });
  await limiter.flush();
  const cost = await costOf(pidOf(nats), QUESTIONS, () => asker.request('question', request));
  await asker.close();
  await limiter.close();
  return cost;
};

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A message with so many checks, and its answer. */
const sample = (checks: number) => {
  const [example] = ratelimitCheck.examples;
  if (example === undefined) throw new Error('ratelimit.v1.check has no example');
  const repeated = <T>([first]: readonly T[]) => Array.from({ length: checks }, () => first);
  const { request, reply } = example;
  return {
    request: bytesOf({ ...request, checks: repeated(request.checks) }),
    reply: bytesOf({ ...reply, results: repeated(reply.results) }),
  };
};

const measureRedis = async (): Promise<{ check: number; lease: number }> => {
  await using limiter = await Limiter.start();
  const now = Date.now();
  const keyOf = (n: number) => `ratelimit:r1:s1:tenant-${n % TENANTS}`;
  const check = await costOf(limiter.pid, CHECKS, (n) =>
    limiter.check({ key: keyOf(n), cost: 1, limits: LIMITS }, now),
  );
  const lease = await costOf(limiter.pid, CHECKS, async (n) => {
    const [key, leaseId] = [keyOf(n), `lease-${n}`];
    await limiter.lease({ key, leaseId, wants: 20, edges: 4, ttlMs: 2000, limits: LIMITS }, now);
    await limiter.settle({ key, leaseId, unused: 3 }, now);
  });
  return { check, lease };
};

/** Measures the servers; what a request costs processes of ours is in the chain's last table. */
export const measure = async (): Promise<ServerFigures> => {
  const [question, batch] = [await measureNats(1), await measureNats(BATCH)];
  const redis = await measureRedis();
  const { request, reply } = sample(1);
  return {
    on: surroundingsText(surroundings()),
    natsQuestionUs: question,
    natsBatchedCheckUs: batch / BATCH,
    redisCheckUs: redis.check,
    redisLeaseUs: redis.lease,
    questionBytes: request.length + reply.length + PROTOCOL_BYTES,
  };
};
