import { startNats } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRegistry } from '../registry-world.ts';

const CONFIG = `
_format_version: "3.0"
services:
- name: orders
  host: orders.test
  tags: [blue, all]
  routes:
  - name: liste-été
    paths: [/orders]
    plugins:
    - name: cors
- name: users
  host: users.test
  tags: [green, all]
- name: third
  host: third.test
consumers:
- username: ann
  custom_id: c-1
  jwt_secrets: [{ key: issuer, secret: hidden-secret }]
  acls: [{ group: admins }]
- username: bob
upstreams:
- name: pool
  targets: [{ target: "10.0.0.1:80" }, { target: "10.0.0.2:80" }]
`;

let nats: Awaited<ReturnType<typeof startNats>>;
let world: Awaited<ReturnType<typeof runRegistry>>;
beforeAll(async () => {
  nats = await startNats();
  world = await runRegistry(nats.url);
  expect((await world.postYaml(CONFIG)).status).toBe(201);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface List {
  data: { id: string; name?: string }[];
  next: string | null;
  offset?: string;
}
const get = async (path: string) => {
  const answer = await world.call(path);
  return { status: answer.status, body: (await answer.json()) as List & Record<string, unknown> };
};
test('given 3 services, when 2 are asked for, then next and offset lead to the third', async () => {
  const { body: first } = await get('/services?size=2&tags=');
  expect(first).toMatchObject({ code: 11 });
  const { body: page } = await get('/services?size=2');
  expect(page.data).toHaveLength(2);
  expect(page.next).toBe(`/services?offset=${encodeURIComponent(page.offset ?? '')}&size=2`);

  const { body: last } = await get(page.next ?? '');
  expect(last.data).toHaveLength(1);
  expect(last.next).toBeNull();
  expect(last).not.toHaveProperty('offset');
  const names = [...page.data, ...last.data].map(({ name }) => name);
  expect(names.toSorted()).toEqual(['orders', 'third', 'users']);
});

test('an empty list has no offset and no next', async () => {
  expect((await get('/snis')).body).toEqual({ data: [], next: null });
});

test.each([
  ['/services?size=x', { code: 9, name: 'invalid size', message: 'size must be a number' }],
  [
    '/services?size=0',
    { code: 9, name: 'invalid size', message: 'size must be an integer between 1 and 1000' },
  ],
  [
    '/services?size=1001',
    { code: 9, name: 'invalid size', message: 'size must be an integer between 1 and 1000' },
  ],
  [
    '/services?offset=x',
    { code: 7, name: 'invalid offset', message: "'x' is not a valid offset: bad base64 encoding" },
  ],
  [
    '/services?tags=a,b/c',
    {
      code: 11,
      name: 'invalid options',
      message: 'invalid option (tags: invalid filter syntax)',
      options: { tags: 'invalid filter syntax' },
    },
  ],
])('%s is refused', async (path, body) => {
  expect(await get(path)).toEqual({ status: 400, body });
});

test.each([
  ['all,blue', ['orders']],
  ['green/blue', ['orders', 'users']],
  ['all', ['orders', 'users']],
  ['none', []],
])('tags=%s selects %j', async (tags, names) => {
  const { body } = await get(`/services?tags=${encodeURIComponent(tags)}`);
  expect(body.data.map(({ name }) => name).toSorted()).toEqual(names);
});

test.each([
  ['/services/orders', { name: 'orders', host: 'orders.test' }],
  ['/services/orders/', { name: 'orders' }],
  ['/routes/liste-%C3%A9t%C3%A9', { name: 'liste-été' }],
  ['/routes/liste-%C3%A9t%C3%A9/service', { name: 'orders' }],
  ['/services/orders/routes/liste-%C3%A9t%C3%A9', { paths: ['/orders'] }],
  ['/consumers/ann/jwt/issuer', { key: 'issuer' }],
  ['/consumers/ann/acls/admins', { group: 'admins' }],
  ['/jwts/issuer/consumer', { username: 'ann' }],
  ['/upstreams/pool/targets/10.0.0.2:80', { target: '10.0.0.2:80' }],
])('%s is found', async (path, body) => {
  expect(await get(path)).toMatchObject({ status: 200, body });
});

test.each([
  ['/services/orders/routes', 1],
  ['/services/users/routes', 0],
  ['/routes/liste-%C3%A9t%C3%A9/plugins', 1],
  ['/consumers/ann/jwt', 1],
  ['/consumers/bob/jwt', 0],
  ['/consumers?custom_id=c-1', 1],
  ['/upstreams/pool/targets', 2],
  ['/upstreams/pool/targets/all', 2],
])('%s lists %i', async (path, count) => {
  const { status, body } = await get(path);
  expect([status, body.data.length, body.next]).toEqual([200, count, null]);
});

test.each([
  '/services/nope',
  '/services/nope/routes',
  '/services/users/routes/liste-%C3%A9t%C3%A9',
  '/services/b3e43a63-98fb-550e-843a-6088b2e0e543',
  '/targets',
  '/nowhere',
])('%s is not found', async (path) => {
  expect(await get(path)).toEqual({ status: 404, body: { message: 'Not found' } });
});

test('every answer has Kong’s headers; HEAD, OPTIONS and unknown methods follow its rules', async () => {
  const answer = await world.call('/services', { headers: { origin: 'http://ui.test' } });
  expect(answer.headers.get('server')).toBe('kong/3.9.1');
  expect(answer.headers.get('x-kong-admin-latency')).toMatch(/^\d+$/);
  expect(answer.headers.get('access-control-allow-origin')).toBe('http://ui.test');
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const head = await world.call('/services', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const options = await world.call('/services', { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
  expect(await world.send('DELETE', '/status')).toMatchObject({
    status: 405,
    body: { message: 'Method not allowed' },
  });
});

test('the node describes itself', async () => {
  expect((await get('/')).body).toMatchObject({ version: '3.9.1', configuration: { database: 'sluice' } });
  expect((await get('/status')).body).toMatchObject({
    database: { reachable: true },
    configuration_hash: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect((await get('/plugins/enabled')).body.enabled_plugins).toContain('jwt');
  expect(await get('/status?unit=V')).toEqual({
    status: 400,
    body: { message: "invalid unit 'V' (expected 'k/K', 'm/M', or 'g/G')" },
  });
});
