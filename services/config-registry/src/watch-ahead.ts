import type { ConfigFollower } from '@sluice/config-log';
import type { Logger } from '@sluice/service-kit';
import type { LiveEdges } from './live-edges.ts';
import type { LogKeeper } from './log-keeper.ts';

const EVERY_MS = 1000;
const LOOKS = 5; // in a row: a commit on its way is not a lost one

/**
 * Notices that processes serve versions the log does not have (its end was lost while no registry ran). They never
 * go back within an epoch, so the log's state begins a new one.
 */
export const watchAhead = (parts: {
  follower: ConfigFollower;
  edges: LiveEdges;
  keeper: LogKeeper;
  logger: Logger;
}): { stop: () => void } => {
  const { follower, edges, keeper, logger } = parts;
  let looks = 0;
  const look = async () => {
    const { epoch, version, seq } = follower.position;
    const newest = edges.newestVersion(epoch);
    looks = newest > version ? looks + 1 : 0;
    if (looks === 0) return;
    await follower.catchUp();
    if (looks < LOOKS || follower.position.version !== version) return;
    looks = 0;
    await keeper.beginEpoch(follower, seq, `processes serve r${newest}, the log has r${version}`);
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => logger.warn({ err: error }, 'new epoch not begun, trying again'));
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
};
