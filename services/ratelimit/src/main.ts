import {
  announceReady,
  Bus,
  busLogin,
  connectRedis,
  createLogger,
  createMetrics,
  instanceName,
  observeBus,
  readSettings,
  redisAddress,
  redisUrl,
  runUntilStopped,
  startTelemetry,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { answerChecks } from './answer.ts';
import { ratelimitMetrics } from './metrics.ts';
import { openStatus } from './open-status.ts';
import { Settings } from './settings.ts';
import { CLIENT_WAITS, CounterStore } from './store.ts';

/** A Redis that starts with us is there by then; without one the edges must learn soon that they decide alone. */
const REDIS_WAIT_MS = 1000;

const settings = readSettings(Settings, process.env);
const { COMMAND_TIMEOUT_MS: commandTimeoutMs, KEY_STYLE: keyStyle } = settings;
const url = redisUrl(settings);
const instance = settings.INSTANCE ?? instanceName('ratelimit');
const logger = createLogger({ service: 'ratelimit', instance, level: settings.LOG_LEVEL });
const telemetry = await startTelemetry('ratelimit', process.env, { instance });

const redis = await connectRedis({
  ...{ url, name: instance, logger },
  commandTimeoutMs: CLIENT_WAITS * commandTimeoutMs,
});
const store = new CounterStore({ redis, keyStyle, commandTimeoutMs, address: redisAddress(url) });
const registry = createMetrics('ratelimit', manifest.version);
const metrics = ratelimitMetrics(registry, () => store.problem === undefined);
const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'ratelimit', logger });
observeBus(registry, bus);

const status = await openStatus(settings, { bus, store, registry });

runUntilStopped(logger, settings.DRAIN_TIMEOUT_MS, async () => {
  await bus.drain(settings.DRAIN_TIMEOUT_MS);
  await redis.quit().catch(() => redis.disconnect()); // it refuses to quit while it is away
  await status.close();
  await telemetry.shutdown();
});

// Redis first: a check that came before it would fail, while another instance could have decided it.
const isLoaded = await store.warmUp(REDIS_WAIT_MS);
answerChecks(bus, { store, metrics, logger });
await (await bus.connection).flush();
const detail = isLoaded ? `Lua loaded · redis ${store.address}` : `redis ${store.address} is away`;
announceReady({ process: 'ratelimit', instance, ports: { status: status.port }, detail });
logger.info({ redis: store.address, statusPort: status.port }, 'ready');
