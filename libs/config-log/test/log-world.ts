import type { ConfigOp } from '@sluice/contracts';
import type { Bus } from '@sluice/service-kit';
import { JetStream, Bus as RealBus } from '@sluice/service-kit';
import { silentLogger } from '@sluice/testkit';
import {
  appendCommit,
  type ConfigFollower,
  type FollowOptions,
  followConfig,
  type LastKnownGood,
} from '../src/index.ts';

/** A service entity that differs by `revision`. */
export const service = (index: number, revision = 0, padding = ''): ConfigOp => ({
  op: 'put',
  kind: 'services',
  id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  entity: {
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    name: `service-${index}`,
    host: `${revision}.test`,
    padding,
    tags: null,
    created_at: 0,
    updated_at: revision,
  },
});

export interface Party extends AsyncDisposable {
  readonly bus: Bus;
  readonly jetstream: JetStream;
  readonly follower: ConfigFollower;
  /** Versions of commits and states the owner was given, in order. */
  readonly seen: { kind: 'state' | 'commit'; epoch: string; version: number }[];
}

/** A follower with a bus of its own. */
export const startParty = (
  url: string,
  name: string,
  options: {
    initial?: LastKnownGood;
    onState?: FollowOptions['onState'];
    onCommit?: FollowOptions['onCommit'];
  } = {},
): Party => {
  const logger = silentLogger();
  const bus = RealBus.open({ url, name, logger });
  const jetstream = new JetStream(bus);
  const seen: Party['seen'] = [];
  const follower = followConfig({
    bus,
    jetstream,
    process: 'edge-proxy',
    instance: name,
    logger,
    initial: options.initial,
    onState: (state, at) => {
      seen.push({ kind: 'state', epoch: at.epoch, version: at.version });
      return options.onState?.(state, at);
    },
    onCommit: (commit, state, at) => {
      seen.push({ kind: 'commit', epoch: at.epoch, version: at.version });
      return options.onCommit?.(commit, state, at);
    },
  });
  return {
    bus,
    jetstream,
    follower,
    seen,
    async [Symbol.asyncDispose]() {
      follower.stop();
      await bus.close();
    },
  };
};

/** Appends until it is in, as a writer does: a conflict means to catch up and decide again. */
export const write = async (
  { jetstream, follower }: Party,
  epoch: string,
  ops: readonly ConfigOp[],
): Promise<{ version: number; conflicts: number }> => {
  for (let conflicts = 0; ; conflicts++) {
    const base = follower.position.version === 0 ? { ...follower.position, epoch } : follower.position;
    const appended = await appendCommit({ jetstream, base, state: follower.state, ops, actor: 'test' });
    if (appended.outcome === 'committed') {
      await follower.waitFor(appended.commit.version, 5000, epoch);
      return { version: appended.commit.version, conflicts };
    }
    await follower.catchUp();
  }
};
