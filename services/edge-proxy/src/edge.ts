import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConfigFollower,
  followRevocations,
  LastKnownGoodFile,
  type RevocationFollower,
} from '@sluice/config-log';
import type { Environment } from '@sluice/gateway-config';
import {
  Bus,
  busLogin,
  createMetrics,
  JetStream,
  type Logger,
  lineWriter,
  nodeStatus,
  observeBus,
  type Registry,
  startStatusServer,
  type Telemetry,
} from '@sluice/service-kit';
import manifest from '../package.json' with { type: 'json' };
import { SERVER_NAME } from './answer.ts';
import { answerRegistry } from './answer-registry.ts';
import { clientsOf } from './client-address.ts';
import { AnswerCache } from './decide/answer-cache.ts';
import { Decisions, type Standing } from './decide/decisions.ts';
import { DependencyHealth } from './decide/dependency-health.ts';
import { LogSinks } from './decide/log-sinks.ts';
import { createPorts } from './decide/ports.ts';
import { UnitCounters } from './decide/unit-counters.ts';
import { factsOf, problemsOf } from './edge-status.ts';
import type { Gateway } from './gateway.ts';
import { Listener } from './listener.ts';
import { targetsOf } from './observe/configured-targets.ts';
import { DecisionRecords } from './observe/decision-records.ts';
import { type Held, observeHeld } from './observe/held.ts';
import { EdgeMetrics } from './observe/metrics.ts';
import { tracingOf } from './observe/tracing-settings.ts';
import { openGate } from './overload/open-gate.ts';
import { presentationOf } from './presentation.ts';
import type { Settings } from './settings.ts';
import { ShadowCopies } from './shadow/copies.ts';
import { followLog } from './snapshot/follow-log.ts';
import { PluginSource } from './snapshot/plugin-source.ts';
import { referenceResolver } from './snapshot/resolve-references.ts';
import { Balancers } from './upstream/balancing/balancers.ts';
import { createResolver } from './upstream/balancing/resolve-name.ts';
import { closeUpstreamConnections, engines } from './upstream/engines/engines.ts';
import { openGuards } from './upstream/open-guards.ts';
import { parseConnectTo } from './upstream/target.ts';

/** How long loggers may take to send what waits when the process ends, in ms. */
const LOG_FLUSH_MS = 1000;
/** How long an edge that could serve waits for the list of revocations, in ms: until then it remembers no verdict. */
const REVOCATIONS_WITHIN_MS = 500;

export interface Edge {
  readonly ports: { readonly proxy: number; readonly status: number; readonly tls?: number };
  readonly version: () => number;
  /** Resolves when a request would be served. */
  readonly ready: Promise<void>;
  /** True for a failure that a user's plugin caused outside its handlers; it is logged and counted. */
  contains(error: unknown): boolean;
  stop(): Promise<void>;
}

interface Parts {
  readonly settings: Settings;
  readonly instance: string;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Where vault references are looked up. */
  readonly environment: Environment;
}

/** Puts an edge together and starts it: it serves the last known good configuration until the bus has a newer one. */
export const startEdge = async (parts: Parts): Promise<Edge> => {
  const { settings, instance, logger } = parts;
  const registry = createMetrics('edge-proxy', manifest.version);
  const bus = Bus.open({ ...busLogin(settings), name: instance, part: 'edge-proxy', logger });
  observeBus(registry, bus);
  const following: { follower?: ConfigFollower; file?: LastKnownGoodFile } = {};
  const opened = openGateway(parts, { registry, bus, standing: () => standingOf(following.follower) });
  const { gateway, decisions, revocations, sinks, answers, shadow, units } = opened;
  const plugins = new PluginSource({
    folder: settings.PLUGINS_DIR,
    timeoutMs: settings.PLUGIN_TIMEOUT_MS,
    logger,
  });
  const gate = openGate(gateway, settings, registry);
  const listener = new Listener(gateway, settings, gate);
  const problems = () => problemsOf(gateway, bus, { ...following, revocations, plugins, gate, decisions });
  const status = await startStatusServer({
    host: settings.STATUS_HOST,
    port: settings.STATUS_PORT,
    metrics: registry,
    exemplars: () => gateway.metrics.exemplars(),
    problems,
    status: (query) => nodeStatus(query, factsOf(listener, bus, following.follower, problems())),
  });
  const proxyPorts = await listenForClients(listener, settings);
  const file = new LastKnownGoodFile(join(settings.DATA_DIR, 'config.json'), logger);
  const { follower, candidate, configured } = await followLog({
    ...{ holder: gateway, plugins, bus, instance, logger, file },
    resolve: referenceResolver(parts.environment, logger),
    onChange: () => {
      followChange(gateway, listener);
      decisions.cache.clear();
    },
  });
  Object.assign(following, { follower, file });
  const seen = { gateway, listener, follower, file, bus, decisions, revocations, plugins };
  observe(registry, instance, { ...seen, answers, gate, units });
  answerRegistry(bus, { gateway, answers, registry, shadow: shadow.ledger });
  gateway.records.answer();

  return {
    ports: { ...proxyPorts, status: status.port },
    version: () => follower.position.version,
    ready: configured.then(async () => {
      if (bus.isConnected) await revocations.waitUntilRead(REVOCATIONS_WITHIN_MS);
    }),
    contains: (error) => isOfPlugin(error, gateway, plugins),
    stop: async () => {
      gateway.isDraining = true;
      await sleep(settings.SHUTDOWN_DELAY_MS); // load balancers look at readiness before they stop sending
      candidate.stop();
      follower.stop();
      plugins.stop();
      await listener.drain(settings.DRAIN_TIMEOUT_MS);
      gateway.accessLines.flush();
      gate.close();
      await decisions.close();
      revocations.stop(); // what is drained may still meet a revoked token
      shadow.close();
      await sinks.close(LOG_FLUSH_MS);
      gateway.balancers.close();
      await file.flush();
      gateway.records.stop();
      await bus.drain();
      closeUpstreamConnections();
      await status.close();
      await parts.telemetry.shutdown();
    },
  };
};

const listenForClients = async (
  listener: Listener,
  { PROXY_HOST: host, REUSE_PORT: reusePort, PROXY_PORT, TLS_PORT }: Settings,
): Promise<{ proxy: number; tls?: number }> => {
  const proxy = await listener.listen({ host, reusePort, port: PROXY_PORT });
  if (TLS_PORT === undefined) return { proxy };
  return { proxy, tls: await listener.listenTls({ host, reusePort, port: TLS_PORT }) };
};

const isOfPlugin = (error: unknown, { ports, logger }: Gateway, plugins: PluginSource): boolean => {
  const plugin = plugins.ownerOf(error);
  if (plugin === undefined) return false;
  ports.count('plugin_errors', { plugin, phase: 'background', reason: 'thrown' });
  logger.error({ plugin, problem: (error as Error).message }, 'plugin failed outside its handlers');
  return true;
};

const openGateway = (
  { settings, instance, logger, telemetry }: Parts,
  { registry, bus, standing }: { registry: Registry; bus: Bus; standing: () => Standing },
): {
  gateway: Gateway;
  decisions: Decisions;
  revocations: RevocationFollower;
  sinks: LogSinks;
  answers: AnswerCache;
  shadow: ShadowCopies;
  units: UnitCounters;
} => {
  const metrics = new EdgeMetrics(registry, settings.TENANT_SERIES);
  const revocations = followRevocations({
    ...{ bus, jetstream: new JetStream(bus), logger },
    confirmAs: { process: 'edge-proxy', instance },
    onDoubt: () => decisions.cache.clear(),
  });
  const health = new DependencyHealth(metrics, logger);
  const decisions = new Decisions({
    bus,
    standing,
    revocations,
    metrics,
    health,
    cacheBytes: settings.VERDICT_CACHE_BYTES,
    cacheMaxMs: settings.VERDICT_CACHE_MAX_MS,
    hasLeases: settings.LEASES === 'auto',
    authTimeoutMs: settings.AUTH_TIMEOUT_MS,
    limitTimeoutMs: settings.LIMIT_TIMEOUT_MS,
  });
  const sinks = new LogSinks(
    logger,
    { nodeId: instance, version: SERVER_NAME.replace('kong/', '') },
    (kind, records) => metrics.logRecordsLost(kind, records),
  );
  const answers = new AnswerCache(settings.ANSWER_CACHE_BYTES);
  const shadow = new ShadowCopies(registry, logger);
  const units = new UnitCounters();
  const connectTo = parseConnectTo(settings.CONNECT_TO);
  const gateway: Gateway = {
    current: undefined,
    isDraining: false,
    ports: createPorts(decisions, metrics, logger, () => gateway.current, {
      answers,
      ...{ units, sinks, shadow },
      tracing: tracingOf(settings),
      instance,
    }),
    metrics,
    records: new DecisionRecords({
      ...{ bus, registry, instance, version: () => standing().version },
      ...{ capacity: settings.DECISION_RING, sample: settings.DECISION_SAMPLE },
    }),
    logger,
    instance,
    tracing: telemetry,
    ...clientsOf(settings),
    shows: presentationOf(settings),
    maxHeadBytes: settings.MAX_HEADER_BYTES,
    passesBaggage: settings.BAGGAGE === 'pass',
    connectTo,
    engine: engines[settings.FORWARD_ENGINE],
    clientStallMs: settings.CLIENT_STALL_MS,
    balancers: new Balancers({
      resolver: createResolver(settings.DNS_RESOLVER),
      connectTo,
      chance: { random: Math.random, now: () => performance.now() },
    }),
    ...openGuards(settings, registry),
    accessLog: { requests: settings.ACCESS_LOG, sample: settings.ACCESS_LOG_SAMPLE },
    accessLines: lineWriter(logger, 'request'),
  };
  return { gateway, decisions, revocations, sinks, answers, shadow, units };
};

/** As in Kong: once any prometheus plugin asks for it. */
const exportsUpstreamHealth = ({ current }: Gateway): boolean =>
  current?.plugins.some(
    ({ plugin, entity }) => plugin.name === 'prometheus' && entity.config.upstream_health_metrics === true,
  ) ?? false;

const standingOf = (follower: ConfigFollower | undefined): Standing => ({
  epoch: follower?.position.epoch ?? '',
  version: follower?.position.version ?? 0,
  edges: Math.max(1, follower?.heartbeatEdges ?? 1),
});

/** In the same turn as the change: no request sees an upstream without its balancer. */
const followChange = ({ balancers, current, records }: Gateway, listener: Listener): void => {
  if (current !== undefined) {
    balancers.follow(current);
    records.ring.routeHeaders = current.router.headerNames;
  }
  listener.followCertificates();
};

interface Observed extends Omit<Held, 'ring'> {
  readonly gateway: Gateway;
  readonly listener: Listener;
  readonly follower: ConfigFollower;
  readonly file: LastKnownGoodFile;
  readonly bus: Bus;
  readonly revocations: RevocationFollower;
  readonly plugins: PluginSource;
}

const observe = (registry: Registry, instance: string, parts: Observed): void => {
  const { gateway, listener, follower, file, bus, decisions, revocations, plugins } = parts;
  observeHeld(registry, { ...parts, ring: gateway.records.ring });
  gateway.metrics.observe(registry, instance, {
    connections: () => listener.counts,
    version: () => follower.position.version,
    isStale: () => follower.isStale,
    isUnsaved: () => file.problem !== undefined,
    refusedMessages: () =>
      bus.malformed.values().reduce((sum, count) => sum + count, follower.counts.foreign),
    cachedVerdicts: () => decisions.cache.size,
    breakers: () => decisions.breakers,
    leasedBudgets: () => decisions.leasedBudgets,
    malformed: () => bus.malformed,
    revocations: () => revocations.list.size,
    pluginProblems: () => plugins.problems.length,
    targets: () => targetsOf(gateway),
    upstreamHealth: () => (exportsUpstreamHealth(gateway) ? gateway.balancers.allHealth() : []),
  });
};
