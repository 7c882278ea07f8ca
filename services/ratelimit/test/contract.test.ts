import {
  type RequestReplyContract,
  ratelimitCheck,
  ratelimitLease,
  ratelimitSettle,
} from '@sluice/contracts';
import { Bus, createMetrics, Lane } from '@sluice/service-kit';
import { silentLogger, startNats, startRedis, verifyContract } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { answerChecks } from '../src/answer.ts';
import { ratelimitMetrics } from '../src/metrics.ts';
import { spendBudget } from '../src/spend.ts';
import { check, openStore } from './harness.ts';

/** What the clock decides; everything else in a reply must be as in the example. */
const withoutTimes = (reply: unknown): unknown =>
  JSON.parse(JSON.stringify(reply), (name, value) => (name === 'resetMs' || name === 'ttlMs' ? 'ms' : value));

test.each(
  [ratelimitCheck, ratelimitLease, ratelimitSettle].map((contract) => [contract.subject, contract] as const),
)(
  'given an empty Redis, when the examples of %s are asked over NATS, then the answers are those of the contract',
  async (_subject, contract) => {
    await using nats = await startNats();
    await using server = await startRedis();
    await using a = await openStore(server);
    const metrics = ratelimitMetrics(createMetrics('ratelimit', 'test'), () => true);
    // The first call carries the script; the contract's 45 ms are for those that follow.
    await spendBudget(a.store, check([{ period: 'year', limit: 1 }], 1, 'warm'));

    await verifyContract({ ...contract, timeoutMs: 5000 } as unknown as RequestReplyContract, {
      natsUrl: nats.url,
      serve: (bus) => answerChecks(bus, { store: a.store, metrics, logger: silentLogger() }),
      match: (reply, example) =>
        expect(withoutTimes(reply), example.name).toEqual(withoutTimes(example.reply)),
    });
  },
);

test('given Redis is gone, when checks come over NATS, then each answer says store_unavailable and is counted', async () => {
  await using nats = await startNats();
  await using server = await startRedis();
  await using a = await openStore(server);
  const registry = createMetrics('ratelimit', 'test');
  const metrics = ratelimitMetrics(registry, () => a.store.problem === undefined);
  const logger = silentLogger();
  const provider = Bus.open({ url: nats.url, name: 'provider', logger });
  const asker = Bus.open({ url: nats.url, name: 'asker', logger });
  answerChecks(provider, { store: a.store, metrics, logger });
  await (await provider.connection).flush();
  await asker.connection;
  const lane = new Lane(asker, { ...ratelimitCheck, timeoutMs: 5000 }, { isIdempotent: false });
  const ask = () => lane.ask(check([{ period: 'minute', limit: 1000 }]));

  await ask();
  await server.kill();
  const answers = await Promise.allSettled([ask(), ask()]);

  expect(answers).toMatchObject(
    Array(2).fill({ reason: { kind: 'failed', message: expect.stringContaining('store_unavailable') } }),
  );
  const text = await registry.metrics();
  expect(text).toContain('sluice_ratelimit_checks_total{outcome="allow"} 1');
  expect(text).toContain('sluice_ratelimit_checks_total{outcome="error"} 2');
  expect(text).toContain('sluice_ratelimit_spend_seconds_count 3');
  expect(text).toContain('sluice_ratelimit_redis_up 0');
  await asker.close();
  await provider.close();
});
