import { issueCertificate } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';
import type { Document } from './world.ts';

/* One row per path and method of kong-compat 5.4 that reads or writes entities. */

const { answered, load, made, list } = useAdmin();
const { cert, key } = issueCertificate('orders.test');
const { cert: authority } = issueCertificate('root', { isAuthority: true });
const CERTIFICATE = '5d1c1b9e-7a0e-4a63-9b7e-6a3f0c1d2e3f';

/** What the cases refer to: a service, a route, a consumer, an upstream, a certificate and a set of keys. */
const given = () =>
  load({
    services: [
      { name: 'orders', host: 'orders.test' },
      { name: 'other', host: 'other.test' },
    ],
    routes: [
      { name: 'to-orders', paths: ['/o'], service: 'orders' },
      { name: 'to-other', paths: ['/x'] },
    ],
    consumers: [{ username: 'ann' }, { username: 'eve' }],
    upstreams: [{ name: 'pool' }, { name: 'other.pool' }],
    certificates: [{ id: CERTIFICATE, cert, key }],
    key_sets: [{ name: 'set' }, { name: 'other-set' }],
  });

const of = { consumer: { username: 'ann' } };
const jwk = JSON.stringify({ kty: 'oct', k: 'c2VjcmV0', kid: 'k1' });
interface Collection {
  readonly path: string;
  readonly body: Document;
  readonly change: Document;
  /** How a path names it, beside its id. */
  readonly name?: string;
}
const collections: readonly Collection[] = [
  { path: 'services', body: { name: 's', host: 's.test' }, change: { retries: 2 }, name: 's' },
  { path: 'routes', body: { name: 'r', paths: ['/r'] }, change: { strip_path: false }, name: 'r' },
  { path: 'consumers', body: { username: 'c' }, change: { custom_id: 'c-1' }, name: 'c' },
  { path: 'plugins', body: { name: 'cors', instance_name: 'p' }, change: { enabled: false }, name: 'p' },
  { path: 'upstreams', body: { name: 'u.test' }, change: { slots: 100 }, name: 'u.test' },
  { path: 'certificates', body: { cert, key, snis: ['a.test'] }, change: { tags: ['x'] }, name: 'a.test' },
  { path: 'ca_certificates', body: { cert: authority }, change: { tags: ['x'] } },
  {
    path: 'snis',
    body: { name: 'b.test', certificate: { id: CERTIFICATE } },
    change: { tags: ['x'] },
    name: 'b.test',
  },
  {
    path: 'vaults',
    body: { prefix: 'mine', name: 'env', config: { prefix: 'A_' } },
    change: { description: 'd' },
    name: 'mine',
  },
  { path: 'key-sets', body: { name: 'ks' }, change: { tags: ['x'] }, name: 'ks' },
  { path: 'keys', body: { name: 'k', kid: 'k1', jwk }, change: { tags: ['x'] }, name: 'k' },
  { path: 'key-auths', body: { key: 'a-key', ...of }, change: { tags: ['x'] }, name: 'a-key' },
  { path: 'basic-auths', body: { username: 'b', password: 'p', ...of }, change: { tags: ['x'] }, name: 'b' },
  { path: 'hmac-auths', body: { username: 'h', secret: 's', ...of }, change: { secret: 't' }, name: 'h' },
  {
    path: 'jwts',
    body: { key: 'issuer', secret: 's', ...of },
    change: { algorithm: 'HS512' },
    name: 'issuer',
  },
  { path: 'acls', body: { group: 'gold', ...of }, change: { group: 'silver' } },
  {
    path: 'oauth2',
    body: { name: 'app', client_id: 'id', redirect_uris: ['https://app.test/cb'], ...of },
    change: { client_type: 'public' },
    name: 'id',
  },
];

test.each(collections)('/$path: POST, GET, PATCH, PUT, DELETE', async ({ path, body, change, name }) => {
  await given();
  const before = (await list(`/${path}`)).length;

  const entity = await made(`/${path}`, body);

  expect(await list(`/${path}`)).toHaveLength(before + 1);
  for (const by of [entity.id, ...(name === undefined ? [] : [name])])
    expect(await answered('GET', `/${path}/${by}`)).toEqual({ status: 200, body: entity });
  const patched = await answered('PATCH', `/${path}/${entity.id}`, change);
  const { updated_at: _before, ...unchanged } = entity;
  expect(patched).toMatchObject({ status: 200, body: { ...unchanged, ...change } });
  const { status, body: replaced } = await answered('PUT', `/${path}/${entity.id}`, body);
  expect(status).toBe(200);
  const [changed = ''] = Object.keys(change);
  if (!(changed in body)) expect((replaced as Document)[changed]).toEqual(entity[changed]);
  expect((replaced as Document).created_at).toBe(entity.created_at);
  for (let times = 0; times < 2; times++)
    expect((await answered('DELETE', `/${path}/${entity.id}`)).status).toBe(204);
  const absent = await answered('GET', `/${path}/${entity.id}`);
  expect(absent).toEqual({ status: 404, body: { message: 'Not found' } });
});

interface Nested {
  readonly parent: string;
  readonly other: string;
  readonly path: string;
  readonly body: Document;
  readonly change: Document;
  readonly name?: string;
}
const nested: readonly Nested[] = [
  {
    parent: 'services/orders',
    other: 'services/other',
    path: 'routes',
    body: { name: 'r', paths: ['/r'] },
    change: { strip_path: false },
    name: 'r',
  },
  ...['services/orders services/other', 'routes/to-orders routes/to-other'].map((pair) => ({
    parent: pair.split(' ')[0] ?? '',
    other: pair.split(' ')[1] ?? '',
    path: 'plugins',
    body: { name: 'cors', instance_name: 'p' },
    change: { enabled: false },
    name: 'p',
  })),
  ...[
    { path: 'plugins', body: { name: 'request-termination', instance_name: 'p' }, name: 'p' },
    { path: 'key-auth', body: { key: 'a-key' }, name: 'a-key' },
    { path: 'basic-auth', body: { username: 'b', password: 'p' }, name: 'b' },
    { path: 'hmac-auth', body: { username: 'h', secret: 's' }, name: 'h' },
    { path: 'jwt', body: { key: 'issuer', secret: 's' }, name: 'issuer' },
    { path: 'acls', body: { group: 'gold' }, name: 'gold' },
    { path: 'oauth2', body: { name: 'app', client_id: 'id' }, name: 'id' },
  ].map((one) => ({ parent: 'consumers/ann', other: 'consumers/eve', change: { tags: ['x'] }, ...one })),
  {
    parent: 'upstreams/pool',
    other: 'upstreams/other.pool',
    path: 'targets',
    body: { target: '10.0.0.1:80' },
    change: { weight: 7 },
    name: '10.0.0.1:80',
  },
  ...[
    { path: 'snis', body: { name: 'c.test' } },
    { path: 'services', body: { name: 'c.test', protocol: 'https', host: 'c.test' } },
    { path: 'upstreams', body: { name: 'c.test' } },
  ].map((one) => ({
    parent: `certificates/${CERTIFICATE}`,
    other: `certificates/${UUID}`,
    change: { tags: ['x'] },
    name: 'c.test',
    ...one,
  })),
  {
    parent: 'key-sets/set',
    other: 'key-sets/other-set',
    path: 'keys',
    body: { name: 'k', kid: 'k1', jwk },
    change: { tags: ['x'] },
    name: 'k',
  },
];

test.each(nested)(
  '/$parent/$path: POST, GET, PATCH, PUT, DELETE; not under another parent',
  async ({ parent, other, path, body, change, name }) => {
    await given();
    const all = `/${parent}/${path}`;
    const before = (await list(all)).length;

    const entity = await made(all, body);

    expect(await list(all)).toHaveLength(before + 1);
    for (const by of [entity.id, ...(name === undefined ? [] : [name])])
      expect(await answered('GET', `${all}/${by}`)).toEqual({ status: 200, body: entity });
    expect(await answered('PATCH', `${all}/${entity.id}`, change)).toMatchObject({
      status: 200,
      body: change,
    });
    expect((await answered('PUT', `${all}/${entity.id}`, body)).status).toBe(200);
    for (const method of ['GET', 'DELETE'])
      expect(await answered(method, `/${other}/${path}/${entity.id}`)).toMatchObject({ status: 404 });
    expect((await answered('DELETE', `${all}/${entity.id}`)).status).toBe(204);
    expect(await answered('DELETE', `${all}/${entity.id}`)).toMatchObject({ status: 404 });
    expect(await answered('GET', `/services/${UUID}/routes`)).toMatchObject({ status: 404 });
  },
);

test.each([
  {
    path: 'routes',
    make: { paths: ['/r'], service: { name: 'orders' } },
    field: 'service',
    change: { retries: 1 },
  },
  {
    path: 'plugins',
    make: { name: 'cors', service: { name: 'orders' } },
    field: 'service',
    change: { retries: 1 },
  },
  {
    path: 'plugins',
    make: { name: 'cors', route: { name: 'to-other' } },
    field: 'route',
    change: { regex_priority: 1 },
  },
  {
    path: 'plugins',
    make: { name: 'request-termination', ...of },
    field: 'consumer',
    change: { custom_id: 'a' },
  },
  {
    path: 'services',
    make: { host: 'x.test', protocol: 'https', client_certificate: { id: CERTIFICATE } },
    field: 'client_certificate',
    change: { tags: ['x'] },
  },
  ...collections
    .filter(({ body }) => 'consumer' in body)
    .map(({ path, body }) => ({ path, make: body, field: 'consumer', change: { custom_id: 'a' } })),
])('/$path/{key}/$field: GET, PATCH; DELETE is 405', async ({ path, make, field, change }) => {
  await given();
  const { id, [field]: reference } = await made(`/${path}`, make);
  const at = `/${path}/${id}/${field}`;
  expect((await answered('GET', at)).body).toMatchObject(reference as object);
  expect(await answered('PATCH', at, change)).toMatchObject({ status: 200, body: change });
  expect(await answered('DELETE', at)).toEqual({ status: 405, body: { message: 'Method not allowed' } });
});

test('/routes/{r}/service takes PUT, and a route without a service has none', async () => {
  await given();
  const put = await answered('PUT', '/routes/to-orders/service', { name: 'orders', host: 'new.test' });
  expect(put).toMatchObject({ status: 200, body: { name: 'orders', host: 'new.test' } });
  expect(await answered('GET', '/routes/to-other/service')).toMatchObject({ status: 404 });
});

test.each([
  '/targets',
  `/targets/${UUID}`,
  '/mtls-auths',
  '/consumers/ann/mtls-auth',
  '/workspaces',
  '/consumer_groups',
  '/rbac/users',
  '/licenses',
  '/partials',
  '/default/services',
])('GET %s is 404: Kong OSS has no such thing', async (path) => {
  expect(await answered('GET', path)).toEqual({ status: 404, body: { message: 'Not found' } });
});

test('/upstreams/{u}/targets lists the newest first, /all the same; PUT does not create', async () => {
  await given();
  for (const target of ['a.test:80', 'b.test']) await made('/upstreams/pool/targets', { target });
  for (const path of ['targets', 'targets/all'])
    expect((await list(`/upstreams/pool/${path}`)).map(({ target }) => target)).toEqual([
      'b.test:8000',
      'a.test:80',
    ]);
  expect(await answered('POST', '/upstreams/pool/targets', { target: 'b.test:8000' })).toMatchObject({
    status: 409,
  });
  expect(await answered('PUT', `/upstreams/pool/targets/${UUID}`, { target: 'c.test:80' })).toMatchObject({
    status: 404,
  });
  expect((await answered('DELETE', '/upstreams/pool/targets/b.test:8000')).status).toBe(204);
  expect(await list('/upstreams/pool/targets')).toHaveLength(1);
});

test('/certificates/{sni} is the certificate of that name', async () => {
  await given();
  expect(await answered('GET', '/certificates/none.test')).toEqual({
    status: 404,
    body: { message: 'SNI not found' },
  });
  const { body } = await answered('PUT', '/certificates/new.test', { cert, key });
  expect(body).toMatchObject({ snis: ['new.test'] });
  expect((await answered('GET', '/certificates/new.test')).body).toEqual(body);
});
