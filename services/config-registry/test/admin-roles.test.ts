import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { issueCertificate } from '@sluice/service-kit';
import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runRegistry } from './registry-world.ts';

const TOKENS = { viewer: 'v'.repeat(32), operator: 'o'.repeat(32), admin: 'a'.repeat(32) };
const ADMIN_TOKENS = `eve:viewer:${TOKENS.viewer}, otto:operator:${TOKENS.operator} olga:admin:${TOKENS.admin}`;
type Role = keyof typeof TOKENS;

const { cert, key } = issueCertificate('client.test');
const CERTIFICATE = '5b3b7a1e-0000-4000-8000-000000000001';
/** One for each place that holds a secret, so that a leak says where it comes from. */
const SECRETS = {
  apikey: 'c4n4ry-apikey',
  password: 'c4n4ry-password',
  hmac: 'c4n4ry-hmac',
  jwt: 'c4n4ry-jwt',
  redis: 'c4n4ry-redis',
  transformer: 'c4n4ry-transformer-1',
  collector: 'c4n4ry-collector',
  certificate: key.split('\n')[1] ?? '',
};

const log = {
  name: 'http-log',
  config: { http_endpoint: 'http://log.test/', headers: { authorization: SECRETS.collector } },
};
const limiter = {
  name: 'rate-limiting',
  config: { minute: 5, policy: 'redis', redis: { host: 'redis', password: SECRETS.redis } },
};
const transformer = {
  name: 'request-transformer',
  config: { add: { headers: [`Authorization:Bearer ${SECRETS.transformer}`] } },
};
const document = {
  _format_version: '3.0',
  certificates: [{ id: CERTIFICATE, cert, key, snis: [{ name: 'client.test' }] }],
  services: [
    {
      ...{ name: 'echo', url: 'https://echo.test', client_certificate: { id: CERTIFICATE } },
      plugins: [log],
      routes: [{ name: 'echo', paths: ['/'], plugins: [transformer] }],
    },
  ],
  plugins: [limiter],
  consumers: [
    {
      username: 'alice',
      plugins: [limiter],
      keyauth_credentials: [{ key: SECRETS.apikey }],
      basicauth_credentials: [{ username: 'alice', password: SECRETS.password }],
      hmacauth_credentials: [{ username: 'alice', secret: SECRETS.hmac }],
      jwt_secrets: [{ key: 'alice', secret: SECRETS.jwt }],
    },
  ],
};

let nats: Awaited<ReturnType<typeof startNats>>;
let registry: Awaited<ReturnType<typeof runRegistry>>;
beforeAll(async () => {
  nats = await startNats();
  registry = await runRegistry(nats.url, { env: { ADMIN_TOKENS, API_KEY_PEPPER: 'p'.repeat(32) } });
  const posted = await registry.send('POST', '/config', document, {
    authorization: `Bearer ${TOKENS.admin}`,
  });
  expect(posted.status, JSON.stringify(posted.body)).toBe(201);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** The target goes out as it is: `fetch` would take a `#` or another authority away. */
const ask = (role: Role, method: string, target: string, body?: object) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(registry.admin);
    const headers = { authorization: `Bearer ${TOKENS[role]}`, 'content-type': 'application/json' };
    request({ hostname, port, method, path: target, headers, agent: false }, (answer) => {
      text(answer).then((all) => resolve({ status: answer.statusCode ?? 0, text: all }), reject);
    })
      .once('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });

/** Other spellings of a path that the router takes for it. */
const SPELLINGS = [
  (path: string) => `${path}#x`,
  (path: string) => `${path}#/../status`,
  (path: string) => `${path}/#?x`,
  (path: string) => `http://anybody.test${path}`,
  (path: string) => `HTTPS://anybody.test:1${path}?x`,
  (path: string) => `${path}?x#y`,
  (path: string) => `${path.slice(0, 2)}%${path.charCodeAt(2).toString(16)}${path.slice(3)}`,
];

describe.each(SPELLINGS.map((spell) => [spell('/path'), spell] as const))('written as %s', (_, spell) => {
  test.each([
    ['viewer', 'GET', '/config'],
    ['viewer', 'GET', '/certificates'],
    ['viewer', 'GET', '/key-auths'],
    ['viewer', 'GET', '/services/echo/client_certificate'],
    ['viewer', 'POST', '/services'],
    ['operator', 'POST', '/sluice/keys'],
    ['operator', 'POST', '/sluice/revocations'],
  ] as const)('a path asks no less: %s may not %s %s', async (role, method, path) => {
    const body = method === 'POST' ? { tenant: 'acme', name: 'stolen' } : undefined;
    const answer = await ask(role, method, spell(path), body);
    expect(answer.status, answer.text.slice(0, 200)).toBe(403);
    for (const [place, secret] of Object.entries(SECRETS))
      expect(answer.text.includes(secret), place).toBe(false);
  });
});

/** A stream of events, which never ends; what it says of entities is the audit's and the history's. */
const ENDLESS = new Set(['/sluice/live']);

test('of all paths there are, none tells a viewer a secret; an operator is told what Kong tells', async () => {
  const { data } = JSON.parse((await ask('viewer', 'GET', '/endpoints')).text) as { data: string[] };
  /** With the first child of each list on the way in the place of its parameter. */
  const filled = async (path: string): Promise<string> => {
    let at = '';
    for (const segment of path.split('/').slice(1)) {
      if (!segment.startsWith('{')) at += `/${segment}`;
      else {
        const { text: list } = await ask('operator', 'GET', at);
        const first = list.startsWith('{') ? JSON.parse(list).data?.[0]?.id : undefined;
        at += `/${typeof first === 'string' ? first : '1'}`;
      }
    }
    return at;
  };
  expect(data.length).toBeGreaterThan(80);
  const told = new Set<string>();
  for (const path of data.filter((one) => !ENDLESS.has(one))) {
    const target = await filled(path);
    const [viewed, operated] = [await ask('viewer', 'GET', target), await ask('operator', 'GET', target)];
    for (const [place, secret] of Object.entries(SECRETS)) {
      expect(viewed.text.includes(secret), `${place} at ${target}, ${viewed.status}`).toBe(false);
      if (operated.text.includes(secret)) told.add(place);
    }
  }
  // A password is stored as its hash.
  expect([...told].sort()).toEqual(
    Object.keys(SECRETS)
      .filter((place) => place !== 'password')
      .sort(),
  );
  const plugins = await ask('viewer', 'GET', '/plugins');
  expect(plugins.text).toContain('[redacted]');
});
