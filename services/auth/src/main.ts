import { followConfig } from '@sluice/config-log';
import {
  announceReady,
  Bus,
  createLogger,
  instanceName,
  JetStream,
  readSettings,
  runUntilStopped,
  startStatusServer,
  startTelemetry,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { answerChecks } from './answer-checks.ts';
import { Credentials } from './credentials.ts';
import { KeySets } from './key-sets.ts';
import { createAuthMetrics } from './metrics.ts';
import { busLogin, keySetOptions, Settings, statusAddress, verifierLimits } from './settings.ts';
import { describeIssuers, problemsOf } from './status.ts';

const settings = readSettings(Settings, process.env);
const instance = settings.INSTANCE ?? instanceName('auth');
const logger = createLogger({ service: 'auth', instance, level: settings.LOG_LEVEL });
const telemetry = await startTelemetry('auth', process.env);
const bus = Bus.open({ ...busLogin(settings), name: instance, logger });
const credentials = new Credentials(process.env, logger);
const metrics = createAuthMetrics(manifest.version, () => keySets.all);
const keySets = new KeySets({ ...keySetOptions(settings), logger, onRefresh: metrics.countRefresh });
const follower = followConfig({
  bus,
  jetstream: new JetStream(bus),
  process: 'auth',
  instance,
  logger,
  onState: (state) => keySets.follow(credentials.load(state)),
  onCommit: ({ ops }, state) => keySets.follow(credentials.follow(ops, state)),
});
const status = await startStatusServer({
  ...statusAddress(settings),
  metrics: metrics.registry,
  problems: () => problemsOf({ bus, follower, credentials, keySets }),
});
runUntilStopped(logger, settings.DRAIN_TIMEOUT_MS, async () => {
  follower.stop();
  await bus.drain(settings.DRAIN_TIMEOUT_MS);
  keySets.stop();
  await status.close();
  await telemetry.shutdown();
});

// Configuration and keys first: what came before them would fail, while another instance could have decided it.
await bus.connection.then(() => follower.catchUp());
await follower.waitFor(1, 500); // a gateway that starts as a whole gets its configuration in this time
await keySets.settled();
const verifier = { credentials, keySets, ...verifierLimits(settings), clock: Date.now };
answerChecks({ bus, verifier, standing: follower, metrics, logger });
await (await bus.connection).flush();
const detail = describeIssuers(credentials, keySets);
announceReady({ process: 'auth', instance, ports: { status: status.port }, detail });
