import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Signs = (text: string) => Buffer;

/** A part of a compact JWS; a text is taken as it is, so that it need not be good JSON. */
export const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A compact JWS over any header and claims. */
export const jws = (header: object | string, claims: object | string, signs: Signs): string => {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${signs(text).toString('base64url')}`;
};

export const bytes = (of: Buffer | string): Signs => {
  const signature = Buffer.from(of);
  return () => signature;
};
export const hmac =
  (hash: string, secret: Buffer | string): Signs =>
  (text) =>
    createHmac(hash, secret).update(text).digest();
export const rsa =
  (hash: string, key: KeyObject): Signs =>
  (text) =>
    sign(hash, Buffer.from(text), key);
export const pss =
  (hash: string, key: KeyObject, saltLength: number): Signs =>
  (text) =>
    sign(hash, Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
export const ecdsa =
  (hash: string, key: KeyObject, dsaEncoding: 'der' | 'ieee-p1363' = 'ieee-p1363'): Signs =>
  (text) =>
    sign(hash, Buffer.from(text), { key, dsaEncoding });
export const eddsa =
  (key: KeyObject): Signs =>
  (text) =>
    sign(null, Buffer.from(text), key);

export interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The keys of somebody who is trusted. */
export const makeKeys = () => ({
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) as Pair,
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }) as Pair,
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }) as Pair,
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }) as Pair,
  ed: generateKeyPairSync('ed25519') as Pair,
});
export type Keys = ReturnType<typeof makeKeys>;

export const pemOf = ({ publicKey }: Pair): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const jwkOf = ({ publicKey }: Pair) => publicKey.export({ format: 'jwk' });

/** Order of the group, big-endian: a signature of it is as good as one of zero. */
export const ORDERS = {
  p256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  p384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  p521: `01${'f'.repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
} as const;

const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same Ed25519 signature with the group's order added to its second half (RFC 8032 section 5.1.7). */
export const malleable = (signature: Buffer): Buffer => {
  const half = Buffer.from(signature.subarray(32)).reverse().toString('hex');
  const raised = (BigInt(`0x${half}`) + ED25519_ORDER).toString(16).padStart(64, '0');
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(raised, 'hex').reverse()]);
};
