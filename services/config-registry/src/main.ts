import {
  announceReady,
  Bus,
  busLogin,
  createLogger,
  instanceName,
  readSettings,
  runUntilStopped,
  startTelemetry,
  unusedKongNames,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { Settings } from './settings.ts';
import { startRegistry } from './start-registry.ts';

const settings = readSettings(Settings, process.env);
const instance = settings.INSTANCE ?? instanceName('config-registry');
const logger = createLogger({ service: 'config-registry', instance, level: settings.LOG_LEVEL });
// Who started it together with the others has said so.
const unused = process.send === undefined ? unusedKongNames(process.env) : undefined;
if (unused !== undefined) logger.warn(unused);
const telemetry = await startTelemetry('config-registry', process.env, { instance });
const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'config-registry', logger });

let stop = () => bus.drain();
runUntilStopped(logger, settings.DRAIN_TIMEOUT_MS, async () => {
  await stop();
  await telemetry.shutdown();
});

try {
  const { version } = manifest;
  const environment = { REDIS_URL: process.env.REDIS_URL };
  const registry = await startRegistry({ settings, instance, version, bus, logger, environment });
  stop = registry.stop;
  const { adminPort: admin, adminTlsPort: adminTls, statusPort: status } = registry;
  const ports = { admin, status, ...(adminTls === undefined ? {} : { adminTls }) };
  announceReady({ process: 'config-registry', instance, ports, detail: registry.describe() });
  logger.info({ ...ports, detail: registry.describe() }, 'ready');
} catch (error) {
  logger.fatal({ err: error }, 'cannot start');
  logger.flush(() => process.exit(1));
}
