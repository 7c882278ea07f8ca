import { type ConfigFollower, followConfig, type Retention } from '@sluice/config-log';
import { PluginFolder } from '@sluice/plugins';
import { type Bus, JetStream, type Logger, startStatusServer } from '@sluice/service-kit';
import { type AdminParts, createAdminApi } from './admin-api/admin-api.ts';
import { openAdminPorts } from './admin-listeners.ts';
import { ApiKeyRing } from './api-keys.ts';
import type { ApplyParts } from './apply-config.ts';
import { AuditLog } from './audit/audit-log.ts';
import { auditRefusals } from './audit/policy-refusals.ts';
import { Canaries } from './canary/canaries.ts';
import { Committer } from './commit.ts';
import { applyFile } from './declarative-file.ts';
import { EntityIndex } from './entities/entity-index.ts';
import { deriveEntityEvents } from './entity-events.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Generations } from './history/generations.ts';
import { LiveEdges } from './live-edges.ts';
import { LogKeeper } from './log-keeper.ts';
import { registryMetrics } from './registry-metrics.ts';
import { Revocations } from './revocations.ts';
import type { Settings } from './settings.ts';
import { keepSnapshots } from './snapshot-keeper.ts';
import { undoExpired } from './undo-expired.ts';
import { watchAhead } from './watch-ahead.ts';

const MIB = 1024 ** 2;

export interface RunningRegistry {
  readonly adminPort: number;
  /** Undefined: TLS is off. */
  readonly adminTlsPort: number | undefined;
  readonly statusPort: number;
  /** One phrase for a person: the revision and what it holds. */
  readonly describe: () => string;
  readonly stop: () => Promise<void>;
}

export interface RegistryOptions {
  readonly settings: Settings;
  readonly instance: string;
  readonly version: string;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Settings that warnings look at (REDIS_URL). */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts every part of a registry and returns when the Admin API can serve: the log is there, read to its end, and
 * holds the declarative configuration of the settings, if there is one.
 * @throws Error when that configuration is not valid, naming each problem.
 */
export const startRegistry = async (options: RegistryOptions): Promise<RunningRegistry> => {
  const { settings, instance, bus, logger } = options;
  const jetstream = new JetStream(bus);
  const plugins = await PluginFolder.open(settings.PLUGINS_DIR);
  const index = new EntityIndex();
  const follower = followConfig({
    ...{ bus, jetstream, process: 'config-registry', instance, logger },
    onState: (state) => index.rebuild(state),
    onCommit: ({ ops }) => index.apply(ops),
  });
  const keeper = new LogKeeper({ bus, jetstream, replicas: settings.NATS_REPLICAS, logger });
  const edges = new LiveEdges(bus);
  const audit = new AuditLog({ jetstream, instance, logger });
  const metrics = registryMetrics(options.version, { bus, follower, edges, audit });
  let isListening = false;
  const status = await startStatusServer({
    ...{ host: settings.STATUS_HOST, port: settings.STATUS_PORT },
    metrics,
    problems: () => problemsOf(bus, keeper, isListening),
  });
  const kept = keeper.keep(follower);
  const retention = retentionOf(settings);
  const parts: ApplyParts = {
    catalog: plugins,
    environment: options.environment,
    committer: new Committer({ bus, jetstream, follower, keeper, retention }),
    edges,
    ackTimeoutMs: settings.ACK_TIMEOUT_MS,
    logger,
  };
  const revocations = new Revocations({ bus, jetstream, edges, logger });
  const canaries = new Canaries({ ...parts, bus, jetstream, follower, audit, instance });
  const known = { audit, follower, index, revocations, plugins, metrics, canaries, bus, instance };
  const app = adminApiOf({ ...parts, ...known }, settings, jetstream);
  await Promise.all([kept, app.ready()]); // put together while the bus answers
  const running = [
    canaries,
    edges,
    revocations,
    startHeartbeat({ bus, follower, keeper, edges }),
    keepSnapshots({ jetstream, follower, retention, logger }),
    watchAhead({ follower, edges, keeper, logger }),
    undoExpired({ ...parts, index, follower }),
  ];
  const events = deriveEntityEvents({ jetstream, audit, untilLive: untilLiveOn(edges, settings), logger });
  const refusals = auditRefusals({ jetstream, audit, logger });
  await applyAtStart({ ...parts, jetstream }, settings, follower.position.seq);
  const admin = await openAdminPorts(app, settings);
  isListening = true;
  return {
    adminPort: admin.port,
    adminTlsPort: admin.tlsPort,
    statusPort: status.port,
    describe: () => descriptionOf(follower),
    stop: async () => {
      await admin.close();
      keeper.stop();
      for (const part of running) part.stop();
      await Promise.all([events.stop(), refusals.stop()]).then(() => audit.stop());
      follower.stop();
      await bus.drain(settings.DRAIN_TIMEOUT_MS);
      await status.close();
    },
  };
};

const adminApiOf = (
  parts: Omit<AdminParts, 'apiKeys' | 'generations' | 'adminTokens' | 'adminWrites'>,
  { ADMIN_TOKENS: adminTokens, ADMIN_WRITES: adminWrites, API_KEY_PEPPER: pepper }: Settings,
  jetstream: JetStream,
): ReturnType<typeof createAdminApi> => {
  const { revocations, follower } = parts;
  const apiKeys = ApiKeyRing.of(pepper, { jetstream, revocations });
  const generations = new Generations({ jetstream, follower });
  return createAdminApi({ ...parts, apiKeys, generations, adminTokens, adminWrites });
};

const untilLiveOn = (edges: LiveEdges, settings: Settings) => (epoch: string, version: number) =>
  edges.acknowledged(epoch, version, settings.ACK_TIMEOUT_MS);

const applyAtStart = async (
  parts: Parameters<typeof applyFile>[0],
  { DECLARATIVE_CONFIG: file, DECLARATIVE_CONFIG_WHEN: when }: Settings,
  lastSeq: number,
): Promise<void> => {
  if (file !== undefined) await applyFile(parts, file, { when, lastSeq });
};

const retentionOf = (settings: Settings): Retention => ({
  generations: settings.HISTORY_GENERATIONS,
  bytes: settings.HISTORY_MAX_MIB * MIB,
});

const descriptionOf = ({ position, state }: ConfigFollower): string =>
  `revision r${position.version} · ${state.count('routes')} routes · ${state.count('services')} services`;

const problemsOf = (bus: Bus, keeper: LogKeeper, isListening: boolean): Record<string, string> => ({
  ...(bus.isConnected ? {} : { bus: 'not connected: the configuration can be read but not changed' }),
  ...(keeper.isReady ? {} : { log: 'the configuration log is not there yet' }),
  ...(isListening ? {} : { admin: 'the Admin API does not listen yet' }),
});
