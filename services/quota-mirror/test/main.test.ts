import { Bus, JetStream } from '@sluice/service-kit';
import { eventually, silentLogger, startNats, startRedis } from '@sluice/testkit';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { eventOf, quota, settled } from './given.ts';
import { MirrorProcess } from './mirror-process.ts';

test('given its servers, then the process says it is ready, how far it is, and shows it in its metrics', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await using mirror = new MirrorProcess(nats, redis).start();

  const ready = await mirror.ready;

  expect(ready).toMatchObject({
    event: 'ready',
    process: 'quota-mirror',
    detail: 'stream QUOTAS · 0 tenants · lag 0 s',
  });
  const status = `http://127.0.0.1:${ready.ports.status}`;
  expect(await (await fetch(`${status}/readyz`)).json()).toEqual({ status: 'ready', problems: {} });
  const metrics = await (await fetch(`${status}/metrics`)).text();
  for (const name of ['pending', 'ack_pending', 'redelivered', 'lag_seconds'])
    expect(metrics).toContain(`sluice_quota_mirror_${name} 0`);
  await redis.kill();
  await eventually(async () => expect((await fetch(`${status}/readyz`)).status).toBe(503));
});

test('given events in hand, when SIGTERM comes, then they are applied, kept and acked before the process ends with 0', async () => {
  await using nats = await startNats();
  await using redis = await startRedis();
  await using mirror = new MirrorProcess(nats, redis).start();
  await mirror.ready;
  const client = await connect({ servers: nats.url });
  const bus = Bus.open({ url: nats.url, name: 'test', logger: silentLogger() });
  const jetstream = new JetStream(bus);
  const { manager } = await jetstream.raw();
  for (let n = 0; n < 300; n++)
    await client.jetstream().publish('quota.updated', JSON.stringify(eventOf(`t${n % 20}`, quota(n))));
  await eventually(
    async () => (await manager.consumers.info('QUOTAS', 'quota-mirror')).delivered.stream_seq > 0,
  );

  expect(await mirror.kill('SIGTERM')).toBe(0);

  const info = await manager.consumers.info('QUOTAS', 'quota-mirror');
  expect(info.num_redelivered).toBe(0);
  await using next = new MirrorProcess(nats, redis).start();
  await next.ready;
  await settled({ jetstream });
  expect((await jetstream.streamInfo('QUOTA_LATEST')).messages).toBe(20);
  await client.close();
  await bus.close();
});
