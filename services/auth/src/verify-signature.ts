import type { KeyObject } from 'node:crypto';
import { type CryptoKey, compactVerify, errors } from 'jose';
import { ownValue, type Token } from './jwt-format.ts';
import type { KeySet, Keys } from './key-set.ts';

/** `unknown-key`: no key of the set is meant for this token. `unusable-key`: the key does not fit its algorithm. */
export type SignatureOutcome = 'valid' | 'invalid' | 'unknown-key' | 'unusable-key';

const MAX_KEYS_TRIED = 4; // a token without kid may fit many keys; each try costs half a millisecond with ES384

/** Verifies with one key, on the thread pool. PSS salt and signature lengths are pinned by the algorithm. */
export const verifyWithKey = async (token: Token, key: CryptoKey | KeyObject): Promise<SignatureOutcome> => {
  try {
    await compactVerify(token.text, key, { algorithms: [token.alg] });
    return 'valid';
  } catch (error) {
    return error instanceof errors.JWSSignatureVerificationFailed ? 'invalid' : 'unusable-key';
  }
};

/** Verifies with the keys of a set, and once more with newer ones when the token's key is not among them. */
export const verifyWithKeySet = async (token: Token, set: KeySet, keys: Keys): Promise<SignatureOutcome> => {
  const outcome = await tryKeys(token, keys);
  // Without a kid, a key we do not know looks like a signature that is wrong.
  const mayBeRotated =
    outcome === 'unknown-key' || (outcome === 'invalid' && !Object.hasOwn(token.header, 'kid'));
  if (!mayBeRotated) return outcome;
  const newer = await set.newerKeys();
  return newer === undefined ? outcome : tryKeys(token, newer);
};

const tryKeys = async (token: Token, keys: Keys): Promise<SignatureOutcome> => {
  const kid = ownValue(token.header, 'kid');
  try {
    const header = kid === undefined ? { alg: token.alg } : { alg: token.alg, kid: kid as string };
    return await verifyWithKey(token, await keys(header));
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return tryEach(token, error);
    return error instanceof errors.JWKSNoMatchingKey ? 'unknown-key' : 'unusable-key';
  }
};

const tryEach = async (token: Token, keys: AsyncIterable<CryptoKey>): Promise<SignatureOutcome> => {
  let tried = 0;
  for await (const key of keys) {
    if ((await verifyWithKey(token, key)) === 'valid') return 'valid';
    tried += 1;
    if (tried === MAX_KEYS_TRIED) break;
  }
  return 'invalid';
};
