import { bytes, hmac, jwkOf, jws, part, pemOf } from '../forge-token.ts';
import { claimsOf, type Family, type Forgery, keys, oidcOf } from './forgery.ts';

const NAMES = [
  ...['none', 'None', 'NONE', 'nOnE', ' none', 'none ', 'n\u0000one', '', 'hs256', 'HS256 ', 'HS1', 'RS1'],
  ...['ES256K', 'Ed448', 'dir', 'A128KW', null, 0, true, ['HS256'], { alg: 'HS256' }],
];

const none = function* (origin: string): Generator<Forgery> {
  const message = 'Bad token; invalid alg';
  for (const alg of NAMES)
    for (const iss of ['HS256', 'RS256', `${origin}/oidc`])
      for (const signature of ['', 'AAAA']) {
        const name = `alg ${JSON.stringify(alg)} for ${iss}, ${signature === '' ? 'unsigned' : 'signed'}`;
        yield { name, token: `${part({ alg })}.${part(claimsOf(iss))}.${signature}`, message };
      }
  const claims = part(claimsOf('HS256'));
  yield { name: 'no alg', token: `${part({})}.${claims}.`, message };
  yield { name: 'alg none in two parts', token: `${part({ alg: 'none' })}.${claims}` };
};

const publicKeyAsSecret = function* (origin: string): Generator<Forgery> {
  const message = 'Invalid algorithm';
  const pem = pemOf(keys.rsa);
  const secrets: readonly (readonly [string, string | Buffer])[] = [
    ['PEM', pem],
    ['PEM without its last line break', pem.trim()],
    ['PEM with CR LF', pem.replaceAll('\n', '\r\n')],
    ['base64', pem.replaceAll(/-----.*-----|\n/g, '')],
    ['SPKI', keys.rsa.publicKey.export({ type: 'spki', format: 'der' })],
    ['PKCS #1', keys.rsa.publicKey.export({ type: 'pkcs1', format: 'der' })],
    ['JWK', JSON.stringify(jwkOf(keys.rsa))],
    ['modulus', jwkOf(keys.rsa).n ?? ''],
    ['nothing', ''],
    ['a published secret', 'a-published-secret'],
  ];
  for (const [written, secret] of secrets)
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const)
      for (const kid of ['rsa', 'oct'])
        for (const claims of [claimsOf('RS256'), oidcOf(origin)]) {
          const name = `${alg} by the public key as ${written}, kid ${kid}, for ${claims.iss}`;
          yield { name, token: jws({ alg, kid }, claims, hmac(hash, secret)), message };
        }
  // And the other way round: a signature where a secret is expected.
  for (const alg of ['RS256', 'ES256', 'EdDSA'])
    yield { name: `${alg} for a secret`, token: jws({ alg }, claimsOf('HS256'), bytes('x')), message };
};

/** Algorithms that are none, or not the key's. */
export const ALGORITHM_FAMILIES: readonly Family[] = [
  {
    family: 'alg none',
    title: 'alg none, and everything that is no algorithm, is refused in every spelling',
    forge: none,
  },
  {
    family: 'public key as secret',
    title: 'a public key is no shared secret, however it is written',
    forge: publicKeyAsSecret,
  },
];
