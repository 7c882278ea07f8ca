import type { ConfigFollower, LastKnownGoodFile, RevocationFollower } from '@sluice/config-log';
import type { Bus, NodeStatusFacts } from '@sluice/service-kit';
import type { Decisions } from './decide/decisions.ts';
import type { Gateway } from './gateway.ts';
import type { Listener } from './listener.ts';
import type { OverloadGate } from './overload/gate.ts';
import type { PluginSource } from './snapshot/plugin-source.ts';

/** Without a configuration nothing can be served; everything else only degrades the edge. */
export const problemsOf = (
  gateway: Gateway,
  bus: Bus,
  {
    follower,
    file,
    revocations,
    plugins,
    gate,
    decisions,
  }: {
    follower?: ConfigFollower;
    file?: LastKnownGoodFile;
    revocations: RevocationFollower;
    plugins: PluginSource;
    gate: OverloadGate;
    decisions: Decisions;
  },
): Record<string, string> => ({
  ...(gateway.current === undefined ? { config: 'no configuration yet' } : {}),
  ...(gateway.isDraining ? { draining: 'shutting down' } : {}),
  ...(gate.state === 'shedding' ? { '~overload': 'requests are refused until the event loop keeps up' } : {}),
  ...(bus.isConnected ? {} : { '~nats': 'disconnected' }),
  ...Object.fromEntries(Object.entries(decisions.problems).map(([name, why]) => [`~${name}`, why])),
  ...(!bus.isConnected || revocations.isRead
    ? {}
    : { '~revocations': 'the list of revoked tokens cannot be read, so no verdict is remembered' }),
  ...(follower?.isStale === true ? { '~config': 'no registry heard for 10 s' } : {}),
  ...(follower?.refusal === undefined ? {} : { '~refused': follower.refusal }),
  ...(file?.problem === undefined ? {} : { '~disk': file.problem }),
  ...(plugins.problems.length === 0 ? {} : { '~plugins': plugins.problems.join('; ') }),
});

/** The edge as a node of the gateway, for Kong's `GET /status`. */
export const factsOf = (
  listener: Listener,
  bus: Bus,
  follower: ConfigFollower | undefined,
  problems: Readonly<Record<string, string>>,
): NodeStatusFacts => {
  const { digest = '', version = 0 } = follower?.position ?? {};
  return {
    connections: listener.counts,
    isReachable: bus.isConnected,
    configuration: { digest, version },
    problems: Object.fromEntries(
      Object.entries(problems).map(([name, why]) => [name.replace(/^~/, ''), why]),
    ),
  };
};
