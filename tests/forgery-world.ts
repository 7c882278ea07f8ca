import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { call } from '@sluice/testkit';
import { jwkOf, part, pemOf } from './forge-token.ts';
import { keys, mallory, SECRET } from './forgeries/forgery.ts';
import { RunningGateway } from './gateway.ts';

const jwks = () => ({
  keys: [
    // Without `alg`: only type and curve say what each may be used for.
    ...Object.entries(keys).map(([kid, pair]) => ({ ...jwkOf(pair), kid })),
    { ...jwkOf(keys.rsa), kid: 'encrypts', use: 'enc' },
    { kty: 'oct', kid: 'oct', k: part('a-published-secret') },
  ],
});

const publicKeys = {
  RS256: keys.rsa,
  PS256: keys.rsa,
  ES256: keys.p256,
  ES384: keys.p384,
  ES512: keys.p521,
  EdDSA: keys.ed,
};

const configuration = (origin: string) => ({
  _format_version: '3.0',
  services: [
    {
      name: 'echo',
      url: `${origin}/upstream`,
      routes: [
        { name: 'all', paths: ['/'], plugins: [{ name: 'jwt', config: { claims_to_verify: ['exp'] } }] },
      ],
    },
  ],
  consumers: [
    {
      username: 'alice',
      jwt_secrets: [
        { key: 'HS256', algorithm: 'HS256', secret: SECRET },
        ...Object.entries(publicKeys).map(([algorithm, pair]) => ({
          ...{ key: algorithm, algorithm, rsa_public_key: pemOf(pair) },
        })),
      ],
    },
    { username: 'bob', jwt_secrets: [{ key: 'bob', algorithm: 'HS256', secret: 'bobs-secret' }] },
  ],
  issuers: [
    { name: 'oidc', issuer: `${origin}/oidc`, algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] },
  ],
});

export interface Presented {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** From the request's first byte to the answer's last, in ms. */
  readonly tookMs: number;
}

/** A gateway that trusts some keys, an issuer and an upstream; and what reached whom. */
export class ForgeryWorld implements AsyncDisposable {
  /** Requests to the upstream, for the issuer's keys, and to an address that a token named. */
  readonly reached = { upstream: 0, keys: 0, elsewhere: 0 };
  readonly origin: string;
  readonly #server: Server;
  #gateway: RunningGateway | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /** `settings` are the gateway's. */
  static async start(settings: NodeJS.ProcessEnv = {}): Promise<ForgeryWorld> {
    // As large as the gateway takes it, and with what the gateway adds.
    const server = createServer({ maxHeaderSize: 64 * 1024 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const world = new ForgeryWorld(server);
    world.#gateway = await RunningGateway.start(['--no-demo', '--config', 'none'], settings);
    const posted = await call(world.#gateway.ready.admin, '/config', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(configuration(world.origin)),
    });
    if (posted.status !== 201) throw new Error(`POST /config: ${posted.status} ${posted.text}`);
    return world;
  }

  /**
   * One request, on a connection of its own, with these bytes as the token; nothing on the way makes them any better.
   * `beside`: more lines of the head, each with its end.
   */
  async present(token: string, beside = ''): Promise<Presented> {
    const { hostname, port } = new URL(this.#gateway?.ready.proxy ?? '');
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const head = `GET / HTTP/1.1\r\nHost: g\r\nConnection: close\r\n${beside}Authorization: Bearer ${token}`;
    const begun = performance.now();
    socket.write(`${head}\r\n\r\n`, 'latin1');
    let text = '';
    for await (const chunk of socket) text += (chunk as Buffer).toString('latin1');
    const tookMs = performance.now() - begun;
    const [answered = '', body = ''] = text.split('\r\n\r\n');
    return { status: Number(answered.slice(9, 12)), head: answered, body, tookMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    const found = this.#documentAt(url);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(found));
  }

  #documentAt(url: string): object {
    if (url === '/oidc/.well-known/openid-configuration')
      return { issuer: `${this.origin}/oidc`, jwks_uri: `${this.origin}/oidc/jwks` };
    if (url === '/oidc/jwks') {
      this.reached.keys += 1;
      return jwks();
    }
    if (url.startsWith('/mallory')) {
      this.reached.elsewhere += 1;
      return { keys: [{ ...jwkOf(mallory.rsa), kid: 'mallory' }] };
    }
    this.reached.upstream += 1;
    return {};
  }
}
