import type { Cluster, Redis } from 'ioredis';
import type { Logger } from './logger.ts';
import { parseRedisUrl, type RedisPlace } from './redis-url.ts';

export type { Redis } from 'ioredis';

type RedisClass = typeof Redis;
type ClusterClass = typeof Cluster;

export interface RedisOptions {
  /** As `parseRedisUrl` reads it. */
  readonly url: string;
  readonly name: string;
  /** Longest wait for one command, in ms. */
  readonly commandTimeoutMs: number;
  readonly logger: Logger;
}

/** A primary that was elected is asked for its place again so often, in ms; and the nodes of a cluster. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;
const SLOTS_EVERY_MS = 1000;

/**
 * How long to wait before the next attempt to connect, in ms: longer each time, and anywhere in the upper half of that,
 * for all processes lost Redis at the same instant.
 */
export const retryWaitMs = (attempt: number, random: () => number = Math.random): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 5), LAST_RETRY_MS) * (1 - random() / 2);
const retryStrategy = (attempt: number): number => retryWaitMs(attempt);

/**
 * A Redis connection that fails fast: while Redis is away every command is refused at once, one that hangs is
 * given up after `commandTimeoutMs`, and the connection comes back by itself, to another primary where sentinels or
 * a cluster have elected one. The client's own defaults would hold requests for seconds during a failover, and send
 * some of them twice. The client is loaded here: most processes never need it.
 */
export const connectRedis = async (options: RedisOptions): Promise<Redis> => {
  const ioredis = await import('ioredis');
  const place = parseRedisUrl(options.url);
  const redis = open(ioredis, place, clientOptions(options));
  let isDown = false;
  redis.on('error', (error) => {
    if (!isDown) options.logger.warn({ problem: error.message }, 'redis is away');
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) options.logger.info('redis is back');
    isDown = false;
  });
  return redis;
};

const clientOptions = ({ name, commandTimeoutMs }: RedisOptions) => ({
  connectionName: name,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  autoResendUnfulfilledCommands: false, // a resent INCR would count twice
  commandTimeout: commandTimeoutMs,
  connectTimeout: 500,
  retryStrategy,
});

const open = (
  { Redis, Cluster }: { readonly Redis: RedisClass; readonly Cluster: ClusterClass },
  place: RedisPlace,
  options: ReturnType<typeof clientOptions>,
): Redis => {
  if (place.kind === 'single') return new Redis(place.url, options);
  const { nodes, username, password, isTls } = place;
  const access = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
  };
  if (place.kind === 'sentinel')
    return new Redis({
      ...options,
      ...access,
      sentinels: [...nodes],
      name: place.name,
      db: place.db,
      sentinelRetryStrategy: retryStrategy,
      ...(isTls ? { enableTLSForSentinelMode: true } : {}),
      failoverDetector: true, // a primary that hangs keeps its connections: only the sentinels know
    });
  const { enableOfflineQueue, enableAutoPipelining, retryStrategy: _nodes, ...ofNodes } = options;
  return new Cluster([...nodes], {
    redisOptions: { ...ofNodes, ...access },
    enableOfflineQueue,
    enableAutoPipelining,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshInterval: SLOTS_EVERY_MS,
    // What was sent to a node that went away may have been counted: it is not sent again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  }) as unknown as Redis; // the same commands
};
