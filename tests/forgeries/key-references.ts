import { hmac, jwkOf, jws, rsa } from '../forge-token.ts';
import { claimsOf, type Family, type Forgery, keys, mallory, oidcOf, SECRET } from './forgery.ts';

const byMallory = rsa('sha256', mallory.rsa.privateKey);
const byIssuer = rsa('sha256', keys.rsa.privateKey);
const byNothing = hmac('sha256', '');

const broughtKeys = function* (origin: string): Generator<Forgery> {
  const jwk = { ...jwkOf(mallory.rsa), kid: 'mallory' };
  const headers = [
    { jwk },
    { jku: `${origin}/mallory` },
    { x5u: `${origin}/mallory` },
    { x5c: [mallory.rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    { jwk, kid: 'mallory', jku: `${origin}/mallory`, x5u: `${origin}/mallory`, x5t: 'AAAA' },
  ];
  for (const header of headers)
    for (const claims of [claimsOf('RS256'), oidcOf(origin)])
      yield {
        name: `${Object.keys(header).join(', ')} for ${claims.iss}`,
        token: jws({ alg: 'RS256', ...header }, claims, byMallory),
        message: 'Invalid signature',
      };
};

const KIDS = [
  ...['../../../../dev/null', '/dev/null', "' OR 1=1 --", '$(id)', 'file:///etc/passwd', '__proto__'],
  ...['constructor', '', 7, null, ['rsa'], { kid: 'rsa' }, 'encrypts', 'oct'],
];

const kids = function* (origin: string): Generator<Forgery> {
  for (const kid of [...KIDS, `${origin}/mallory`]) {
    const name = `kid ${JSON.stringify(kid)}`;
    const [oidc, consumer] = [oidcOf(origin), claimsOf('HS256')];
    yield {
      name: `${name}, RS256 for the issuer`,
      token: jws({ alg: 'RS256', kid }, oidc, byMallory),
      message: 'Invalid signature',
    };
    yield {
      name: `${name}, HS256 for the issuer`,
      token: jws({ alg: 'HS256', kid }, oidc, byNothing),
      message: 'Invalid algorithm',
    };
    yield {
      name: `${name}, HS256 for a consumer`,
      token: jws({ alg: 'HS256', kid }, consumer, byNothing),
      message: 'Invalid signature',
    };
  }
  // The issuer's own key, but one that is for something else.
  yield {
    name: 'a key for encryption',
    token: jws({ alg: 'RS256', kid: 'encrypts' }, oidcOf(origin), byIssuer),
  };
};

const issuers = function* (origin: string): Generator<Forgery> {
  const header = { alg: 'RS256', kid: 'rsa' };
  const near = [`${origin}/oidc/`, `${origin}/OIDC`, ` ${origin}/oidc`, `${origin}/oidc#`];
  const wrongType = [[`${origin}/oidc`], { url: 1 }, 7, true, null, ''];
  for (const iss of [...near, 'nobody', '__proto__', ...wrongType])
    yield { name: `iss ${JSON.stringify(iss)}`, token: jws(header, oidcOf(origin, { iss }), byIssuer) };
  const message = 'Invalid signature';
  const [byAlice, byBob] = [hmac('sha256', SECRET), hmac('sha256', 'bobs-secret')];
  yield {
    name: 'bob signs for alice',
    token: jws({ alg: 'HS256' }, claimsOf('HS256'), byBob),
    message,
  };
  yield { name: 'alice signs for bob', token: jws({ alg: 'HS256' }, claimsOf('bob'), byAlice), message };
};

/** Keys and issuers that a token names. */
export const REFERENCE_FAMILIES: readonly Family[] = [
  {
    family: 'jwk, jku, x5u, x5c',
    title: 'keys that a token brings or points to are not used, and nobody is asked for them',
    forge: broughtKeys,
  },
  { family: 'kid', title: 'a kid is a name and nothing else', forge: kids },
  {
    family: 'iss',
    title: 'an issuer is exactly who it says, and signs for nobody else',
    forge: issuers,
  },
];
