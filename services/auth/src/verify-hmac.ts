import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Check, consumerIdentityOf, deny, type Verdict } from './verdict.ts';
import type { Verifier } from './verifier.ts';

const NEVER = 0; // ms: a signature is made over one request
const NOT_VERIFIABLE = 'HMAC signature cannot be verified';

/** The verdict on a signature over a request (kong-compat 4.5); the secret stays here. */
export const verifyHmac = ({ credentials }: Verifier, { token, hmac }: Check): Verdict => {
  if (hmac === undefined) return deny('malformed', NOT_VERIFIABLE, NEVER);
  const { username, algorithm, signingString } = hmac;
  const credential = credentials.ofConsumers.secret(username);
  if (credential === undefined) return deny('no_credentials', NOT_VERIFIABLE, NEVER);
  const hash = algorithm.slice('hmac-'.length);
  const expected = createHmac(hash, credential.secret).update(signingString).digest();
  const given = Buffer.from(token, 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    return deny('invalid_signature', 'HMAC signature does not match', NEVER);
  const consumer = credentials.consumer(credential.consumer.id);
  if (consumer === undefined) return deny('no_consumer', NOT_VERIFIABLE, NEVER);
  return {
    outcome: 'allow',
    cacheMs: NEVER,
    ...consumerIdentityOf(credentials, consumer),
    credential: { id: credential.id, identifier: credential.username },
  };
};
