import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfigFollower, followConfig, LastKnownGoodFile } from '@sluice/config-log';
import { edgeMetrics, edgeUpstreamHealth } from '@sluice/contracts';
import { pluginCatalog } from '@sluice/plugins';
import {
  Bus,
  createMetrics,
  JetStream,
  type Logger,
  type Registry,
  startStatusServer,
  type Telemetry,
} from '@sluice/service-kit';
import { TrustedPeers } from './client-address.ts';
import { AnswerCache } from './decide/answer-cache.ts';
import { Decisions, type Standing } from './decide/decisions.ts';
import { LogSinks } from './decide/log-sinks.ts';
import { createPorts } from './decide/ports.ts';
import { UnitCounters } from './decide/unit-counters.ts';
import type { Gateway } from './gateway.ts';
import { Listener } from './listener.ts';
import { EdgeMetrics } from './observe/metrics.ts';
import type { Settings } from './settings.ts';
import { CommitTaker } from './snapshot/accept.ts';
import { closeUpstreamConnections } from './upstream/agents.ts';
import { Balancers } from './upstream/balancing/balancers.ts';
import { createResolver } from './upstream/balancing/resolve-name.ts';
import { parseConnectTo } from './upstream/target.ts';

/** How long loggers may take to send what waits when the process ends, in ms. */
const LOG_FLUSH_MS = 1000;

export interface Edge {
  readonly ports: { readonly proxy: number; readonly status: number; readonly tls?: number };
  readonly version: () => number;
  /** Resolves when a request would be served. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  readonly settings: Settings;
  readonly instance: string;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/** Puts an edge together and starts it: it serves the last known good configuration until the bus has a newer one. */
export const startEdge = async (parts: Parts): Promise<Edge> => {
  const { settings, instance, logger } = parts;
  const registry = createMetrics('edge-proxy', '0.1.0');
  const bus = Bus.open({ ...busLogin(settings), name: instance, logger });
  const following: { follower?: ConfigFollower } = {};
  const { gateway, decisions, sinks } = openGateway(parts, {
    registry,
    bus,
    standing: () => standingOf(following.follower),
  });
  const listener = new Listener(gateway, settings);
  const status = await startStatusServer({
    host: settings.STATUS_HOST,
    port: settings.STATUS_PORT,
    metrics: registry,
    problems: () => problemsOf(gateway, bus, following.follower),
  });
  const listening = { host: settings.PROXY_HOST, reusePort: settings.REUSE_PORT };
  const proxy = await listener.listen({ ...listening, port: settings.PROXY_PORT });
  const tls =
    settings.TLS_PORT === undefined
      ? undefined
      : await listener.listenTls({ ...listening, port: settings.TLS_PORT });
  const file = new LastKnownGoodFile(join(settings.DATA_DIR, 'config.json'), logger);
  const { follower, configured } = await follow(parts, { gateway, listener, decisions, bus, file });
  following.follower = follower;
  observe({ registry, gateway, instance, listener, follower, bus, decisions });
  bus.answer(edgeMetrics, async () => ({ instance, text: await registry.metrics() }));
  bus.answer(edgeUpstreamHealth, ({ upstreamId }) => ({
    instance,
    targets: gateway.balancers.health(upstreamId),
  }));

  return {
    ports: { proxy, status: status.port, ...(tls === undefined ? {} : { tls }) },
    version: () => follower.position.version,
    ready: configured,
    stop: async () => {
      gateway.isDraining = true;
      await sleep(settings.SHUTDOWN_DELAY_MS); // load balancers look at readiness before they stop sending
      follower.stop();
      await listener.drain(settings.DRAIN_TIMEOUT_MS);
      await sinks.close(LOG_FLUSH_MS);
      gateway.balancers.close();
      await file.flush();
      await bus.drain();
      closeUpstreamConnections();
      await status.close();
      await parts.telemetry.shutdown();
    },
  };
};

const openGateway = (
  { settings, instance, logger, telemetry }: Parts,
  { registry, bus, standing }: { registry: Registry; bus: Bus; standing: () => Standing },
): { gateway: Gateway; decisions: Decisions; sinks: LogSinks } => {
  const metrics = new EdgeMetrics(registry);
  const decisions = new Decisions({
    bus,
    standing,
    metrics,
    cacheBytes: settings.VERDICT_CACHE_BYTES,
    cacheMaxMs: settings.VERDICT_CACHE_MAX_MS,
  });
  const sinks = new LogSinks(logger);
  const connectTo = parseConnectTo(settings.CONNECT_TO);
  const gateway: Gateway = {
    current: undefined,
    isDraining: false,
    ports: createPorts(decisions, metrics, logger, () => gateway.current, {
      answers: new AnswerCache(settings.ANSWER_CACHE_BYTES),
      units: new UnitCounters(),
      sinks,
    }),
    metrics,
    logger,
    instance,
    isTracing: telemetry.enabled,
    trustedPeers: new TrustedPeers(settings.TRUSTED_IPS),
    realIpHeader: settings.REAL_IP_HEADER,
    connectTo,
    balancers: new Balancers({
      resolver: createResolver(settings.DNS_RESOLVER),
      connectTo,
      chance: { random: Math.random, now: () => performance.now() },
    }),
    accessLog: settings.ACCESS_LOG,
  };
  return { gateway, decisions, sinks };
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

/** Follows the log from the last known good configuration on, and keeps that file up to date. */
const follow = async (
  { instance, logger }: Parts,
  {
    gateway,
    listener,
    decisions,
    bus,
    file,
  }: { gateway: Gateway; listener: Listener; decisions: Decisions; bus: Bus; file: LastKnownGoodFile },
): Promise<{ follower: ConfigFollower; configured: Promise<void> }> => {
  const configured = Promise.withResolvers<void>();
  const taker = new CommitTaker(gateway, (name) => pluginCatalog.get(name));
  const follower = followConfig({
    bus,
    jetstream: new JetStream(bus),
    process: 'edge-proxy',
    instance,
    logger,
    initial: await file.load(),
    onState: (state, at) => {
      taker.takeState(state);
      followChange(gateway, listener);
      decisions.cache.clear();
      file.save(state, at);
      configured.resolve();
    },
    onCommit: (commit, state, at) => {
      taker.takeCommit(commit, state);
      followChange(gateway, listener);
      decisions.cache.clear();
      file.save(state, at);
    },
  });
  return { follower, configured: configured.promise };
};

/** In the same turn as the change: no request sees an upstream without its balancer. */
const followChange = ({ balancers, current }: Gateway, listener: Listener): void => {
  if (current !== undefined) balancers.follow(current);
  listener.followCertificates();
};

const busLogin = (settings: Settings) => ({
  url: settings.NATS_URL,
  user: settings.NATS_USER,
  password: settings.NATS_PASSWORD,
  creds: settings.NATS_CREDS,
});

/** Without a configuration nothing can be served; everything else only degrades the edge. */
const problemsOf = (
  gateway: Gateway,
  bus: Bus,
  follower: ConfigFollower | undefined,
): Record<string, string> => ({
  ...(gateway.current === undefined ? { config: 'no configuration yet' } : {}),
  ...(gateway.isDraining ? { draining: 'shutting down' } : {}),
  ...(bus.isConnected ? {} : { '~nats': 'disconnected' }),
  ...(follower?.isStale === true ? { '~config': 'no registry heard for 10 s' } : {}),
  ...(follower?.refusal === undefined ? {} : { '~refused': follower.refusal }),
});

const observe = (parts: {
  registry: Registry;
  gateway: Gateway;
  instance: string;
  listener: Listener;
  follower: ConfigFollower;
  bus: Bus;
  decisions: Decisions;
}): void => {
  const { registry, gateway, instance, listener, follower, bus, decisions } = parts;
  gateway.metrics.observe(registry, instance, {
    connections: () => listener.counts,
    version: () => follower.position.version,
    isStale: () => follower.isStale,
    busConnected: () => bus.isConnected,
    cachedVerdicts: () => decisions.cache.size,
    upstreamHealth: () => (exportsUpstreamHealth(gateway) ? gateway.balancers.allHealth() : []),
  });
};
