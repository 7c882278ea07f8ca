import type { KeyauthCredential } from '@sluice/gateway-config';
import { consumerIdentityOf, deny, type Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** The verdict on an API key (kong-compat 4.2). */
export const verifyKey = ({ credentials, clock, verdictCacheMs }: Verifier, key: string): Verdict => {
  const credential = credentials.ofConsumers.apiKey(key);
  if (credential === undefined) return deny('no_credentials', 'Unauthorized');
  const leftMs = endOf(credential) - clock();
  if (leftMs <= 0) return deny('key_expired', 'Unauthorized');
  const consumer = credentials.consumer(credential.consumer.id);
  if (consumer === undefined) return deny('no_consumer', 'Unauthorized');
  return {
    outcome: 'allow',
    cacheMs: Math.min(verdictCacheMs, Math.floor(leftMs)),
    ...consumerIdentityOf(credentials, consumer),
    credential: { id: credential.id, identifier: credential.id }, // the key itself is a secret
  };
};

/** Unix ms; without a ttl, or with 0, a key has no end. */
const endOf = ({ ttl, created_at }: KeyauthCredential): number =>
  ttl === null || ttl === 0 || created_at === null ? Number.POSITIVE_INFINITY : (created_at + ttl) * 1000;
