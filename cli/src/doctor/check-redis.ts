import { connectRedis, createLogger } from '@sluice/service-kit';
import { type Finding, failed, judgeClock, ok } from './finding.ts';

const WITHIN_MS = 2000;

/** Redis, and its clock: windows of limits are measured by it. */
export const checkRedis = async (url: string): Promise<Finding[]> => {
  const logger = createLogger({ service: 'doctor', instance: 'doctor', level: 'silent' });
  const redis = await connectRedis({ url, name: 'sluice-doctor', commandTimeoutMs: WITHIN_MS, logger });
  const host = URL.parse(url)?.host ?? 'the server';
  try {
    await ready(redis);
    const askedAt = Date.now();
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
    const uncertainMs = Date.now() - askedAt;
    return [
      ok('redis', `${host} answers`),
      judgeClock('clock redis', seconds * 1000 + micros / 1000, { ours: askedAt, uncertainMs }),
    ];
  } catch (error) {
    const remedy = 'start redis-server, or give --redis; edges count alone meanwhile';
    return [failed('redis', `${host} does not answer: ${(error as Error).message}`, remedy)];
  } finally {
    redis.disconnect();
  }
};

const ready = (redis: Awaited<ReturnType<typeof connectRedis>>): Promise<void> =>
  new Promise((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('error', reject);
    setTimeout(() => reject(new Error(`nothing in ${WITHIN_MS / 1000} s`)), WITHIN_MS).unref();
  });
