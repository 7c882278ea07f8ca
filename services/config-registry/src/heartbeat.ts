import type { ConfigFollower } from '@sluice/config-log';
import { configHeartbeat } from '@sluice/contracts';
import type { Bus } from '@sluice/service-kit';
import type { LiveEdges } from './live-edges.ts';
import type { LogKeeper } from './log-keeper.ts';

const EVERY_MS = 1000;

/** Says every second what the newest commit is and how many edges follow. */
export const startHeartbeat = (parts: {
  bus: Bus;
  follower: ConfigFollower;
  keeper: LogKeeper;
  edges: LiveEdges;
}): { stop: () => void } => {
  const beat = () => {
    const { epoch, seq, version, digest } = parts.keeper.base(parts.follower.position);
    if (epoch !== '')
      parts.bus.publish(configHeartbeat, { epoch, seq, version, digest, edges: parts.edges.count });
  };
  const timer = setInterval(beat, EVERY_MS);
  beat();
  return { stop: () => clearInterval(timer) };
};
