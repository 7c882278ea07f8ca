import { createHash } from 'node:crypto';
import type { Redis } from '@sluice/service-kit';

const digests = new Map<string, string>();
const digestOf = (script: string): string => {
  let digest = digests.get(script);
  if (digest === undefined) {
    digest = createHash('sha1').update(script).digest('hex');
    digests.set(script, digest);
  }
  return digest;
};

type Argument = string | number;

/** Runs a script by its digest; sends its text when Redis has forgotten it, as after every restart. */
export const runScript = async (
  redis: Redis,
  script: string,
  keys: readonly string[],
  values: readonly Argument[],
): Promise<unknown> => {
  try {
    return await redis.evalsha(digestOf(script), keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return redis.eval(script, keys.length, ...keys, ...values);
  }
};
