import { bytes, ecdsa, eddsa, jws, malleable, ORDERS, pss, rsa, type Signs } from '../forge-token.ts';
import { claimsOf, type Family, type Forgery, keys, mallory, oidcOf } from './forgery.ts';

const CURVES = [
  { alg: 'ES256', key: 'p256', hash: 'sha256', size: 32 },
  { alg: 'ES384', key: 'p384', hash: 'sha384', size: 48 },
  { alg: 'ES512', key: 'p521', hash: 'sha512', size: 66 },
] as const;
type Curve = (typeof CURVES)[number];

const message = 'Invalid signature';

/** Signatures of numbers that satisfy the equation for any text, where nobody looks at their range. */
const psychic = ({ key, size }: Curve): (readonly [string, Signs])[] => {
  const zero = Buffer.alloc(size);
  const values = [
    ['0', zero],
    ['1', Buffer.from(zero).fill(1, size - 1)],
    ['n', Buffer.from(ORDERS[key].padStart(2 * size, '0'), 'hex')],
    ['ff…', Buffer.alloc(size, 0xff)],
  ] as const;
  return values.flatMap(([rName, r]) =>
    values.map(([sName, s]) => [`r ${rName}, s ${sName}`, bytes(Buffer.concat([r, s]))] as const),
  );
};

const forgedBy = (curve: Curve): (readonly [string, Signs])[] => {
  const { key, hash, size } = curve;
  const good = ecdsa(hash, keys[key].privateKey);
  return [
    ...psychic(curve),
    ...[0, 1, size, 2 * size - 1, 2 * size + 1, 4096].map(
      (length) => [`${length} zeros`, bytes(Buffer.alloc(length))] as const,
    ),
    ['DER', ecdsa(hash, keys[key].privateKey, 'der')],
    ['a byte behind', (text) => Buffer.concat([good(text), Buffer.alloc(1)])],
    ['a byte before', (text) => Buffer.concat([Buffer.alloc(1), good(text)])],
    ['a key of nobody', ecdsa(hash, mallory[key].privateKey)],
    ...CURVES.filter((other) => other !== curve).map(
      (other) => [`a key of ${other.key}`, ecdsa(hash, keys[other.key].privateKey)] as const,
    ),
  ];
};

const curves = function* (origin: string): Generator<Forgery> {
  for (const curve of CURVES) {
    const { alg, key, hash } = curve;
    for (const [how, signs] of forgedBy(curve)) {
      yield { name: `${alg}, ${how}`, token: jws({ alg }, claimsOf(alg), signs), message };
      if (alg !== 'ES512')
        yield {
          name: `${alg} of the issuer, ${how}`,
          token: jws({ alg, kid: key }, oidcOf(origin), signs),
          message,
        };
    }
    for (const other of CURVES.filter((one) => one !== curve))
      yield {
        name: `${alg} with a kid of ${other.key}`,
        token: jws({ alg, kid: other.key }, oidcOf(origin), ecdsa(hash, keys[other.key].privateKey)),
      };
  }
};

const ofIssuer = keys.rsa.privateKey;
const WRONG: readonly { alg: string; kid: string; signatures: readonly (readonly [string, Signs])[] }[] = [
  {
    ...{ alg: 'PS256', kid: 'rsa' },
    signatures: [
      ...[0, 20, 31, 33, 64, 222].map(
        (salt) => [`a salt of ${salt}`, pss('sha256', ofIssuer, salt)] as const,
      ),
      ['SHA-384', pss('sha384', ofIssuer, 32)],
      ['PKCS #1', rsa('sha256', ofIssuer)],
      ['zeros', bytes(Buffer.alloc(256))],
    ],
  },
  {
    ...{ alg: 'RS256', kid: 'rsa' },
    signatures: [
      ['PSS', pss('sha256', ofIssuer, 32)],
      ['SHA-1', rsa('sha1', ofIssuer)],
      ['SHA-512', rsa('sha512', ofIssuer)],
      ['ones', bytes(Buffer.alloc(256, 1))],
      ['nothing', bytes('')],
    ],
  },
  {
    ...{ alg: 'EdDSA', kid: 'ed' },
    signatures: [
      ['raised by the order', (text) => malleable(eddsa(keys.ed.privateKey)(text))],
      ['64 zeros', bytes(Buffer.alloc(64))],
      ['63 zeros', bytes(Buffer.alloc(63))],
      ['a key of nobody', eddsa(mallory.ed.privateKey)],
    ],
  },
];

const rsaAndEd25519 = function* (origin: string): Generator<Forgery> {
  for (const { alg, kid, signatures } of WRONG)
    for (const [how, signs] of signatures) {
      yield { name: `${alg}, ${how}`, token: jws({ alg }, claimsOf(alg), signs), message };
      const token = jws({ alg, kid }, oidcOf(origin), signs);
      yield { name: `${alg} of the issuer, ${how}`, token, message };
    }
};

/** Signatures that are none, under the right name. */
export const SIGNATURE_FAMILIES: readonly Family[] = [
  {
    family: 'ECDSA',
    title: 'ECDSA signatures of zero, of the order, of another curve, length or encoding are refused',
    forge: curves,
  },
  {
    family: 'RSA, Ed25519',
    title: 'RSA and Ed25519 signatures of the wrong kind are refused',
    forge: rsaAndEd25519,
  },
];
