import { createHash, timingSafeEqual } from 'node:crypto';
import { consumerIdentityOf, deny, type Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

/** The verdict on user name and password (kong-compat 4.3): `user:password` in base64. */
export const verifyBasic = ({ credentials, verdictCacheMs }: Verifier, token: string): Verdict => {
  const pair = Buffer.from(token, 'base64');
  const colon = pair.indexOf(':');
  if (colon < 1) return deny('malformed', 'Unauthorized');
  const credential = credentials.ofConsumers.password(pair.subarray(0, colon).toString());
  // An unknown name costs a hash as well, so that time does not tell which names exist.
  const given = hashOf(pair.subarray(colon + 1), credential?.consumer.id ?? '');
  const stored = Buffer.from(credential?.password ?? '', 'hex');
  if (credential === undefined) return deny('no_credentials', 'Unauthorized');
  if (stored.length !== given.length || !timingSafeEqual(stored, given))
    return deny('invalid_password', 'Unauthorized');
  const consumer = credentials.consumer(credential.consumer.id);
  if (consumer === undefined) return deny('no_consumer', 'Unauthorized');
  return {
    outcome: 'allow',
    cacheMs: verdictCacheMs,
    ...consumerIdentityOf(credentials, consumer),
    credential: { id: credential.id, identifier: credential.username },
  };
};

/** As Kong stores it: SHA-1 of the password and the consumer's id. */
const hashOf = (password: Buffer, consumerId: string): Buffer =>
  createHash('sha1').update(password).update(consumerId).digest();
