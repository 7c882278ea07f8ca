import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from '@sluice/service-kit';

const LOOK_EVERY_MS = 200;

export interface RedisWatch {
  readonly isThere: boolean;
  /** A command failed: nobody pulls on until Redis answers a ping. */
  readonly suspect: () => void;
  readonly stop: () => void;
}

/**
 * Knows whether Redis works. A lost connection tells by itself, one that hangs or is still loading its data only by
 * failing commands; back is who answers a ping. Begins as away.
 */
export const watchRedis = (redis: Redis, on: { away: () => void; back: () => void }): RedisWatch => {
  let isThere = false;
  let isStopped = false;
  const look = async () => {
    while (!isStopped && !isThere) {
      isThere = await redis.ping().then(
        () => true,
        () => false,
      );
      if (!isThere) await sleep(LOOK_EVERY_MS);
    }
    if (!isStopped) on.back();
  };
  const suspect = () => {
    if (!isThere || isStopped) return;
    isThere = false;
    on.away();
    void look();
  };
  redis.on('close', suspect);
  void look();
  return {
    get isThere() {
      return isThere;
    },
    suspect,
    stop: () => {
      isStopped = true;
    },
  };
};
