import { constants, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from 'node:crypto';
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

/** What stands before the digest in a signature by PKCS #1 v1.5 (RFC 8017 section 9.2). */
const DIGEST_INFO = {
  sha1: '3021300906052b0e03021a05000414',
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
} as const;
type Hash = keyof typeof DIGEST_INFO;

const RSA_BYTES = 256;
const rsaPair = () => generateKeyPairSync('rsa', { modulusLength: 8 * RSA_BYTES });
/** The private key's operation on a block of our own making. */
const power = (key: KeyObject, block: Buffer): Buffer =>
  privateEncrypt(
    { key, padding: constants.RSA_NO_PADDING },
    Buffer.concat([Buffer.alloc(RSA_BYTES - block.length), block]),
  );

const padded = (info: Buffer, filling = 0xff, type = 1, zero = 0): Buffer =>
  Buffer.concat([
    Buffer.from([0, type]),
    Buffer.alloc(RSA_BYTES - info.length - 3, filling),
    Buffer.from([zero]),
    info,
  ]);
const infoOf = (hash: Hash, text: string, of: Hash = hash): Buffer =>
  Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest(of, text)]);

/** RSASSA-PKCS1-v1_5 with SHA-256: blocks that a careless verifier takes for a padded digest. */
export const pkcs1Vectors = (): Family => {
  const { privateKey, publicKey } = rsaPair();
  const valid: Signs = (text) => sign('sha256', Buffer.from(text), privateKey);
  const n = big(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
  const block =
    (make: (text: string) => Buffer): Signs =>
    (text) =>
      power(privateKey, make(text));
  const short = (text: string, filling: Buffer): Buffer => {
    const info = infoOf('sha256', text);
    const start = Buffer.concat([Buffer.from([0, 1]), filling, Buffer.from([0]), info]);
    return Buffer.concat([start, Buffer.alloc(RSA_BYTES - start.length)]);
  };
  const info = (hex: string) => (text: string) =>
    padded(Buffer.concat([Buffer.from(hex, 'hex'), digest('sha256', text)]));
  const vectors: Vector[] = [
    {
      name: 'little padding, garbage behind (2006)',
      signs: block((text) => short(text, Buffer.alloc(8, 0xff))),
    },
    { name: 'no padding, garbage behind', signs: block((text) => short(text, Buffer.alloc(0))) },
    { name: 'no NULL behind the algorithm', signs: block(info('302f300b0609608648016503040201')) },
    { name: 'no NULL, its length right', signs: block(info('302f300b06096086480165030402010420')) },
    { name: 'garbage for NULL', signs: block(info('3034301006096086480165030402010403deadbe0420')) },
    { name: 'a length in two bytes', signs: block(info('308131300d060960864801650304020105000420')) },
    { name: 'a length without an end', signs: block(info('3080300d060960864801650304020105000420')) },
    { name: 'the digest alone', signs: block((text) => padded(digest('sha256', text))) },
    { name: 'the name of SHA-1', signs: block((text) => padded(infoOf('sha1', text, 'sha256'))) },
    { name: 'the name of SHA-512', signs: block((text) => padded(infoOf('sha512', text, 'sha256'))) },
    { name: 'a digest by SHA-1', signs: block((text) => padded(infoOf('sha1', text))) },
    { name: 'a digest by SHA-384', signs: block((text) => padded(infoOf('sha384', text))) },
    { name: 'half of the digest', signs: block((text) => padded(infoOf('sha256', text).subarray(0, -16))) },
    {
      name: 'bytes behind the digest',
      signs: block((text) => padded(Buffer.concat([infoOf('sha256', text), Buffer.alloc(4)]))),
    },
    { name: 'block type 0', signs: block((text) => padded(infoOf('sha256', text), 0xff, 0)) },
    { name: 'block type 2', signs: block((text) => padded(infoOf('sha256', text), 0xff, 2)) },
    { name: 'padding of zeros', signs: block((text) => padded(infoOf('sha256', text), 0)) },
    { name: 'padding of 0xfe', signs: block((text) => padded(infoOf('sha256', text), 0xfe)) },
    {
      name: 'no zero behind the padding',
      signs: block((text) => padded(infoOf('sha256', text), 0xff, 1, 0xff)),
    },
    { name: 'the signature plus n', signs: (text) => bytesOf(big(valid(text)) + n, RSA_BYTES + 1) },
    { name: 'a zero before it', signs: (text) => Buffer.concat([Buffer.alloc(1), valid(text)]) },
    { name: 'a zero behind it', signs: (text) => Buffer.concat([valid(text), Buffer.alloc(1)]) },
    { name: 'without its last byte', signs: (text) => valid(text).subarray(0, -1) },
    { name: 'one bit', signs: (text) => flipped(valid(text), 128) },
    ...[0n, 1n, 2n, n - 1n, n, n + 1n].map((value, i) => fixed(`limit ${i}`, bytesOf(value, RSA_BYTES))),
    { name: 'by PSS', signs: pssOf(privateKey, 32) },
    { name: 'another key', signs: (text) => sign('sha256', Buffer.from(text), rsaPair().privateKey) },
    fixed('nothing', Buffer.alloc(0)),
  ];
  return { alg: 'RS256', publicKey, valid, vectors };
};

const pssOf =
  (key: KeyObject, saltLength: number, hash = 'sha256'): Signs =>
  (text) =>
    sign(hash, Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

const mgf1 = (hash: string, seed: Buffer, length: number): Buffer => {
  const parts: Buffer[] = [];
  for (let i = 0; Buffer.concat(parts).length < length; i++)
    parts.push(digest(hash, Buffer.concat([seed, bytesOf(BigInt(i), 4)])));
  return Buffer.concat(parts).subarray(0, length);
};

interface PssBlock {
  readonly mgf?: string;
  readonly trailer?: number;
  readonly separator?: number;
  readonly filling?: number;
  readonly topBits?: boolean;
}
/** EMSA-PSS with SHA-256 and a salt of 32 bytes (RFC 8017 section 9.1.1), with one thing wrong. */
const pssBlock = (
  text: string,
  { mgf = 'sha256', trailer = 0xbc, separator = 1, filling = 0, topBits = false }: PssBlock,
): Buffer => {
  const salt = Buffer.alloc(32, 7);
  const hash = digest('sha256', Buffer.concat([Buffer.alloc(8), digest('sha256', text), salt]));
  const size = RSA_BYTES - hash.length - 1;
  const data = Buffer.concat([Buffer.alloc(size - salt.length - 1, filling), Buffer.from([separator]), salt]);
  const mask = mgf1(mgf, hash, size);
  const masked = Buffer.from(data.map((byte, i) => byte ^ (mask[i] ?? 0)));
  masked[0] = topBits ? (masked[0] ?? 0) | 0x80 : (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, hash, Buffer.from([trailer])]);
};

/** RSASSA-PSS with SHA-256; JWS has the salt as long as the digest (RFC 7518 section 3.5). */
export const pssVectors = (): Family => {
  const { privateKey, publicKey } = rsaPair();
  const made =
    (fault: PssBlock): Signs =>
    (text) =>
      power(privateKey, pssBlock(text, fault));
  const valid = pssOf(privateKey, 32);
  const vectors: Vector[] = [
    ...[0, 1, 16, 20, 31, 33, 48, 64, 222].map((salt) => ({
      name: `a salt of ${salt}`,
      signs: pssOf(privateKey, salt),
    })),
    { name: 'another hash', signs: pssOf(privateKey, 32, 'sha384') },
    { name: 'a mask by SHA-1', signs: made({ mgf: 'sha1' }) },
    { name: 'a mask by SHA-512', signs: made({ mgf: 'sha512' }) },
    { name: 'another trailer', signs: made({ trailer: 0xcc }) },
    { name: 'no separator', signs: made({ separator: 0 }) },
    { name: 'another separator', signs: made({ separator: 2 }) },
    { name: 'padding that is not zero', signs: made({ filling: 1 }) },
    { name: 'without its last byte', signs: (text) => valid(text).subarray(0, -1) },
    { name: 'a zero before it', signs: (text) => Buffer.concat([Buffer.alloc(1), valid(text)]) },
    { name: 'one bit', signs: (text) => flipped(valid(text), 0) },
    { name: 'by PKCS #1', signs: (text) => sign('sha256', Buffer.from(text), privateKey) },
    { name: 'another key', signs: pssOf(rsaPair().privateKey, 32) },
    fixed('nothing', Buffer.alloc(0)),
  ];
  // That only what is wrong in a block makes it fail: one with nothing wrong is good.
  return { alg: 'PS256', publicKey, valid, alsoValid: made({}), vectors };
};
