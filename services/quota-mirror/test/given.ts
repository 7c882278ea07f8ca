import { Bus, connectRedis, createMetrics, JetStream, type Redis } from '@sluice/service-kit';
import { eventually, type ServerProcess, silentLogger } from '@sluice/testkit';
import { connect, type NatsConnection } from 'nats';
import { Settings } from '../src/settings.ts';
import { type RunningMirror, startMirror } from '../src/start-mirror.ts';

/** The envelope of the platform around a payload, as the original publisher writes it. */
export const eventOf = (tenantId: string, payload: unknown, more: Record<string, unknown> = {}) => ({
  eventId: crypto.randomUUID(),
  occurredAt: new Date().toISOString(),
  tenantId,
  platformId: 'platform-1',
  correlationId: 'c-1',
  actor: 'litellm',
  payload,
  ...more,
});

/** A month's quota that ends far in the future. */
export const quota = (used: number, more: Record<string, unknown> = {}) => ({
  limit: 10_000,
  used,
  remaining: 10_000 - used,
  period: 'monthly',
  resetAt: '2099-01-01T00:00:00Z',
  ...more,
});

export interface Running extends AsyncDisposable {
  readonly mirror: RunningMirror;
  readonly redis: Redis;
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** A plain client: what the outside world uses. */
  readonly nats: NatsConnection;
  readonly publish: (body: unknown) => Promise<number>;
  readonly hash: (tenantId: string) => Promise<Record<string, string>>;
}

/** The mirror of this process on real servers, ready to work. */
export const startedMirror = async (
  nats: ServerProcess,
  redisServer: ServerProcess,
  env: Record<string, string> = {},
): Promise<Running> => {
  const logger = silentLogger();
  const bus = Bus.open({ url: nats.url, name: 'quota-mirror', logger });
  const redis = await connectRedis({ url: redisServer.url, name: 'mirror', commandTimeoutMs: 1000, logger });
  const metrics = createMetrics('quota-mirror', 'test');
  const telemetry = { enabled: false, rootShare: 0 };
  const mirror = startMirror({ settings: Settings.parse(env), bus, redis, metrics, logger, telemetry });
  await mirror.ready;
  const client = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const outside = client.jetstream();
  return {
    ...{ mirror, redis, bus, metrics, nats: client },
    jetstream: new JetStream(bus),
    publish: async (body) =>
      (await outside.publish('quota.updated', typeof body === 'string' ? body : JSON.stringify(body))).seq,
    hash: (tenantId) => redis.hgetall(`quota:tenant:${tenantId}`),
    async [Symbol.asyncDispose]() {
      await client.close();
      await mirror.stop();
      await bus.close();
      redis.disconnect();
    },
  };
};

/** Waits until every event of the stream is settled. */
export const settled = async ({ jetstream }: Pick<Running, 'jetstream'>): Promise<void> => {
  const { manager } = await jetstream.raw();
  await eventually(async () => {
    const info = await manager.consumers.info('QUOTAS', 'quota-mirror');
    return info.num_pending + info.num_ack_pending === 0;
  }, 20_000);
};
