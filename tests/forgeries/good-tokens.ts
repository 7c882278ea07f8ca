import { ecdsa, eddsa, hmac, jws, pss, rsa, type Signs } from '../forge-token.ts';
import { claimsOf, keys, oidcOf, SECRET } from './forgery.ts';

/** How the keys of the configuration sign. */
const SIGNERS: readonly { readonly alg: string; readonly kid?: string; readonly signs: Signs }[] = [
  { alg: 'HS256', signs: hmac('sha256', SECRET) },
  { alg: 'RS256', kid: 'rsa', signs: rsa('sha256', keys.rsa.privateKey) },
  { alg: 'PS256', kid: 'rsa', signs: pss('sha256', keys.rsa.privateKey, 32) },
  { alg: 'ES256', kid: 'p256', signs: ecdsa('sha256', keys.p256.privateKey) },
  { alg: 'ES384', kid: 'p384', signs: ecdsa('sha384', keys.p384.privateKey) },
  { alg: 'EdDSA', kid: 'ed', signs: eddsa(keys.ed.privateKey) },
];

/** Somebody whose tokens are good. */
export interface GoodSigner {
  /** The algorithm, and whose token it is. */
  readonly name: string;
  readonly alg: string;
  /** One more token; `over` are more claims. */
  readonly sign: (origin: string, over?: object) => string;
}

/** A consumer for each algorithm, and the issuer with each that it may use. */
export const GOOD_SIGNERS: readonly GoodSigner[] = SIGNERS.flatMap(({ alg, kid, signs }) => {
  const ofConsumer: GoodSigner = {
    ...{ name: alg, alg },
    sign: (_origin, over) => jws({ alg }, claimsOf(alg, over), signs),
  };
  if (kid === undefined) return [ofConsumer];
  const sign: GoodSigner['sign'] = (origin, over) => jws({ alg, kid }, oidcOf(origin, over), signs);
  return [ofConsumer, { name: `oidc ${alg}`, alg, sign }];
});
