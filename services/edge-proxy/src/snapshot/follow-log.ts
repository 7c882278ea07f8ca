import { type ConfigFollower, followConfig, type LastKnownGoodFile, type Position } from '@sluice/config-log';
import type { ConfigState } from '@sluice/gateway-config';
import { type Bus, JetStream, type Logger } from '@sluice/service-kit';
import { CommitTaker, type Holder } from './accept.ts';
import { Candidate } from './candidate.ts';
import type { PluginSource } from './plugin-source.ts';
import type { ResolveIn } from './resolve-references.ts';

interface FollowParts {
  readonly holder: Holder;
  readonly plugins: PluginSource;
  readonly resolve: ResolveIn;
  readonly bus: Bus;
  readonly instance: string;
  readonly logger: Logger;
  readonly file: LastKnownGoodFile;
  /** In the same turn as each change of what requests use. */
  readonly onChange: () => void;
}

export interface Following {
  readonly follower: ConfigFollower;
  readonly candidate: Candidate;
  /** Resolves with the first configuration. */
  readonly configured: Promise<void>;
}

/**
 * Follows the log from the last known good configuration on, and keeps that file up to date. A change of the
 * plugin folder is taken between two commits, as one more of them.
 */
export const followLog = async (parts: FollowParts): Promise<Following> => {
  const { holder, plugins, bus, instance, logger, file, onChange } = parts;
  const configured = Promise.withResolvers<void>();
  const taker = new CommitTaker({ holder, pluginNamed: plugins.named, resolve: parts.resolve, onChange });
  const candidate = new Candidate({ bus, instance, logger, taker, plugins });
  const takeState = async (state: ConfigState, at: Position): Promise<void> => {
    candidate.superseded();
    await plugins.takeOrRefresh(() => taker.takeState(state));
    file.save(state, at);
    configured.resolve();
  };
  await plugins.refresh();
  const follower = followConfig({
    bus,
    jetstream: new JetStream(bus),
    process: 'edge-proxy',
    instance,
    logger,
    initial: await file.load(),
    candidate: () => candidate.served,
    onState: takeState,
    onCommit: (commit, state, at) => {
      candidate.superseded();
      const taken = plugins.takeOrRefresh(() => taker.takeCommit(commit, state));
      if (taken !== undefined) return taken.then(() => file.save(state, at));
      file.save(state, at);
    },
  });
  candidate.follow(follower);
  plugins.watch(
    () =>
      void follower.retake((state, at) => {
        const isTrying = candidate.served !== undefined; // what is served has its plugins renewed, whatever it is
        if (!taker.isInStep && !isTrying) return takeState(state, at); // what was refused may do now
        plugins.staleness = taker.renewPlugins();
        for (const problem of plugins.staleness)
          logger.error({ problem }, 'plugin goes on with its old code');
        logger.info({ problems: plugins.problems }, 'plugin folder read again');
      }),
  );
  return { follower, candidate, configured: configured.promise };
};
