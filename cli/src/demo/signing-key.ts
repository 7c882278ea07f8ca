import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';

export const ALGORITHM = 'ES384'; // what Logto signs with unless told otherwise

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

const readJwk = (file: string): JWK | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JWK;
  } catch {
    return undefined; // the first start, or a file somebody spoilt: a new key is made
  }
};

const newJwk = async (file: string): Promise<JWK> => {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  writeFileSync(file, JSON.stringify(jwk), { mode: 0o600 });
  return jwk;
};

/** The issuer's key, kept in the data directory: tokens of before a restart stay valid. */
export const loadSigningKey = async (dataDir: string): Promise<SigningKey> => {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'issuer-key.json');
  const jwk = readJwk(file) ?? (await newJwk(file));
  const kid = await calculateJwkThumbprint(jwk);
  const { d: _secret, ...publicPart } = jwk;
  return {
    alg: ALGORITHM,
    kid,
    privateKey: (await importJWK(jwk, ALGORITHM)) as CryptoKey,
    publicJwk: { ...publicPart, kid, alg: ALGORITHM, use: 'sig' },
  };
};
