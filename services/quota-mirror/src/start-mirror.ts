import {
  type BatchConsumer,
  type Bus,
  consumeBatches,
  JetStream,
  type Logger,
  type Redis,
  type Registry,
  type Telemetry,
} from '@sluice/service-kit';
import { ensureStreams } from './ensure-streams.ts';
import { keysOf } from './keys.ts';
import { LatestValues } from './latest-values.ts';
import { type Mirror, mirrorBatch } from './mirror-quota.ts';
import { answerQuotas } from './quota-board.ts';
import { Rebuilder } from './rebuild.ts';
import { type RedisWatch, watchRedis } from './redis-watch.ts';
import { createReport, type Report } from './report.ts';
import type { Settings } from './settings.ts';
import { inBatchSpan } from './trace-batch.ts';
import { requestStates, watchGaps } from './watch-gaps.ts';

/** Shorter than any patience with a dead process: what it held is delivered to another after this. */
const ACK_WAIT_MS = 5000;
/** Events wait for the flush of their tenant, which begins when a quarter of these are waiting, at the latest. */
const MAX_ACK_PENDING = 20_000;
/** Of many events at once only the newest of each tenant travels on: the larger the cheaper. */
const MAX_BATCH = 5000;
const LOOK_EVERY_MS = 2000;

export interface RunningMirror {
  /** What is wrong, by dependency; entries that begin with `~` leave the process ready. */
  readonly problems: () => Record<string, string>;
  /** Resolves when the first events could be mirrored: streams, consumer and a complete Redis are there. */
  readonly ready: Promise<void>;
  readonly detail: () => Promise<string>;
  /** Stops pulling, finishes what is in hand, keeps it, acks it. */
  readonly stop: () => Promise<void>;
}

interface Parts {
  readonly settings: Settings;
  readonly bus: Bus;
  readonly redis: Redis;
  readonly metrics: Registry;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'enabled' | 'rootShare'>;
}

/** Wires the parts of the mirror and keeps them going. */
export const startMirror = ({ settings, bus, redis, metrics, logger, telemetry }: Parts): RunningMirror => {
  const jetstream = new JetStream(bus);
  const store = { redis, keys: keysOf(settings.REDIS_KEY_PREFIX) };
  const report = createReport(metrics);
  const latest = new LatestValues(store, jetstream, logger);
  const known = { epoch: undefined as number | undefined, settledBeforeMs: 0 };
  const stream = settings.NATS_STREAM;
  const lookForGaps = watchGaps(report, logger, (missed) => requestStates(bus, missed));
  tellDurability(settings, report, logger);
  answerQuotas(bus, jetstream, settings.ALERT_THRESHOLD_PERCENT);
  const mirror: Mirror = {
    ...{ bus, jetstream, store, latest, report, logger },
    ...{ maxDeliveries: settings.MAX_DELIVERIES, thresholdPercent: settings.ALERT_THRESHOLD_PERCENT },
    settled: () => ({ epoch: known.epoch ?? 0, beforeMs: known.settledBeforeMs }),
    suspectRedis: () => watch.suspect(),
  };
  const tracing = { telemetry, subject: settings.NATS_SUBJECT, durable: settings.NATS_CONSUMER };
  const consumer = consumeBatches(jetstream, {
    ...{ stream, logger, paused: true },
    durable: settings.NATS_CONSUMER,
    filter: settings.NATS_SUBJECT,
    ackWaitMs: ACK_WAIT_MS,
    maxAckPending: MAX_ACK_PENDING,
    maxBatch: MAX_BATCH,
    beforeOpen: async () => {
      known.settledBeforeMs = 0;
      const wanted = { stream, subject: settings.NATS_SUBJECT, replicas: settings.NATS_REPLICAS };
      known.epoch = await ensureStreams(jetstream, logger, wanted);
      // A consumer that is not there yet has missed nothing.
      const before = await consumer.progress().catch(() => undefined);
      if (before !== undefined) lookForGaps(before);
    },
    onBatch: (deliveries) => inBatchSpan(tracing, deliveries, () => mirrorBatch(mirror, deliveries)),
  });
  const rebuilder = new Rebuilder({
    ...{ store, jetstream, stream, logger },
    epoch: () => known.epoch,
    isRedisThere: () => watch.isThere,
  });
  const watch = watchRedis(redis, {
    away: () => consumer.pause(),
    back: () => {
      rebuilder.redisCameBack();
      consumer.resume();
    },
  });
  const looking = setInterval(() => {
    report.completeness(rebuilder.isLoaded, latest.known);
    if (!bus.isConnected) return; // while Redis is away it is looked on: that is when events grow old
    consumer.progress().then(
      (progress) => {
        report.progressed(progress);
        report.rebuilt(rebuilder.counters.rebuilds);
        known.settledBeforeMs = consumer.state === 'open' ? progress.settledBeforeMs : 0;
        if (consumer.state === 'open') lookForGaps(progress);
      },
      (error: unknown) => logger.debug({ err: error }, 'no word about the consumer'),
    );
  }, LOOK_EVERY_MS);
  const problems = () => problemsOf(bus, watch, consumer, rebuilder);
  return {
    problems,
    ready: untilReady(problems),
    detail: () => detailOf(jetstream, consumer, stream),
    stop: async () => {
      clearInterval(looking);
      watch.stop();
      rebuilder.stop();
      await consumer.stop();
      await latest.flush();
    },
  };
};

/** What the documents promise, and no more: an acknowledged event survives this. */
const tellDurability = (settings: Settings, report: Report, logger: Logger): void => {
  const { NATS_REPLICAS: replicas, NATS_SYNC } = settings;
  const durability = NATS_SYNC === 'always' ? 'disk' : 'os';
  report.durability(durability, replicas);
  if (durability === 'os' && replicas === 1)
    logger.info(
      { durability, replicas },
      'an acknowledged event survives a killed process, not a loss of power: set sync_interval: always (and NATS_SYNC) or NATS_REPLICAS',
    );
};

const detailOf = async (jetstream: JetStream, consumer: BatchConsumer, stream: string): Promise<string> => {
  try {
    const { messages: tenants } = await jetstream.streamInfo('QUOTA_LATEST');
    const { lagMs } = await consumer.progress();
    return `stream ${stream} · ${tenants} tenants · lag ${Math.round(lagMs / 1000)} s`;
  } catch {
    return `stream ${stream}`; // the bus left again in this moment; readiness tells
  }
};

const problemsOf = (bus: Bus, watch: RedisWatch, consumer: BatchConsumer, rebuilder: Rebuilder) => ({
  ...(bus.isConnected ? {} : { nats: 'not connected' }),
  ...(watch.isThere ? {} : { redis: 'does not answer' }),
  ...(consumer.state === 'open' ? {} : { consumer: consumer.state }),
  ...(rebuilder.isLoaded ? {} : { '~data': 'redis is being rebuilt' }),
});

const untilReady = (problems: () => Record<string, string>): Promise<void> =>
  new Promise((resolve) => {
    const look = setInterval(() => {
      if (Object.keys(problems()).length > 0) return;
      clearInterval(look);
      resolve();
    }, 20);
    look.unref();
  });
