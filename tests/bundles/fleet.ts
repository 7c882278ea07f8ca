import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  type Answer,
  call,
  eventually,
  freePort,
  type ServerProcess,
  startNats,
  startRedis,
} from '@sluice/testkit';
import { Redis } from 'ioredis';
import { connect } from 'nats';
import { composeEnvOf } from './compose.ts';
import { ROOT } from './dockerfile.ts';
import type { Container, ImageLayout, ServiceName } from './image.ts';

const secret = () => randomBytes(24).toString('hex');
const USERS = ['EDGE_PROXY', 'AUTH', 'RATELIMIT', 'QUOTA_MIRROR', 'CONFIG_REGISTRY', 'LITELLM', 'OPERATOR'];
const LIMIT = 2;

/** What a fleet that works answers, see `exercise`. */
export const AS_IT_SHOULD = {
  acknowledged: '1/1',
  unknown: 401,
  within: Array.from({ length: LIMIT }, () => 200),
  beyond: 429,
  remaining: '1',
  quota: { limit: '10000', used: '4532' },
};

/** The five services as their images have them, with what compose.yaml sets, and NATS with deploy's users. */
export class Fleet implements AsyncDisposable {
  readonly proxy: string;
  readonly admin: string;
  readonly #nats: ServerProcess;
  readonly #redis: ServerProcess;
  readonly #upstream: Server;
  readonly #env: Readonly<Record<string, string>>;
  readonly #passwords: Readonly<Record<string, string>>;
  readonly #adminToken = secret();
  readonly #running = new Map<ServiceName, Container>();

  private constructor(
    nats: ServerProcess,
    redis: ServerProcess,
    upstream: Server,
    ports: readonly [number, number],
    passwords: Record<string, string>,
  ) {
    this.#nats = nats;
    this.#redis = redis;
    this.#upstream = upstream;
    this.#passwords = passwords;
    this.proxy = `http://127.0.0.1:${ports[0]}`;
    this.admin = `http://127.0.0.1:${ports[1]}`;
    this.#env = {
      ...{ NATS_URL: nats.url, REDIS_URL: redis.url, DRAIN_TIMEOUT_MS: '2000' },
      ...{ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: `${ports[1]}`, ADMIN_TLS_PORT: '', DECLARATIVE_CONFIG: '' },
      ...{ PROXY_HOST: '127.0.0.1', PROXY_PORT: `${ports[0]}`, TLS_PORT: '', REUSE_PORT: 'true' },
    };
  }

  static async open(): Promise<Fleet> {
    const passwords = Object.fromEntries(USERS.map((user) => [`NATS_${user}_PASSWORD`, secret()]));
    const users = readFileSync(join(ROOT, 'deploy', 'nats', 'users.conf'), 'utf8');
    const config = users.replaceAll(/\$(NATS_\w+_PASSWORD)/g, (_, name: string) => `"${passwords[name]}"`);
    const upstream = createServer((request, response) => response.end(`seen ${request.url}`));
    await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening));
    const [nats, redis] = [await startNats({ config }), await startRedis()];
    return new Fleet(nats, redis, upstream, [await freePort(), await freePort()], passwords);
  }

  /** Puts an instance of that image in the place of the one that runs, if there is one. */
  async put(service: ServiceName, images: ImageLayout): Promise<void> {
    const before = this.#running.get(service);
    // Two edges may share a port; two registries would want the same one.
    if (service === 'config-registry') await before?.stop();
    const given = {
      ...this.#passwords,
      ADMIN_TOKENS: `me:admin:${this.#adminToken}`,
      LOGTO_ISSUER: 'http://127.0.0.1:9/oidc',
    };
    this.#running.set(
      service,
      await images.start(service, { ...composeEnvOf(service, given), ...this.#env }),
    );
    await before?.stop();
  }

  /**
   * Goes through every contract once: a new configuration with a new consumer, whose credential nobody holds a
   * verdict for, its limit to the end, and a quota event.
   */
  async exercise(): Promise<typeof AS_IT_SHOULD> {
    const key = secret();
    // A registry hears of an edge, and of its end, by and by.
    const acknowledged = await eventually(async () => {
      const { headers } = await this.#configure(key);
      return headers['x-sluice-acknowledged'] === AS_IT_SHOULD.acknowledged && '1/1';
    });
    const ask = (apikey: string) => call(this.proxy, '/all/of-it', { headers: { apikey } });
    const unknown = await ask(secret());
    const answers: Answer[] = [];
    for (let n = 0; n <= LIMIT; n++) answers.push(await ask(key));
    return {
      acknowledged: `${acknowledged}`,
      unknown: unknown.status,
      within: answers.slice(0, LIMIT).map(({ status }) => status),
      beyond: answers[LIMIT]?.status ?? 0,
      remaining: `${answers[0]?.headers['ratelimit-remaining']}`,
      quota: await this.#quotaOf(`tenant-${key.slice(0, 8)}`),
    };
  }

  async #configure(key: string): Promise<Answer> {
    const { port } = this.#upstream.address() as AddressInfo;
    // A window that does not end meanwhile.
    const limit = { year: LIMIT, policy: 'redis', redis: { host: 'redis' }, limit_by: 'consumer' };
    return call(this.admin, '/config', {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        _format_version: '3.0',
        services: [
          {
            ...{ name: 'up', url: `http://127.0.0.1:${port}` },
            routes: [{ name: 'all', paths: ['/all'], strip_path: false, tags: [secret()] }],
            plugins: [{ name: 'key-auth' }, { name: 'rate-limiting', config: limit }],
          },
        ],
        consumers: [{ username: `c-${key.slice(0, 8)}`, keyauth_credentials: [{ key }] }],
      }),
    });
  }

  async #quotaOf(tenantId: string): Promise<typeof AS_IT_SHOULD.quota> {
    const bus = await connect({
      servers: this.#nats.url,
      user: 'litellm',
      pass: `${this.#passwords.NATS_LITELLM_PASSWORD}`,
    });
    const redis = new Redis(this.#redis.url);
    try {
      const event = {
        ...{
          eventId: randomUUID(),
          occurredAt: new Date().toISOString(),
          tenantId,
          platformId: 'p',
          correlationId: 'c',
          actor: 'litellm',
        },
        payload: {
          limit: 10_000,
          used: 4532,
          remaining: 5468,
          period: 'monthly',
          resetAt: new Date(Date.now() + 86_400_000).toISOString(),
        },
      };
      await bus.jetstream().publish('quota.updated', JSON.stringify(event));
      const key = `quota:tenant:${tenantId}`;
      await eventually(async () => (await redis.exists(key)) === 1);
      const { limit = '', used = '' } = await redis.hgetall(key);
      return { limit, used };
    } finally {
      redis.disconnect();
      await bus.close();
    }
  }

  /** Of the status ports of all that run. */
  get statusUrls(): string[] {
    return [...this.#running.values()].map(({ status }) => status);
  }

  /** What all that run have said. */
  get log(): string {
    return [...this.#running.values()].flatMap(({ log }) => log).join('');
  }

  /** As a platform ends them all. Resolves with their exit codes. */
  stop(): Promise<(number | null)[]> {
    return Promise.all([...this.#running.values()].map((container) => container.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((container) => container[Symbol.asyncDispose]()));
    this.#upstream.close();
    await Promise.all([this.#nats[Symbol.asyncDispose](), this.#redis[Symbol.asyncDispose]()]);
  }
}
