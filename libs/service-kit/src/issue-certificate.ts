import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const YEARS_MS = 20 * 365 * DAY_MS;

/** Who signs, and as what. */
export interface Issuer extends KeyedCertificate {
  readonly name: string;
}

/**
 * Makes a certificate for a server name; without an issuer it is signed by itself. Node makes keys and signatures
 * but no certificates, so the fields of one are written here as DER (RFC 5280 section 4.1).
 */
export const issueCertificate = (
  name: string,
  { issuer, isAuthority = false }: { readonly issuer?: Issuer; readonly isAuthority?: boolean } = {},
): Issuer => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f); // positive, and of full length
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, serial),
    ECDSA_WITH_SHA256,
    commonName(issuer?.name ?? name),
    sequence(time(now - DAY_MS), time(now + YEARS_MS)), // a day back: clocks differ
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(isAuthority ? authorityExtension() : namesExtension(name))),
  );
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]));
  return {
    name,
    cert: pem(sequence(body, ECDSA_WITH_SHA256, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};

const tagged = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};
const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]): Buffer => tagged(0x31, Buffer.concat(parts));
const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
/** GeneralizedTime, which has no trouble with the year 2050. */
const time = (ms: number): Buffer =>
  tagged(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`));
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;

const COMMON_NAME = tagged(0x06, Buffer.from([0x55, 0x04, 0x03]));
const SUBJECT_ALT_NAME = tagged(0x06, Buffer.from([0x55, 0x1d, 0x11]));
const BASIC_CONSTRAINTS = tagged(0x06, Buffer.from([0x55, 0x1d, 0x13]));
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(
  tagged(0x06, Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])),
);
const TRUE = tagged(0x01, Buffer.from([0xff]));

const commonName = (name: string): Buffer => sequence(set(sequence(COMMON_NAME, utf8(name))));
const namesExtension = (name: string): Buffer =>
  sequence(SUBJECT_ALT_NAME, tagged(0x04, sequence(tagged(0x82, Buffer.from(name)))));
const authorityExtension = (): Buffer => sequence(BASIC_CONSTRAINTS, TRUE, tagged(0x04, sequence(TRUE)));
