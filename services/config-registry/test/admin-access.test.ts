import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAdminTokens } from '../src/admin-access/admin-tokens.ts';
import { assertGuarded } from '../src/admin-access/binding.ts';
import { LoginLimit } from '../src/admin-access/login-limit.ts';
import { Sessions } from '../src/admin-access/sessions.ts';
import { runRegistry, yamlOf } from './registry-world.ts';

const TOKENS = { viewer: 'v'.repeat(32), operator: 'o'.repeat(32), admin: 'a'.repeat(32) };
const ADMIN_TOKENS = `eve:viewer:${TOKENS.viewer}, otto:operator:${TOKENS.operator} olga:admin:${TOKENS.admin}`;

let nats: Awaited<ReturnType<typeof startNats>>;
let registry: Awaited<ReturnType<typeof runRegistry>>;
beforeAll(async () => {
  nats = await startNats();
  registry = await runRegistry(nats.url, { env: { ADMIN_TOKENS, API_KEY_PEPPER: 'p'.repeat(32) } });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const errorCode = (body: Record<string, unknown> | undefined) =>
  (body?.error as { code: string } | undefined)?.code;

describe('who may do what', () => {
  // Least role of each; below it 403, from it on anything but 401 and 403.
  test.each([
    ['GET', '/', 'viewer'],
    ['HEAD', '/services', 'viewer'],
    ['GET', '/status', 'viewer'],
    ['GET', '/metrics', 'viewer'],
    ['GET', '/routes', 'viewer'],
    ['GET', '/nowhere', 'viewer'],
    ['GET', '/sluice/revocations', 'viewer'],
    ['GET', '/sluice/keys', 'viewer'],
    ['HEAD', '/sluice/live', 'viewer'],
    ['DELETE', '/sluice/live', 'operator'],
    ['POST', '/sluice/check', 'operator'],
    ['POST', '/console', 'operator'],
    ['OPTIONS', '/services', 'viewer'],
    ['GET', '/config', 'operator'],
    ['GET', '/%63onfig', 'operator'],
    ['GET', '/sluice/history', 'viewer'],
    ['GET', '/sluice/history/1', 'viewer'],
    ['GET', '/sluice/diff?from=1', 'viewer'],
    ['GET', '/sluice/history/1/config', 'operator'],
    ['GET', '/sluice/histor%79/1/config/', 'operator'],
    ['POST', '/sluice/diff', 'operator'],
    ['POST', '/sluice/rollback', 'operator'],
    ['GET', '/sluice/canary', 'viewer'],
    ['POST', '/sluice/canary', 'operator'],
    ['DELETE', '/sluice/canary', 'operator'],
    ['GET', '/certificates', 'operator'],
    ['GET', '/key-auths', 'operator'],
    ['GET', '/consumers/alice/key-auth', 'operator'],
    ['GET', '/consumers/alice/jwt/x', 'operator'],
    ['POST', '/v1/traces', 'viewer'],
    ['GET', '/traces', 'viewer'],
    ['POST', '/services', 'operator'],
    ['PUT', '/routes/x', 'operator'],
    ['PATCH', '/plugins/x', 'operator'],
    ['DELETE', '/consumers/x', 'operator'],
    ['POST', '/config', 'operator'],
    ['POST', '/sluice/keys', 'admin'],
    ['DELETE', '/sluice/keys/0123', 'admin'],
    ['POST', '/sluice/keys/0123/rotate', 'admin'],
    ['POST', '/sluice/revocations', 'admin'],
    ['POST', '/sluice/%72evocations', 'admin'],
  ] as const)('%s %s takes the role %s', async (method, path, least) => {
    const statusAs = async (headers: Record<string, string>) =>
      (await registry.call(path, { method, headers })).status;
    expect(await statusAs({})).toBe(401);
    const roles = ['viewer', 'operator', 'admin'] as const;
    for (const role of roles) {
      const isEnough = roles.indexOf(role) >= roles.indexOf(least);
      const status = await statusAs(bearer(TOKENS[role]));
      if (isEnough) expect([401, 403], role).not.toContain(status);
      else expect(status, role).toBe(403);
    }
  });

  test('the console’s own files are open to everybody, for the login is one of its pages; what it asks is not', async () => {
    const statusOf = async (path: string) => (await registry.call(path)).status;
    expect([401, 403]).not.toContain(await statusOf('/console'));
    expect([401, 403]).not.toContain(await statusOf('/console/assets/nothing.js'));
    for (const path of ['/sluice/live', '/fleet', '/console/more', '/console/assets/a/../../../status'])
      expect([path, await statusOf(path)]).toEqual([path, 401]);
  });

  test.each([
    [{ authorization: 'Bearer x' }],
    [{ authorization: `Bearer ${TOKENS.admin}x` }],
    [{ authorization: `Basic ${TOKENS.admin}` }],
    [{ authorization: TOKENS.viewer.slice(1) }],
    [{ 'kong-admin-token': TOKENS.admin.toUpperCase() }],
    [{ cookie: `sluice_session=${TOKENS.admin}` }],
    [{ cookie: 'sluice_session=' }],
  ])('%j is nobody', async (headers) => {
    const answer = await registry.send('GET', '/services', undefined, headers as never);
    expect(answer.status).toBe(401);
    expect(errorCode(answer.body)).toBe('admin_unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Sluice admin"');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('Kong’s own header counts, and the history names whose token it was', async () => {
    const headers = { 'kong-admin-token': TOKENS.operator, 'x-sluice-author': 'somebody-else' };
    const posted = await registry.postYaml(yamlOf(1), '/config', headers);
    expect(posted.status).toBe(201);
    const keyed = await registry.send(
      'POST',
      '/sluice/keys',
      { tenant: 't', name: 'n' },
      { ...bearer(TOKENS.admin), 'x-sluice-author': 'somebody-else' },
    );
    expect(keyed.body).toMatchObject({ key: { createdBy: 'olga' } });
  });
});

describe('login', () => {
  const login = (token: string, headers: Record<string, string> = {}) =>
    registry.send('POST', '/sluice/login', { token }, headers);
  const sessionOf = async () => {
    const answer = await login(TOKENS.operator);
    expect(answer.status).toBe(200);
    const set = answer.headers.get('set-cookie') ?? '';
    return { set, cookie: set.split(';')[0] ?? '', csrf: String(answer.body?.csrf), body: answer.body };
  };

  test('given a token, then a cookie that no script reads and no other site sends', async () => {
    const { set, body } = await sessionOf();
    expect(set).toMatch(/^sluice_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/);
    expect(body).toMatchObject({ name: 'otto', role: 'operator' });
    expect(JSON.stringify(body)).not.toContain(TOKENS.operator);
  });

  test('given the cookie, then it reads; it changes only from the console’s own page', async () => {
    const { cookie, csrf } = await sessionOf();
    const own = new URL(registry.admin).origin;
    expect((await registry.send('GET', '/services', undefined, { cookie })).status).toBe(200);
    const changed = async (headers: Record<string, string>) =>
      (await registry.send('POST', '/tags', {}, { cookie, ...headers })).status;
    const token = { 'x-sluice-csrf': csrf };
    expect(await changed({})).toBe(403);
    expect(await changed({ 'x-sluice-csrf': 'guessed' })).toBe(403);
    expect(await changed({ ...token, origin: 'https://evil.test' })).toBe(403);
    expect(await changed({ ...token, origin: 'null' })).toBe(403);
    expect(await changed({ ...token, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect([401, 403]).not.toContain(await changed({ ...token, origin: own }));
    const again = await registry.send('GET', '/sluice/session', undefined, { cookie });
    expect(again.body).toMatchObject({ name: 'otto', csrf });
    await registry.send('DELETE', '/sluice/session', undefined, { cookie, ...token });
    expect((await registry.send('GET', '/services', undefined, { cookie })).status).toBe(401);
  });

  test('a page of another site cannot log anybody in', async () => {
    expect((await login(TOKENS.admin, { origin: 'https://evil.test' })).status).toBe(403);
  });

  test('given a body larger than any token, from somebody nobody knows yet, then it is not read', async () => {
    const text = `{"token":"${'t'.repeat(8192)}"}`;
    const headers = { 'content-type': 'application/json' };
    const answer = await registry.call('/sluice/login', { method: 'POST', body: text, headers });
    expect(answer.status).toBe(413);
  });

  test('given five wrong tokens in a minute, then the sixth login waits, the right one too', async () => {
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await login(`wrong-${i}`)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const right = await login(TOKENS.admin);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

test('without tokens the API is open on loopback, and on no other address', async () => {
  await using open = await runRegistry(nats.url, { instance: 'registry-open' });
  expect((await open.call('/services')).status).toBe(200);
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    expect(() => assertGuarded(host, false)).not.toThrow();
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'gateway.test', '127.0.0.1.evil.test'])
    expect(() => assertGuarded(host, false)).toThrow('ADMIN_TOKENS is not set');
  await expect(
    runRegistry(nats.url, { instance: 'registry-wide', env: { ADMIN_HOST: '0.0.0.0' } }),
  ).rejects.toThrow('ADMIN_HOST is 0.0.0.0 and ADMIN_TOKENS is not set');
  await using guarded = await runRegistry(nats.url, {
    instance: 'registry-guarded',
    env: { ADMIN_HOST: '0.0.0.0', ADMIN_TOKENS },
  });
  expect((await guarded.call('/services')).status).toBe(401);
});

test.each([
  ['olga', 'entry 1 is not name:role:token'],
  [`olga:root:${TOKENS.admin}`, 'entry 1 is not name:role:token with a role of viewer, operator, admin'],
  [`a:admin:${TOKENS.admin},b:admin:short`, 'the token of entry 2 has less than 32 characters'],
  [`a:admin:${TOKENS.admin},a:admin:${TOKENS.viewer}`, 'two entries have the same name'],
  [`a:admin:${TOKENS.admin},b:viewer:${TOKENS.admin}`, 'two entries have the same token'],
])('tokens written as %s are refused', (text, problem) => {
  expect(() => readAdminTokens(text)).toThrow(problem);
});

test('a session and a refused login end with their time', () => {
  let now = 0;
  const sessions = new Sessions(() => now);
  const [who] = readAdminTokens(ADMIN_TOKENS);
  const { id } = sessions.open(who as never);
  now = 8 * 3_600_000 - 1;
  expect(sessions.find(id)?.who.name).toBe('eve');
  now += 1;
  expect(sessions.find(id)).toBeUndefined();
  const limit = new LoginLimit(() => now);
  for (let i = 0; i < 5; i++) limit.failed('192.0.2.1');
  expect(limit.waitSeconds('192.0.2.1')).toBe(60);
  expect(limit.waitSeconds('192.0.2.2')).toBeUndefined();
  now += 60_000;
  expect(limit.waitSeconds('192.0.2.1')).toBeUndefined();
});
