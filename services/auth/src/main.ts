import {
  announceReady,
  Bus,
  busLogin,
  createLogger,
  instanceName,
  readSettings,
  runUntilStopped,
  startTelemetry,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { Settings } from './settings.ts';
import { startAuth } from './start-auth.ts';

const settings = readSettings(Settings, process.env);
const instance = settings.INSTANCE ?? instanceName('auth');
const logger = createLogger({ service: 'auth', instance, level: settings.LOG_LEVEL });
const telemetry = await startTelemetry('auth', process.env, { instance });
const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'auth', logger });
const { version } = manifest;
const auth = await startAuth({ settings, instance, version, bus, logger, environment: process.env });
runUntilStopped(logger, settings.DRAIN_TIMEOUT_MS, async () => {
  await auth.stop();
  await telemetry.shutdown();
});
const detail = await auth.serve();
announceReady({ process: 'auth', instance, ports: { status: auth.statusPort }, detail });
