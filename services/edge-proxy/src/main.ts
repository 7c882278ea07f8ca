import { setFlagsFromString } from 'node:v8';
import {
  announceReady,
  createLogger,
  instanceName,
  readSettings,
  runUntilStopped,
  startTelemetry,
} from '@sluice/service-kit';
import { type Edge, startEdge } from './edge.ts';
import { watchHeapGrowth } from './heap-growth.ts';
import { Settings } from './settings.ts';

// A pattern from a configuration that backtracks without end would stop every tenant's requests.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
// Whatever lives long here lives from one configuration to the next. V8 takes from the start, when that is built, that
// what requests are made of lives long as well, and then they fill the old generation. See docs/adr/0059.
setFlagsFromString('--no-allocation-site-pretenuring');
watchHeapGrowth();

const settings = readSettings(Settings, process.env);
const instance = settings.INSTANCE ?? instanceName('edge-proxy');
const logger = createLogger({ service: 'edge-proxy', instance, level: settings.LOG_LEVEL });
const telemetry = await startTelemetry('edge-proxy', process.env, { instance, choosesRoots: true });

// Before the start: the first process of a container is not ended by a signal that nobody has asked for.
let edge: Edge | undefined;
runUntilStopped(
  logger,
  settings.DRAIN_TIMEOUT_MS + settings.SHUTDOWN_DELAY_MS,
  async () => edge?.stop(),
  (error) => edge?.contains(error) ?? false,
);
edge = await startEdge({ settings, instance, logger, telemetry, environment: process.env });
await edge.ready;
logger.info({ port: edge.ports.proxy, version: edge.version() }, 'serving');
announceReady({
  process: 'edge-proxy',
  instance,
  ports: edge.ports,
  detail: `http://127.0.0.1:${edge.ports.proxy}`,
});
