import { quotaLatest, quotaStateChanged, STREAMS } from '@sluice/contracts';
import type { JetStream } from '@sluice/service-kit';
import { eventually, startNats, startRedis } from '@sluice/testkit';
import { headers, StringCodec } from 'nats';
import { expect, test } from 'vitest';
import { eventOf, quota, settled, startedMirror } from './given.ts';

const text = StringCodec();

test.each(['core', 'JetStream'])(
  'given the original’s event published by %s, then Redis shows the original’s hash at once',
  async (how) => {
    await using natsServer = await startNats();
    await using redisServer = await startRedis();
    await using given = await startedMirror(natsServer, redisServer);
    const payload = {
      limit: 10_000,
      used: 4532,
      remaining: 5468,
      period: 'monthly',
      resetAt: '2099-11-01T00:00:00Z',
    };
    const body = JSON.stringify(eventOf('tenant-123', payload, { occurredAt: '2025-10-27T20:00:00.123456' }));

    if (how === 'core') given.nats.publish('quota.updated', text.encode(body));
    else await given.publish(body);

    await eventually(async () =>
      expect(await given.hash('tenant-123')).toMatchObject({
        limit: '10000',
        used: '4532',
        remaining: '5468',
        period: 'monthly',
        reset_at: '2099-11-01T00:00:00Z',
        last_updated: '2025-10-27T20:00:00.123456',
      }),
    );
  },
);

test('given usage events, duplicates among them, then the sums are exact and the tenant’s state is untouched', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  await given.publish(eventOf('t', quota(5)));
  const call = eventOf('t', {
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, cost_usd: 0.01 },
  });

  for (const body of [call, call, { ...call, eventId: 'other' }, call]) await given.publish(body);
  await settled(given);

  expect(await given.redis.hgetall('quota:usage:{t}')).toMatchObject({
    prompt_tokens: '20',
    total_tokens: '24',
    cost_nano_usd: '20000000',
  });
  expect(await given.hash('t')).toMatchObject({ limit: '10000', used: '5' });
});

test('given events of one tenant in any order, with repetitions, then the newest stays, in Redis and as last value', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  const at = (second: number) => new Date(Date.now() - 100_000 + second * 1000).toISOString();
  const tenant = 'Acme & Söhne/eu';

  for (const second of [3, 9, 1, 9, 5, 2]) {
    await given.publish(eventOf(tenant, quota(second), { eventId: `e${second}`, occurredAt: at(second) }));
    await given.publish(eventOf(tenant, quota(second), { eventId: `e${second}`, occurredAt: at(second) }));
  }
  await settled(given);

  expect(await given.hash(tenant)).toMatchObject({ used: '9', event_id: 'e9' });
  const { messages } = await given.jetstream.streamInfo('QUOTA_LATEST');
  expect(messages).toBe(1);
  const [last] = await lastValues(given.jetstream);
  expect(last).toMatchObject({
    tenantId: tenant,
    eventId: 'e9',
    payload: { limit: 10_000, used: 9, remaining: 9991 },
  });
});

const lastValues = async (jetstream: JetStream) => {
  const { manager } = await jetstream.raw();
  const { state } = await manager.streams.info('QUOTA_LATEST', { subjects_filter: '>' });
  return Promise.all(
    Object.keys(state.subjects ?? {}).map(async (subject) => {
      const message = await jetstream.readLast('QUOTA_LATEST', subject);
      return quotaLatest.payload.parse(JSON.parse(new TextDecoder().decode(message?.data)));
    }),
  );
};

test('given an old sample replayed by hand, then nothing newer changes; for an unknown tenant it shows', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  const sample = (tenant: string) =>
    eventOf(tenant, quota(4532, { resetAt: '2025-11-01T00:00:00Z' }), { occurredAt: '2025-10-27T20:00:00Z' });
  await given.publish(eventOf('known', quota(7)));

  await given.publish(sample('known'));
  await given.publish(sample('unknown'));
  await settled(given);

  expect(await given.hash('known')).toMatchObject({ used: '7' });
  expect(await given.hash('unknown')).toMatchObject({ used: '4532', reset_at: '2025-11-01T00:00:00Z' });
});

test('given poison of every reason between good events, then each is a dead letter once, as it was, and the rest is applied', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer, { MAX_DELIVERIES: '2' });
  await given.redis.hset('quota:usage:{broken}', { total_tokens: 'many' });
  const poison: readonly (readonly [string, string])[] = [
    ['invalid_json', '{"bad": \u0000'],
    ['invalid_envelope', JSON.stringify(eventOf('t', quota(1), { eventId: null }))],
    ['missing_tenant', JSON.stringify({ eventId: 'e', occurredAt: 'x', payload: quota(1) })],
    ['invalid_payload', JSON.stringify(eventOf('t', { used: 1 }))],
    ['max_deliver', JSON.stringify(eventOf('broken', { usage: { total_tokens: 1 } }))],
  ];
  const js = given.nats.jetstream();
  const sent = new Map<string, { seq: number; body: string }>();
  for (const [reason, body] of poison) {
    const extra = headers();
    extra.set('X-Source', reason);
    const { seq } = await js.publish('quota.updated', text.encode(body), {
      headers: extra,
      msgID: `id-${reason}`,
    });
    sent.set(reason, { seq, body });
    await given.publish(eventOf(`good-${reason}`, quota(1)));
  }

  await settled(given);

  const dead = [];
  const { messages } = await given.jetstream.streamInfo('DEADLETTER');
  for (let seq = 1; seq <= messages; seq++) {
    const { manager } = await given.jetstream.raw();
    dead.push(await manager.streams.getMessage('DEADLETTER', { seq }));
  }
  expect(dead.map((message) => message.header.get('X-Dead-Reason')).sort()).toEqual(
    poison.map(([r]) => r).sort(),
  );
  for (const message of dead) {
    const reason = message.header.get('X-Dead-Reason');
    expect(message.subject).toBe('quota.dead');
    expect(text.decode(message.data)).toBe(sent.get(reason)?.body);
    expect(message.header.get('X-Orig-Seq')).toBe(`${sent.get(reason)?.seq}`);
    expect(message.header.get('X-Orig-Stream')).toBe('QUOTAS');
    expect(message.header.get('X-Orig-Subject')).toBe('quota.updated');
    expect(message.header.get('X-Orig-Msg-Id')).toBe(`id-${reason}`);
    expect(message.header.get('X-Source')).toBe(reason);
    expect(message.header.get('X-Deliveries')).toBe(reason === 'max_deliver' ? '2' : '1');
    expect(message.header.get('X-Dead-Message')).not.toBe('');
    expect(await given.hash(`good-${reason}`)).toMatchObject({ used: '1' });
  }
  const metrics = await given.metrics.metrics();
  expect(metrics).toContain('sluice_quota_events_total{result="poison"} 5');
  expect(metrics).toContain('sluice_deadletter_total{reason="missing_tenant"} 1');
});

test('given poison as large as the server takes, then its beginning is kept and says how much there was', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  const bytes = 1024 * 1024;

  await given.nats.jetstream().publish('quota.updated', new Uint8Array(bytes).fill(0x78));
  await settled(given);

  const { manager } = await given.jetstream.raw();
  const dead = await manager.streams.getMessage('DEADLETTER', { seq: 1 });
  expect(dead.header.get('X-Dead-Truncated')).toBe(`${bytes}`);
  expect(dead.data.length).toBeGreaterThan(bytes - 10_000);
});

test('given a tenant that crosses its lines, then each crossing is told once', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  await using given = await startedMirror(natsServer, redisServer);
  const told: string[] = [];
  given.bus.on(quotaStateChanged, ({ tenantId, payload }) => {
    told.push(`${tenantId} ${payload.from}>${payload.to} ${payload.used}/${payload.limit}`);
  });
  await (await given.bus.connection).flush();

  for (const used of [10, 80, 80, 90, 100, 120, 5]) {
    await given.publish(eventOf('t', quota(used, { limit: 100 }), { eventId: `${used}` }));
    await settled(given);
  }

  await eventually(() =>
    expect(told).toEqual(['t ok>alert 80/100', 't alert>exceeded 100/100', 't exceeded>ok 5/100']),
  );
});

test('given the original’s stream of one day, when the mirror starts, then it keeps 35 days and the events that wait are applied', async () => {
  await using natsServer = await startNats();
  await using redisServer = await startRedis();
  const { connect, nanos } = await import('nats');
  const original = await connect({ servers: natsServer.url });
  const manager = await original.jetstreamManager();
  await manager.streams.add({ name: 'QUOTAS', subjects: ['quota.updated'], max_age: nanos(86_400_000) });
  await original.jetstream().publish('quota.updated', text.encode(JSON.stringify(eventOf('t', quota(3)))));

  await using given = await startedMirror(natsServer, redisServer);
  await eventually(async () => expect(await given.hash('t')).toMatchObject({ used: '3' }));

  const { config } = await manager.streams.info('QUOTAS');
  expect(config.max_age).toBe(nanos(STREAMS.QUOTAS.maxAgeSeconds * 1000));
  await original.close();
});
