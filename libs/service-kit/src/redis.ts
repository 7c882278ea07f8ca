import type { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

export type { Redis } from 'ioredis';

export interface RedisOptions {
  readonly url: string;
  readonly name: string;
  /** Longest wait for one command, in ms. */
  readonly commandTimeoutMs: number;
  readonly logger: Logger;
}

/**
 * A Redis connection that fails fast: while Redis is away every command is refused at once, one that hangs is
 * given up after `commandTimeoutMs`, and the connection comes back by itself. The client's own defaults would
 * hold requests for seconds during a failover. The client is loaded here: most processes never need it.
 */
export const connectRedis = async ({ url, name, commandTimeoutMs, logger }: RedisOptions): Promise<Redis> => {
  const ioredis = await import('ioredis');
  const redis = new ioredis.Redis(url, {
    connectionName: name,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false, // a resent INCR would count twice
    commandTimeout: commandTimeoutMs,
    connectTimeout: 500,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 500),
  });
  let isDown = false;
  redis.on('error', (error) => {
    if (!isDown) logger.warn({ problem: error.message }, 'redis is away');
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) logger.info('redis is back');
    isDown = false;
  });
  return redis;
};
