import type { WarningContext } from './plugin.ts';

/** A plugin's own idea of where Redis is. */
interface RedisPlace {
  readonly host: string | null;
  readonly port: number;
  readonly database: number;
}

const placeIn = (url: string | undefined): string | undefined => {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return undefined;
  return `${parsed.hostname}:${parsed.port || '6379'}/${Number(parsed.pathname.slice(1))}`;
};

/**
 * The process's REDIS_URL decides where counters and quotas live; a configuration that names another place is
 * kept, and told so. Credentials are never part of the sentence.
 */
export const redisWarning = (
  { host, port, database }: RedisPlace,
  { environment }: WarningContext,
): string[] => {
  const actual = placeIn(environment.REDIS_URL);
  const written = `${host}:${port}/${database}`;
  if (host === null || actual === undefined || actual === written) return [];
  return [`redis ${written} is kept and has no effect; REDIS_URL (${actual}) decides`];
};
