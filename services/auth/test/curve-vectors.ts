import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  big,
  bytesOf,
  digest,
  type Family,
  fixed,
  flipped,
  type Signs,
  type Vector,
} from './signature-vectors.ts';

/** Of P-256, P-384 and P-521: the order of the group and the field's prime. */
const CURVES = {
  ES256: {
    ...{ curve: 'P-256', size: 32, hash: 'sha256' },
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  },
  ES384: {
    ...{ curve: 'P-384', size: 48, hash: 'sha384' },
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
  },
  ES512: {
    ...{ curve: 'P-521', size: 66, hash: 'sha512' },
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    p: 2n ** 521n - 1n,
  },
} as const;

/** ECDSA in the form of JWS (RFC 7518 section 3.4): R and S of fixed size, one after the other. */
export const ecdsaVectors = (alg: keyof typeof CURVES): Family => {
  const { curve, size, hash, n, p } = CURVES[alg];
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const other = generateKeyPairSync('ec', { namedCurve: curve }).privateKey;
  const otherHash = hash === 'sha256' ? 'sha384' : 'sha256';
  const raw =
    (key: KeyObject, with_ = hash): Signs =>
    (text) =>
      sign(with_, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  const der: Signs = (text) => sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: 'der' });
  const valid = raw(privateKey);
  const pair = (r: bigint, s: bigint): Buffer => Buffer.concat([bytesOf(r, size), bytesOf(s, size)]);
  const changed =
    (change: (r: Buffer, s: Buffer) => Buffer): Signs =>
    (text) => {
      const signature = valid(text);
      return change(signature.subarray(0, size), signature.subarray(size));
    };
  const limits: readonly (readonly [string, bigint])[] = [
    ...([
      ['0', 0n],
      ['1', 1n],
      ['n-1', n - 1n],
      ['n', n],
      ['n+1', n + 1n],
      ['p', p],
      ['p-n', p - n],
    ] as const),
    ['all ones', 2n ** BigInt(8 * size) - 1n],
  ];
  const vectors: Vector[] = [
    ...limits.flatMap(([rName, r]) => limits.map(([sName, s]) => fixed(`r=${rName} s=${sName}`, pair(r, s)))),
    ...limits.map(([name, r]) => ({
      name: `r=${name}`,
      signs: changed((_, s) => Buffer.concat([bytesOf(r, size), s])),
    })),
    ...limits.map(([name, s]) => ({
      name: `s=${name}`,
      signs: changed((r) => Buffer.concat([r, bytesOf(s, size)])),
    })),
    { name: 'r swapped with s', signs: changed((r, s) => Buffer.concat([s, r])) },
    {
      name: 'r and s little-endian',
      signs: changed((r, s) => Buffer.concat([Buffer.from(r).reverse(), Buffer.from(s).reverse()])),
    },
    {
      name: 'zeros before r and s',
      signs: changed((r, s) => Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s])),
    },
    { name: 'a zero before r', signs: changed((r, s) => Buffer.concat([Buffer.alloc(1), r, s])) },
    { name: 'a zero behind s', signs: changed((r, s) => Buffer.concat([r, s, Buffer.alloc(1)])) },
    { name: 'twice', signs: changed((r, s) => Buffer.concat([r, s, r, s])) },
    { name: 'r alone', signs: changed((r) => r) },
    { name: 's alone', signs: changed((_, s) => s) },
    { name: 'r and half of s', signs: changed((r, s) => Buffer.concat([r, s.subarray(0, size / 2)])) },
    { name: 'without its first byte', signs: changed((r, s) => Buffer.concat([r.subarray(1), s])) },
    { name: 'without its last byte', signs: changed((r, s) => Buffer.concat([r, s.subarray(0, -1)])) },
    { name: 'one bit of r', signs: changed((r, s) => flipped(Buffer.concat([r, s]), size - 1)) },
    { name: 'one bit of s', signs: changed((r, s) => flipped(Buffer.concat([r, s]), 2 * size - 1)) },
    { name: 's plus n', signs: changed((r, s) => Buffer.concat([r, bytesOf(big(s) + n, size)])) },
    { name: 'r plus n', signs: changed((r, s) => Buffer.concat([bytesOf(big(r) + n, size), s])) },
    { name: 'in hex', signs: (text) => Buffer.from(valid(text).toString('hex')) },
    { name: 'DER', signs: der },
    { name: 'DER cut to the right length', signs: (text) => der(text).subarray(0, 2 * size) },
    { name: 'DER with zeros behind it', signs: (text) => Buffer.concat([der(text), Buffer.alloc(8)]) },
    { name: 'another key', signs: raw(other) },
    { name: 'another hash', signs: raw(privateKey, otherHash) },
    { name: 'over another text', signs: (text) => valid(`${text}x`) },
    fixed('nothing', Buffer.alloc(0)),
    fixed('one byte', Buffer.alloc(1, 1)),
    fixed('a kilobyte', Buffer.alloc(1024, 1)),
  ];
  return { alg, publicKey, valid, vectors };
};

const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** Encodings of points of small order: with S = 0 they fool verifiers that multiply by the cofactor. */
const SMALL_ORDER = [
  `01${'00'.repeat(31)}`,
  '00'.repeat(32),
  `ec${'ff'.repeat(30)}7f`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

export const eddsaVectors = (): Family => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const valid: Signs = (text) => sign(null, Buffer.from(text), privateKey);
  const withS =
    (change: (s: bigint) => bigint): Signs =>
    (text) => {
      const signature = valid(text);
      const s = big(Buffer.from(signature.subarray(32)).reverse());
      return Buffer.concat([signature.subarray(0, 32), bytesOf(change(s), 32).reverse()]);
    };
  const ed448 = generateKeyPairSync('ed448').privateKey;
  const vectors: Vector[] = [
    { name: 's plus the order', signs: withS((s) => s + ED25519_ORDER) },
    { name: 's of zero', signs: withS(() => 0n) },
    { name: 's of the order', signs: withS(() => ED25519_ORDER) },
    { name: 's of all ones', signs: withS(() => 2n ** 256n - 1n) },
    {
      name: 'the sign of R',
      signs: (text) => {
        const s = Buffer.from(valid(text));
        s[31] = (s[31] ?? 0) ^ 0x80;
        return s;
      },
    },
    ...SMALL_ORDER.map((point) =>
      fixed(
        `R of small order ${point.slice(0, 2)}`,
        Buffer.concat([Buffer.from(point, 'hex'), Buffer.alloc(32)]),
      ),
    ),
    { name: 'without its last byte', signs: (text) => valid(text).subarray(0, -1) },
    { name: 'a zero behind it', signs: (text) => Buffer.concat([valid(text), Buffer.alloc(1)]) },
    { name: 'twice', signs: (text) => Buffer.concat([valid(text), valid(text)]) },
    { name: 'over the digest', signs: (text) => sign(null, digest('sha512', text), privateKey) },
    { name: 'by Ed448', signs: (text) => sign(null, Buffer.from(text), ed448) },
    {
      name: 'another key',
      signs: (text) => sign(null, Buffer.from(text), generateKeyPairSync('ed25519').privateKey),
    },
    fixed('zeros', Buffer.alloc(64)),
    fixed('nothing', Buffer.alloc(0)),
  ];
  return { alg: 'EdDSA', publicKey, valid, vectors };
};

export const hmacVectors = (secret: string): Family => {
  const mac =
    (hash: string, key: string): Signs =>
    (text) =>
      createHmac(hash, key).update(text).digest();
  const valid = mac('sha256', secret);
  const vectors: Vector[] = [
    ...[0, 1, 10, 16, 20, 31].map((length) => ({
      name: `its first ${length} bytes`,
      signs: (text: string) => valid(text).subarray(0, length),
    })),
    { name: 'a zero behind it', signs: (text) => Buffer.concat([valid(text), Buffer.alloc(1)]) },
    { name: 'twice', signs: (text) => Buffer.concat([valid(text), valid(text)]) },
    { name: 'in hex', signs: (text) => Buffer.from(valid(text).toString('hex')) },
    { name: 'one bit', signs: (text) => flipped(valid(text), 31) },
    ...['sha1', 'sha224', 'sha384', 'sha512', 'sha512-256', 'sha3-256'].map((hash) => ({
      name: hash,
      signs: mac(hash, secret),
    })),
    ...['', ' ', `${secret} `, secret.toUpperCase(), `${secret}${secret}`].map((key) => ({
      name: `key ${JSON.stringify(key)}`,
      signs: mac('sha256', key),
    })),
    { name: 'the digest of the secret and the text', signs: (text) => digest('sha256', `${secret}${text}`) },
    fixed('zeros', Buffer.alloc(32)),
  ];
  return { alg: 'HS256', valid, vectors };
};
