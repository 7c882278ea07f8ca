import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, headersLike, routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

/** Says upstream which instance of it ran. */
const mark = (scope: string, over: Document = {}): Document => ({
  name: 'request-transformer',
  config: { add: { headers: [`x-scope:${scope}`] } },
  ...over,
});
const bound = (...on: [route: string | null, service: string | null, consumer: string | null]): Document => {
  const [route, service, consumer] = on;
  const names = { ...(route && { route }), ...(service && { service }), ...(consumer && { consumer }) };
  const scope = Object.keys(names).join('+') || 'global';
  return mark(scope, names);
};
const consumer = (username: string): Document => ({ username, keyauth_credentials: [{ key: username }] });
const echoing = { header_name: 'x-id', generator: 'uuid', echo_downstream: true };

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const off = { enabled: false };
  const shop = world.service('shop', [
    routeWith('shop-plain', []),
    routeWith('r1', [mark('route')]),
    routeWith('r2', [mark('route')]),
    routeWith('r3', []),
    routeWith('r4', []),
    routeWith('disabled', [mark('off', off)]),
    routeWith('only-tcp', [{ name: 'ip-restriction', config: { deny: ['0.0.0.0/0'] }, protocols: ['tcp'] }]),
    routeWith('only-https', [mark('only-https', { protocols: ['https'] })]),
  ]);
  const other = world.service('other', [
    routeWith('other-plain', []),
    routeWith('disabled-alone', [{ name: 'request-termination', ...off }]),
    routeWith('early', [
      { name: 'correlation-id', consumer: 'alice', config: echoing },
      { name: 'correlation-id', config: { header_name: 'x-anyone', generator: 'uuid' } },
    ]),
    routeWith('late', [
      { name: 'response-transformer', consumer: 'alice', config: { add: { headers: ['x-late:alice'] } } },
      { name: 'response-transformer', config: { add: { headers: ['x-late:anyone'] } } },
    ]),
  ]);
  await world.load({
    services: [shop, other],
    routes: [routeWith('serviceless', [])],
    consumers: [...['alice', 'bob', 'carol'].map(consumer), { username: 'guest' }],
    plugins: [
      { name: 'key-auth', config: { anonymous: 'guest' } },
      bound(null, null, null),
      bound(null, 'shop', null),
      bound(null, null, 'alice'),
      bound('r2', 'shop', null),
      bound(null, null, 'bob'),
      bound(null, 'shop', 'bob'),
      bound('r3', null, 'bob'),
      bound('r4', 'shop', null),
      bound('r4', null, 'carol'),
      bound('r4', 'shop', 'carol'),
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  { path: '/other-plain', who: undefined, scope: 'global', over: 'nothing else applies' },
  { path: '/shop-plain', who: undefined, scope: 'service', over: 'global' },
  { path: '/r1', who: undefined, scope: 'route', over: 'service' },
  { path: '/other-plain', who: 'alice', scope: 'consumer', over: 'global' },
  { path: '/shop-plain', who: 'alice', scope: 'consumer', over: 'service' },
  { path: '/r1', who: 'alice', scope: 'consumer', over: 'route' },
  { path: '/r2', who: undefined, scope: 'route+service', over: 'route' },
  { path: '/r2', who: 'alice', scope: 'route+service', over: 'consumer' },
  { path: '/shop-plain', who: 'bob', scope: 'service+consumer', over: 'consumer' },
  { path: '/r2', who: 'bob', scope: 'service+consumer', over: 'route+service' },
  { path: '/r3', who: 'bob', scope: 'route+consumer', over: 'service+consumer' },
  { path: '/r4', who: 'carol', scope: 'route+service+consumer', over: 'route+consumer' },
  { path: '/r4', who: 'bob', scope: 'service+consumer', over: 'route+service' },
])(
  'scopes: $path asked by $who runs the instance of $scope, which wins over $over',
  async ({ path, who, scope }) => {
    const { seen } = await world.through(path, who === undefined ? {} : header('apikey', who));
    expect(seen.headers['x-scope']).toBe(scope);
  },
);

test('scopes: configurations are never merged', async () => {
  await world.post('/plugins', {
    ...mark('unused', { route: { name: 'shop-plain' } }),
    config: { add: { headers: ['x-other:1'] } },
  });
  const { seen } = await world.through('/shop-plain');
  expect(seen.headers).toMatchObject({ 'x-other': '1' });
  expect(seen.headers['x-scope']).toBeUndefined();
});

test('enabled: given false, then the instance does not run and a wider one does', async () => {
  const { seen } = await world.through('/disabled');
  expect(seen.headers['x-scope']).toBe('service');
  expect((await world.ask('/disabled-alone')).status).toBe(200);
});

test('protocols: given https only, then the instance runs for http as well', async () => {
  const { seen } = await world.through('/only-https');
  expect(seen.headers['x-scope']).toBe('only-https');
});

test('protocols: given a plugin for HTTP alone, then it may not be for tcp', async () => {
  const refused = await world.post('/schemas/plugins/validate', { name: 'cors', protocols: ['http', 'tcp'] });
  expect(refused.status).toBe(400);
  expect(refused.json()).toMatchObject({
    fields: { protocols: [null, 'expected one of: grpc, grpcs, http, https'] },
  });
});

test('protocols: given none of HTTP, then the instance does not run', async () => {
  expect((await world.ask('/only-tcp')).status).toBe(200);
});

test('scopes: given a plugin that runs before authentication, then its instance of a consumer never runs', async () => {
  const { seen, answer } = await world.through('/early', header('apikey', 'alice'));
  expect(seen.headers['x-consumer-username']).toBe('alice');
  expect(seen.headers['x-id']).toBeUndefined();
  expect(seen.headers['x-anyone']).toMatch(/./);
  expect(answer.headers['x-id']).toBeUndefined();
});

test('scopes: given a plugin that runs after authentication, then its instance of a consumer runs', async () => {
  expect((await world.ask('/late', header('apikey', 'alice'))).headers['x-late']).toBe('alice');
  expect((await world.ask('/late', header('apikey', 'bob'))).headers['x-late']).toBe('anyone');
});

test('a route without a service: its plugins run, then 503', async () => {
  const answer = await world.ask('/serviceless');
  expectError(answer, 503, 'no Service found with those values');
  await world.post('/routes/serviceless/plugins', {
    name: 'request-termination',
    config: { status_code: 418 },
  });
  expect((await world.ask('/serviceless')).status).toBe(418);
});

test('instance_name: it is unique, and names the instance in the Admin API', async () => {
  const named = { name: 'cors', instance_name: 'my-cors', route: { name: 'r3' } };
  expect((await world.post('/plugins', named)).status).toBe(201);
  expect((await world.admin('/plugins/my-cors')).json()).toMatchObject({
    name: 'cors',
    instance_name: 'my-cors',
  });
  const again = await world.post('/plugins', { ...named, route: { name: 'r4' } });
  expect(again.status).toBe(409);
  expect(again.json()).toMatchObject({
    code: 5,
    message: `UNIQUE violation detected on '{instance_name="my-cors"}'`,
  });
  expect((await world.post('/plugins/my-cors', { enabled: false }, 'PATCH')).json()).toMatchObject({
    enabled: false,
  });
  expect(headersLike(await world.ask('/r3'), 'access-control-')).toEqual({});
});

test('uniqueness: given a second instance of a name on a scope, then 409 names the scope', async () => {
  const { id } = (await world.admin('/services/shop')).json<{ id: string }>();
  const again = await world.post('/services/shop/plugins', mark('again'));
  expect(again.status).toBe(409);
  expect(again.json()).toMatchObject({
    code: 5,
    name: 'unique constraint violation',
    message: `UNIQUE violation detected on '{consumer=null,name="request-transformer",route=null,service={id="${id}"}}'`,
  });
});

test.each([
  {
    given: 'a route',
    path: '/routes/tcp-only/plugins',
    message: "must match the associated route's protocols",
  },
  {
    given: 'a service',
    path: '/services/tcp/plugins',
    message: "must match the protocols of at least one route pointing to this Plugin's service",
  },
])('protocols: given $given without a common one, then the plugin is refused', async ({ path, message }) => {
  await world.post('/services/tcp', { protocol: 'tcp', host: '127.0.0.1', port: 1 }, 'PUT');
  const route = { service: { name: 'tcp' }, protocols: ['tcp'], destinations: [{ port: 9 }] };
  await world.post('/routes/tcp-only', route, 'PUT');
  const refused = await world.post(path, { name: 'http-log', config: { http_endpoint: 'http://a' } });
  expect(refused.status).toBe(400);
  expect(refused.json()).toMatchObject({
    code: 2,
    message: `schema violation (protocols: ${message})`,
    fields: { protocols: message },
  });
  const fits = { name: 'http-log', protocols: ['tcp'], config: { http_endpoint: 'http://a' } };
  expect((await world.post(path, fits)).status).toBe(201);
});

test.each(['jwt', 'key-auth', 'basic-auth', 'hmac-auth', 'acl', 'cors', 'bot-detection', 'quota-mirror'])(
  'scopes: %s may not be bound to a consumer',
  async (name) => {
    const config = name === 'acl' ? { allow: ['a'] } : {};
    const refused = await world.post('/plugins', { name, config, consumer: { username: 'alice' } });
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ code: 2, fields: { consumer: 'value must be null' } });
  },
);
