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
  redisUrl,
  runUntilStopped,
  startStatusServer,
  startTelemetry,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { Settings } from './settings.ts';
import { startMirror } from './start-mirror.ts';

const SERVICE = 'quota-mirror';
const REDIS_TIMEOUT_MS = 1000;

const settings = readSettings(Settings, process.env);
const instance = settings.INSTANCE ?? instanceName(SERVICE);
const logger = createLogger({ service: SERVICE, instance, level: settings.LOG_LEVEL });
const telemetry = await startTelemetry(SERVICE, process.env, { instance, choosesRoots: true });
const metrics = createMetrics(SERVICE, manifest.version);
const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'quota-mirror', logger });
observeBus(metrics, bus);
const redis = await connectRedis({
  url: redisUrl(settings),
  name: SERVICE,
  commandTimeoutMs: REDIS_TIMEOUT_MS,
  logger,
});
const mirror = startMirror({ settings, bus, redis, metrics, logger, telemetry });
const status = await startStatusServer({
  host: settings.STATUS_HOST,
  port: settings.STATUS_PORT,
  metrics,
  problems: mirror.problems,
});

runUntilStopped(logger, settings.DRAIN_TIMEOUT_MS, async () => {
  await mirror.stop();
  await bus.drain();
  redis.disconnect();
  await status.close();
  await telemetry.shutdown();
});

await mirror.ready;
const detail = await mirror.detail();
announceReady({ process: SERVICE, instance, ports: { status: status.port }, detail });
logger.info({ status: status.port, detail }, 'ready');
