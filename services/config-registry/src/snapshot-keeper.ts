import { type ConfigFollower, writeSnapshot } from '@sluice/config-log';
import type { JetStream, Logger } from '@sluice/service-kit';

const EVERY_COMMITS = 50;
const EVERY_MS = 5 * 60_000;
const LOOK_MS = 1000;

/** Stores a snapshot every 50 commits, or after 5 minutes when there was any. */
export const keepSnapshots = (parts: {
  jetstream: JetStream;
  follower: ConfigFollower;
  logger: Logger;
}): { stop: () => void } => {
  const { jetstream, follower, logger } = parts;
  let stored = follower.position;
  let storedAt = performance.now();
  let isWriting = false;
  const look = async () => {
    const at = follower.position;
    if (isWriting || at.version === 0) return;
    const commits = at.version - (at.epoch === stored.epoch ? stored.version : 0);
    const isDue = commits >= EVERY_COMMITS || (commits > 0 && performance.now() - storedAt > EVERY_MS);
    if (!isDue) return;
    isWriting = true;
    try {
      await writeSnapshot(jetstream, follower.state, at);
      stored = at;
      storedAt = performance.now();
    } catch (error) {
      logger.warn({ err: error }, 'snapshot not stored, trying again');
    } finally {
      isWriting = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return { stop: () => clearInterval(timer) };
};
