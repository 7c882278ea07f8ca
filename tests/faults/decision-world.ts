import { FaultProxy, freePort, OidcIssuer, type ServerProcess } from '@sluice/testkit';
import { EchoUpstream } from './echo-upstream.ts';
import { ProcessPart } from './process-part.ts';

/** Requests that the exact limit of `/limited` lets through, for each value of the header that names the budget. */
export const LIMIT = 12;
export const BUDGET_HEADER = 'x-budget';
const ISSUER_ALGORITHM = 'ES256';
/** Auth asks for keys anew each second, not every five minutes: else no fault of the issuer would be felt. */
const KEYS_OFTEN = { JWKS_MAX_AGE_SECONDS: '2', JWKS_COOLDOWN_SECONDS: '1' };
/**
 * Every link goes through the event loop of the test, which is busy with the load: with the waits that are the default
 * most limits would be decided by edges alone also where nothing is hurt.
 */
const LIMITER_WAITS = { COMMAND_TIMEOUT_MS: '120' };
/** For the edges; of LIMIT_TIMEOUT_MS the limiter's wait for Redis is a part. */
export const EDGE_WAITS = { AUTH_TIMEOUT_MS: '500', LIMIT_TIMEOUT_MS: '160' };
/** An upstream that hangs is given up twice before a client gives up, in ms. */
const UPSTREAM_TIMEOUTS = { connect_timeout: 500, write_timeout: 600, read_timeout: 600, retries: 1 };

/** An upstream, and what edges reach it through. */
export interface LinkedUpstream {
  readonly upstream: EchoUpstream;
  readonly link: FaultProxy;
}

/**
 * What edges ask about a request: auth with an issuer, ratelimit, and two upstreams. Auth and ratelimit reach NATS
 * through one link of their own, so that they can be cut off while edges and mirrors are not; the limiter's Redis has
 * another one than the mirrors', so that either can lose it alone.
 */
export class DecisionWorld implements AsyncDisposable {
  readonly auth: ProcessPart;
  readonly ratelimit: ProcessPart;
  readonly natsLink: FaultProxy;
  readonly redisLink: FaultProxy;
  readonly issuer: OidcIssuer;
  readonly issuerLink: FaultProxy;
  readonly upstreams: readonly LinkedUpstream[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<
      DecisionWorld,
      'auth' | 'ratelimit' | 'natsLink' | 'redisLink' | 'issuer' | 'issuerLink' | 'upstreams'
    >,
    stack: AsyncDisposableStack,
  ) {
    this.auth = parts.auth;
    this.ratelimit = parts.ratelimit;
    this.natsLink = parts.natsLink;
    this.redisLink = parts.redisLink;
    this.issuer = parts.issuer;
    this.issuerLink = parts.issuerLink;
    this.upstreams = parts.upstreams;
    this.#stack = stack;
  }

  static async start(nats: ServerProcess, redis: ServerProcess): Promise<DecisionWorld> {
    await using stack = new AsyncDisposableStack();
    const issuer = stack.use(await OidcIssuer.start(ISSUER_ALGORITHM));
    const issuerLink = stack.use(await FaultProxy.start(Number(new URL(issuer.url).port)));
    issuer.url = issuerLink.urlFor(issuer.url);
    const natsLink = stack.use(await FaultProxy.start(nats.port));
    const redisLink = stack.use(await FaultProxy.start(redis.port));
    const NATS_URL = natsLink.urlFor(nats.url);
    const auth = new ProcessPart('auth', await freePort(), { NATS_URL, ...KEYS_OFTEN });
    const REDIS_URL = redisLink.urlFor(redis.url);
    const ratelimit = new ProcessPart('ratelimit', await freePort(), {
      NATS_URL,
      REDIS_URL,
      ...LIMITER_WAITS,
    });
    for (const part of [auth, ratelimit]) stack.use(await part.start());
    const upstreams: LinkedUpstream[] = [];
    for (const name of ['upstream-1', 'upstream-2']) {
      const upstream = stack.use(await EchoUpstream.start(name));
      upstreams.push({ upstream, link: stack.use(await FaultProxy.start(upstream.port)) });
    }
    const parts = { auth, ratelimit, natsLink, redisLink, issuer, issuerLink, upstreams };
    return new DecisionWorld(parts, stack.move());
  }

  /** What a configuration says for all of these to be used. */
  get entities() {
    const terminated = (name: string) => ({
      ...{ name: 'request-termination', route: name },
      config: { status_code: 200, content_type: 'text/plain', body: name },
    });
    return {
      issuers: [{ name: 'issuer', issuer: this.issuer.url, algorithms: [ISSUER_ALGORITHM] }],
      services: this.upstreams.map(({ upstream: { name }, link }) => ({
        ...{ name, host: '127.0.0.1', port: link.port, protocol: 'http' },
        ...UPSTREAM_TIMEOUTS,
      })),
      routes: [
        ...['guarded', 'limited'].map((name) => ({ name, service: 'nowhere', paths: [`/${name}`] })),
        ...this.upstreams.map(({ upstream: { name } }) => ({ name, service: name, paths: [`/${name}`] })),
      ],
      plugins: [
        { name: 'jwt', route: 'guarded', config: {} },
        {
          ...{ name: 'rate-limiting', route: 'limited' },
          config: {
            ...{ day: LIMIT, limit_by: 'header', header_name: BUDGET_HEADER },
            ...{ exact: true, fault_tolerant: true },
          },
        },
        ...['guarded', 'limited'].map(terminated),
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
