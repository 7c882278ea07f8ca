import { type Answer, type CallOptions, call, eventually } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { RunningGateway } from '../gateway.ts';
import { EchoUpstream, type Seen } from './echo-upstream.ts';

/** Entities of a declarative document, without `_format_version`. */
export type Document = Readonly<Record<string, unknown>>;

const FORGET_COUNTERS = `
for _, key in ipairs(redis.call('KEYS', 'ratelimit:*')) do redis.call('DEL', key) end`;

/** The whole gateway and one upstream, seen from outside: HTTP to the proxy and the Admin port, nothing else. */
export class World implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly upstream: EchoUpstream;

  private constructor(gateway: RunningGateway, upstream: EchoUpstream) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  /** `sluice up` without demo or configuration, beside an echo upstream; `env` goes to all its processes. */
  static async start(env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<World> {
    const [gateway, upstream] = await Promise.all([
      RunningGateway.start(['--no-demo', '--config', 'none', ...args], env),
      EchoUpstream.start(),
    ]);
    return new World(gateway, upstream);
  }

  /**
   * A gateway that files share, one file at a time: empty when it is taken. For what depends on nothing but the
   * configuration; whoever needs settings, counters from zero or a gateway to break starts one.
   */
  static async shared(): Promise<World> {
    const ready = inject('gateways')?.[Number(process.env.VITEST_POOL_ID ?? 1) - 1];
    if (ready === undefined) return World.start(); // run without the setup of the project
    const world = new World(RunningGateway.of(ready), await EchoUpstream.start());
    await world.load({});
    await world.admin('/proxy-cache', { method: 'DELETE' });
    const redis = new Redis(ready.redis);
    await redis.eval(FORGET_COUNTERS, 0);
    redis.disconnect();
    return world;
  }

  /** A service on the echo upstream with these routes and fields. */
  service(name: string, routes: readonly Document[], over: Document = {}): Document {
    return {
      name,
      host: '127.0.0.1',
      port: this.upstream.port,
      protocol: 'http',
      retries: 0,
      routes,
      ...over,
    };
  }

  /** Loads a document as Kong's users do; throws with the answer's text when it is refused. */
  async load(document: Document): Promise<void> {
    const answer = await this.post('/config', { _format_version: '3.0', ...document });
    if (answer.status !== 201) throw new Error(`POST /config: ${answer.status} ${answer.text}`);
  }

  /** One request to the proxy port. */
  ask(path: string, options: CallOptions = {}): Promise<Answer> {
    return call(this.gateway.ready.proxy, path, options);
  }

  /** As `ask`, and what the upstream saw of it; throws when the request did not reach the upstream. */
  async through(path: string, options: CallOptions = {}): Promise<{ answer: Answer; seen: Seen }> {
    const before = this.upstream.seen.length;
    const answer = await this.ask(path, options);
    const seen = this.upstream.seen[before];
    if (seen === undefined) throw new Error(`not forwarded: ${answer.status} ${answer.text}`);
    return { answer, seen };
  }

  /** One request to the Admin API. */
  admin(path: string, options: CallOptions = {}): Promise<Answer> {
    return this.gateway.admin(path, options);
  }

  /** JSON to the Admin API. */
  post(path: string, body: unknown, method = 'POST'): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return this.admin(path, { method, headers, body: JSON.stringify(body) });
  }

  /** Waits until the proxy answers a path with that status: for what takes effect a little later, as health does. */
  async until(path: string, status: number): Promise<void> {
    await eventually(async () => (await this.ask(path)).status === status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}
