import { type ConfigFollower, type Retention, writeSnapshot } from '@sluice/config-log';
import type { JetStream, Logger } from '@sluice/service-kit';

const EVERY_COMMITS = 50;
const EVERY_MS = 5 * 60_000;
const LOOK_MS = 1000;
/** A large configuration that changes all the time is stored less often: readers replay some more commits. */
const REST_PER_WORK = 20;

/**
 * Stores a snapshot every 50 commits, or after 5 minutes when there was any; after each there is a rest of twenty
 * times what it took.
 */
export const keepSnapshots = (parts: {
  jetstream: JetStream;
  follower: ConfigFollower;
  retention: Retention;
  logger: Logger;
}): { stop: () => void } => {
  const { jetstream, follower, retention, logger } = parts;
  let stored = follower.position;
  let storedAt = performance.now();
  let isWriting = false;
  let restsUntil = 0;
  const look = async () => {
    const at = follower.position;
    if (isWriting || at.version === 0 || performance.now() < restsUntil) return;
    const commits = at.version - (at.epoch === stored.epoch ? stored.version : 0);
    const isDue = commits >= EVERY_COMMITS || (commits > 0 && performance.now() - storedAt > EVERY_MS);
    if (!isDue) return;
    isWriting = true;
    const begun = performance.now();
    try {
      await writeSnapshot(jetstream, follower.state, at, retention);
      stored = at;
      storedAt = performance.now();
      restsUntil = storedAt + (storedAt - begun) * REST_PER_WORK;
    } catch (error) {
      logger.warn({ err: error }, 'snapshot not stored, trying again');
    } finally {
      isWriting = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return { stop: () => clearInterval(timer) };
};
