import { readApiKey, storeApiKeyUse } from '@sluice/config-log';
import { type ApiKey, apiKeyHash, apiKeyIdIn, type TokenMarks } from '@sluice/contracts';
import { CheckFailed, type JetStream, type Logger } from '@sluice/service-kit';
import { deny, type Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

const READ_MS = 100; // within the edge's patience, as the wait for an issuer
const NOTE_EVERY_MS = 60_000;
const MAX_NOTED = 10_000;

/** Where tenants' API keys are looked up, and their use is noted. */
export interface ApiKeys {
  readonly pepper: string;
  readonly find: (id: string) => Promise<ApiKey | undefined>;
  readonly noteUse: (key: ApiKey, nowMs: number) => void;
}

/** The keys in the stream, by direct get: a new or changed one counts from the moment it is stored. */
export const apiKeysIn = (
  jetstream: JetStream,
  {
    pepper,
    instance,
    logger,
  }: { readonly pepper: string; readonly instance: string; readonly logger: Logger },
): ApiKeys => {
  /** Key to the time its use was last noted; the oldest entries go first. */
  const noted = new Map<string, number>();
  return {
    pepper,
    find: async (id) => {
      try {
        return (await readApiKey(jetstream, id, READ_MS))?.key;
      } catch (cause) {
        throw new CheckFailed('keys_unavailable', `API keys cannot be read: ${(cause as Error).message}`);
      }
    },
    noteUse: (key, nowMs) => {
      if (nowMs - (noted.get(key.id) ?? Number.NEGATIVE_INFINITY) < NOTE_EVERY_MS) return;
      noted.delete(key.id); // so that the map stays in the order of time
      noted.set(key.id, nowMs);
      const [oldest] = noted.keys();
      if (noted.size > MAX_NOTED && oldest !== undefined) noted.delete(oldest);
      storeApiKeyUse(jetstream, key, { usedAtMs: nowMs, actor: instance }).catch((error: unknown) => {
        noted.delete(key.id);
        logger.warn({ err: error, key: key.id }, 'the use of an API key could not be noted');
      });
    },
  };
};

/** The verdict on a tenant's API key. All refusals look alike to a client: Kong's answer to a key nobody has. */
export const verifyApiKey = async (verifier: Verifier, text: string): Promise<Verdict> => {
  const { apiKeys, clock, verdictCacheMs, revocations } = verifier;
  const id = apiKeys === undefined ? undefined : apiKeyIdIn(text, apiKeys.pepper);
  if (apiKeys === undefined || id === undefined) return deny('no_credentials', 'Unauthorized');
  const key = await apiKeys.find(id);
  // The digests are of 256 random bits: how long a comparison takes says nothing that helps.
  if (key === undefined || key.hash !== apiKeyHash(text, apiKeys.pepper))
    return deny('no_credentials', 'Unauthorized');
  const now = clock();
  const leftMs = (key.expiresAtMs ?? Number.POSITIVE_INFINITY) - now;
  if (leftMs <= 0) return deny('key_expired', 'Unauthorized');
  const marks = marksOf(key);
  if (key.revokedAtMs !== undefined || revocations.refuses(marks)) return deny('key_revoked', 'Unauthorized');
  apiKeys.noteUse(key, now);
  return {
    outcome: 'allow',
    cacheMs: Math.min(verdictCacheMs, Math.floor(leftMs)),
    credential: { id: key.id, identifier: key.id },
    tenantId: key.tenantId,
    ...(key.platformId === undefined ? {} : { platformId: key.platformId }),
    token: marks,
  };
};

/** By what a revocation names a key: as itself, and as one of its tenant's. */
const marksOf = ({ id, tenantId, createdAtMs }: ApiKey): TokenMarks => ({
  jti: `api-key:${id}`,
  tenant: tenantId,
  issuedAtMs: createdAtMs,
});
