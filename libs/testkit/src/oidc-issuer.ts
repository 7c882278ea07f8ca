import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** A real OIDC issuer on loopback: discovery, JWKS, key rotation, and failures on demand. */
export class OidcIssuer implements AsyncDisposable {
  /** The `iss` of its tokens, and where its documents say that they are; another one where it is behind a proxy. */
  url: string;
  /** How often each path was asked. */
  readonly requests = new Map<string, number>();
  /** While set, every request is answered with this status. */
  failWith: number | undefined;
  /** Keys that the JWKS shows; tokens are signed with the last. */
  published: IssuerKey[] = [];
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(alg = 'ES384'): Promise<OidcIssuer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const issuer = new OidcIssuer(server, `http://127.0.0.1:${port}/oidc`);
    await issuer.rotate({ keepOld: false, alg });
    server.on('request', (request, response) => {
      const path = request.url ?? '/';
      issuer.requests.set(path, (issuer.requests.get(path) ?? 0) + 1);
      const body = issuer.failWith === undefined ? issuer.#bodyFor(path) : undefined;
      response.writeHead(issuer.failWith ?? (body === undefined ? 404 : 200), {
        'content-type': 'application/json',
      });
      response.end(JSON.stringify(body ?? { error: 'unavailable' }));
    });
    return issuer;
  }

  /** Signs with a new key from now on; without `keepOld` the old ones leave the JWKS at once. */
  async rotate(options: { keepOld: boolean; alg?: string }): Promise<void> {
    const alg = options.alg ?? this.published.at(-1)?.alg ?? 'ES384';
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${crypto.randomUUID().slice(0, 8)}`;
    const key = { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
    this.published = options.keepOld ? [...this.published, key] : [key];
  }

  /** A token with Logto's shape; `claims` override, `undefined` removes. */
  async token(claims: JWTPayload = {}, header: { kid?: string; alg?: string } = {}): Promise<string> {
    const key = this.published.at(-1);
    if (key === undefined) throw new Error('the issuer has no key');
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.url,
      sub: 'user-456',
      aud: 'https://api.dcoder.test',
      iat: now,
      exp: now + 3600,
      jti: crypto.randomUUID(),
      tenant_id: 'tenant-123',
      ...claims,
    };
    return new SignJWT(payload)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
      .sign(key.privateKey);
  }

  #bodyFor(path: string): unknown {
    if (path === '/oidc/.well-known/openid-configuration')
      return {
        issuer: this.url,
        jwks_uri: `${this.url}/jwks`,
        id_token_signing_alg_values_supported: ['ES384', 'RS256'],
      };
    if (path === '/oidc/jwks') return { keys: this.published.map((key) => key.jwk) };
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
