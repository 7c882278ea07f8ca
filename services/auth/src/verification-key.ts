import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JwtSecret } from '@sluice/gateway-config';
import type { CryptoKey } from 'jose';

type Key = CryptoKey | KeyObject;

/** By credential, and once per reading of its secret; an entity that is replaced takes its keys with it. */
const imported = new WeakMap<JwtSecret, Map<boolean, Promise<Key | undefined>>>();

/** The key a credential holds, ready for use. Undefined: it has none, or one that does not fit its algorithm. */
export const verificationKey = (secret: JwtSecret, isBase64: boolean): Promise<Key | undefined> => {
  const keys = imported.get(secret) ?? new Map<boolean, Promise<Key | undefined>>();
  imported.set(secret, keys);
  const key = keys.get(isBase64) ?? importKey(secret, isBase64).catch(() => undefined);
  keys.set(isBase64, key);
  return key;
};

const importKey = async (secret: JwtSecret, isBase64: boolean): Promise<Key | undefined> => {
  if (!secret.algorithm.startsWith('HS'))
    return secret.rsa_public_key === null ? undefined : createPublicKey(secret.rsa_public_key);
  // Kong takes both base64 alphabets here, and so does Buffer.
  const bytes = Buffer.from(secret.secret, isBase64 ? 'base64' : 'utf8');
  const algorithm = { name: 'HMAC', hash: `SHA-${secret.algorithm.slice(2)}` };
  return crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);
};
