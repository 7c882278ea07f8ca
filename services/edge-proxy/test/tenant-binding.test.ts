import type { ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { OidcIssuer } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAuth } from './auth-process.ts';
import {
  call,
  type Echo,
  EdgeWorld,
  ENGINES,
  type Entities,
  forwardBy,
  idOf,
  plugin,
  raw,
  route,
  service,
  stored,
  Upstream,
} from './edge-world.ts';

const ALICE = idOf('alice');
const on = (name: string) => ({ route: { id: idOf(name) } });

const configuration = (upstream: Upstream, issuer: OidcIssuer): Entities => {
  const to = service('echo', upstream.url);
  const named = (id: string, entity: object) => ({ ...entity, id: idOf(id) });
  return {
    services: [to],
    routes: ['token', 'trusting', 'plain', 'limited', 'templated'].map((name) =>
      route(name, to, { paths: [`/${name}`] }),
    ),
    consumers: [{ ...stored, id: ALICE, username: 'alice', custom_id: null }],
    jwt_secrets: [
      {
        ...{ ...stored, id: idOf('secret'), consumer: { id: ALICE }, key: 'alice-key', secret: 'hush' },
        ...{ algorithm: 'HS256', rsa_public_key: null, jwks_uri: null },
      },
    ],
    issuers: [
      {
        ...{ ...stored, id: idOf('issuer'), name: 'issuer', issuer: issuer.url, jwks_uri: null },
        ...{ audiences: null, algorithms: ['ES384'], tenant_claim: 'tenant_id' },
        ...{ user_claim: 'sub', platform_claim: 'platform_id' },
      },
    ],
    plugins: [
      ...['token', 'trusting', 'limited', 'templated'].map((name) =>
        named(`jwt-${name}`, plugin('jwt', { claims_to_verify: ['exp'] }, on(name))),
      ),
      named('trust', plugin('tenant-binding', { mode: 'trust-header' }, on('trusting'))),
      named(
        'templates',
        plugin(
          'request-transformer',
          { add: { headers: ['X-Said:$(headers.x_consumer_username)', 'X-User-Id:$(headers.x-user-id)'] } },
          on('templated'),
        ),
      ),
    ],
  } as unknown as Entities;
};

let issuer: OidcIssuer;
let upstream: Upstream;
beforeAll(async () => {
  issuer = await OidcIssuer.start();
  upstream = await Upstream.start();
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const SPOOFED = [
  'X-Consumer-ID: root',
  'x-consumer-username: root',
  'X-CONSUMER-GROUPS: admin',
  'X_Consumer_Username: root',
  'X-Consumer.Username: root',
  'X-Consumer: root',
  'X-Credential-Identifier: root',
  'X-Credential-Username: root',
  'X-Anonymous-Consumer: true',
  'X_Anonymous_Consumer: true',
  'X-Authenticated-Scope: all',
  'X-Authenticated-Userid: root',
  'X-Authenticated-Groups: admin',
  'X-Gateway-Identity: e30.e30.e30',
  'x_gateway-identity: e30.e30.e30',
];

describe.each(ENGINES)('forwarded by %s', (engine) => {
  forwardBy(engine);
  let world: EdgeWorld;
  let auth: ChildProcess;
  beforeAll(async () => {
    world = await EdgeWorld.start(configuration(upstream, issuer));
    auth = await startAuth(world.nats.url);
  });
  afterAll(async () => {
    auth.kill('SIGKILL');
    await world[Symbol.asyncDispose]();
  });

  /** One request with exactly these header lines: its status, and what the upstream received. */
  const send = async (path: string, lines: readonly string[]) => {
    const before = upstream.received.length;
    const head = [`GET ${path} HTTP/1.1`, 'Host: gateway.test', ...lines, 'Connection: close', '', ''];
    const answer = await raw(world.port, head.join('\r\n'));
    const [received, ...more] = upstream.received.slice(before);
    expect(more).toEqual([]);
    return { status: Number(answer.slice(9, 12)), answer, lines: received?.rawHeaders ?? [] };
  };
  /** Values of the received lines whose name is this one, in any spelling. */
  const valuesOf = (lines: readonly string[], name: string): string[] =>
    lines.filter((_line, i) => i % 2 === 1 && lines[i - 1]?.toLowerCase().replaceAll('_', '-') === name);
  const bearer = async (claims: object = {}) =>
    `Authorization: Bearer ${await issuer.token({ platform_id: 'platform-1', ...claims })}`;

  test('given a client that says who it is, when a route has no plugin at all, then the upstream hears none of it', async () => {
    const { status, lines } = await send('/plain', [...SPOOFED, 'X-Gateway: mine', 'X-Tenant-Id: any']);
    expect(status).toBe(200);
    expect(lines.join('\n')).not.toMatch(/root|admin|e30\.|x.anonymous|scope/i);
    expect(valuesOf(lines, 'x-gateway')).toEqual(['mine']);
    expect(valuesOf(lines, 'x-tenant-id')).toEqual(['any']);
  });

  test('given a valid token, when the client also says who it is, then only what was verified reaches the upstream', async () => {
    const { lines } = await send('/templated', [...SPOOFED, await bearer({ sub: 'user-1' })]);
    expect(lines.join('\n')).not.toMatch(/root|admin|e30\.|x.anonymous|scope/i);
    expect(valuesOf(lines, 'x-said')).toEqual([]);
    expect(valuesOf(lines, 'x-user-id')).toEqual(['user-1']);
  });

  test('given a token with a tenant, when the headers agree or are absent, then each is there once', async () => {
    const same = ['X-Tenant-Id: tenant-123', 'X-Tenant-Id: tenant-123'];
    for (const claimed of [[], same, ['X-Tenant-Id:', 'x-user-id: user-456']]) {
      const { status, lines } = await send('/token', [...claimed, await bearer()]);
      expect(status).toBe(200);
      expect(valuesOf(lines, 'x-tenant-id')).toEqual(['tenant-123']);
      expect(valuesOf(lines, 'x-platform-id')).toEqual(['platform-1']);
      expect(valuesOf(lines, 'x-user-id')).toEqual(['user-456']);
    }
  });

  test.each([
    ['X-Tenant-Id: other'],
    ['x-tenant-id: TENANT-123'],
    ['X-Tenant-Id: tenant-123\r\nX-Tenant-Id: other'],
    ['X-Tenant-Id: other\r\nX-Tenant-Id: tenant-123'],
    ['X-Tenant-Id: tenant-123, other'],
    ['X-Tenant-Id: tenant-123,'],
    ['X-User-Id: root'],
    ['X-Platform-Id: other'],
  ])(
    'given a token of tenant-123, when the client sends %j, then 403 and the upstream sees nothing',
    async (claimed) => {
      const { status, answer, lines } = await send('/token', [claimed, await bearer()]);
      expect(status).toBe(403);
      expect(answer).toContain('"message":"tenant_mismatch: X-');
      expect(lines).toEqual([]);
    },
  );

  test.each([
    ['X_TENANT_ID: other'],
    ['X_Tenant-Id: tenant-123\r\nX-Tenant-Id: tenant-123'],
    ['x_user_id: root'],
  ])(
    'given a spelling that some upstreams take for the same name, as in %j, then 400 and the upstream sees nothing',
    async (claimed) => {
      const { status, lines } = await send('/token', [claimed, await bearer()]);
      expect(status).toBe(400);
      expect(lines).toEqual([]);
    },
  );

  test('given trust-header on a route, then the client’s word passes, as in Kong', async () => {
    const { status, lines } = await send('/trusting', ['X-Tenant-Id: other', await bearer()]);
    expect(status).toBe(200);
    expect(valuesOf(lines, 'x-tenant-id')).toEqual(['other']);
    expect(valuesOf(lines, 'x-user-id')).toEqual([]);
  });

  const consumerToken = (claims: object): string => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 60;
    const text = `${part({ alg: 'HS256' })}.${part({ iss: 'alice-key', exp, ...claims })}`;
    return `${text}.${createHmac('sha256', 'hush').update(text).digest('base64url')}`;
  };
  const asConsumer = async (claims: object, tenant: string) =>
    call(world.port, '/token', {
      headers: { authorization: `Bearer ${consumerToken(claims)}`, 'x-tenant-id': tenant, 'x-user-id': 'me' },
    });

  test('given a consumer’s token without a tenant, then Kong’s behaviour: the header passes', async () => {
    const answer = await asConsumer({ sub: 'user-1' }, 'any');
    expect(answer.status).toBe(200);
    expect(answer.json<Echo>().headers).toMatchObject({ 'x-tenant-id': 'any', 'x-user-id': 'me' });
  });

  test('given a consumer’s token with a tenant, then it binds, and one that is no text is refused', async () => {
    expect((await asConsumer({ tenant_id: 'acme' }, 'any')).status).toBe(403);
    const answer = await asConsumer({ tenant_id: 'acme' }, 'acme');
    expect(answer.json<Echo>().headers).toMatchObject({ 'x-tenant-id': 'acme' });
    expect(answer.json<Echo>().headers).not.toHaveProperty('x-user-id');
    for (const tenant of [['acme'], { id: 'acme' }, true, 'a\nb', 'ä'])
      expect(await asConsumer({ tenant_id: tenant }, 'any')).toMatchObject({
        status: 401,
        text: `{"message":"Invalid 'tenant_id' in claims"}`,
      });
  });
});
