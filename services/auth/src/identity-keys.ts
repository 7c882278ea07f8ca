import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

const PRIVATE_KEY = /-----BEGIN (?:EC )?PRIVATE KEY-----[^-]+-----END (?:EC )?PRIVATE KEY-----/g;
const CURVE = 'prime256v1';

/** The public half of a key, as upstreams fetch it (RFC 7517). */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
}

/** The keys that identities for upstreams are signed with: the first signs, all are published. */
export class IdentityKeys {
  readonly published: readonly PublicJwk[];
  readonly #signing: KeyObject;
  readonly #header: string;

  private constructor(keys: readonly KeyObject[]) {
    const [first] = keys;
    if (first === undefined)
      throw new Error('no private key in PEM: openssl ecparam -name prime256v1 -genkey');
    this.#signing = first;
    this.published = keys.map(publicJwkOf);
    // A type of its own: no verifier of access tokens takes it for one (RFC 8725 section 3.11).
    this.#header = encoded({ alg: 'ES256', typ: 'gateway-identity+jwt', kid: this.published[0]?.kid });
  }

  /**
   * Reads one or more keys for ES256 in PEM.
   * @throws Error that says which of them cannot be used, and nothing of what it holds.
   */
  static of(pem: string): IdentityKeys {
    const keys = (pem.match(PRIVATE_KEY) ?? []).map((one, i) => {
      const key = privateKeyOf(one);
      if (key?.asymmetricKeyDetails?.namedCurve !== CURVE)
        throw new Error(`private key ${i + 1} is not one for ES256 (curve P-256)`);
      return key;
    });
    return new IdentityKeys(keys);
  }

  /** A compact JWS. On this thread: it takes some 50 µs, and once for each verdict. */
  sign(claims: Readonly<Record<string, unknown>>): string {
    const text = `${this.#header}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: this.#signing, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const privateKeyOf = (pem: string): KeyObject | undefined => {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined; // its message could quote what stands in the file
  }
};

/** Named by its RFC 7638 thumbprint: every instance gives the same key the same name. */
const publicJwkOf = (key: KeyObject): PublicJwk => {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  const members = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y });
  const kid = createHash('sha256').update(members).digest('base64url');
  return { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' };
};
