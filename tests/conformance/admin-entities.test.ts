import { expect, test } from 'vitest';
import { UUID, UUID_PATTERN, useAdmin } from './admin-cases.ts';

/* Single entities: kong-compat 5.3. */

const { answered, load, made, send, list } = useAdmin();

const given = () =>
  load({
    services: [
      {
        name: 'orders',
        host: 'orders.test',
        tags: ['t'],
        retries: 1,
        routes: [{ name: 'r', paths: ['/r'] }],
      },
    ],
    consumers: [{ username: 'bob', custom_id: 'c-1' }],
  });

test('POST answers 201 with every field, and defaults where nothing was said', async () => {
  await load({});
  const service = await made('/services', { name: 's', url: 'https://up.test/v1' });
  const { id, created_at, updated_at, ...rest } = service;
  expect(id).toMatch(UUID_PATTERN);
  expect(created_at).toEqual(expect.any(Number));
  expect(updated_at).toBe(created_at);
  expect(rest).toEqual({
    name: 's',
    protocol: 'https',
    host: 'up.test',
    port: 443,
    path: '/v1',
    retries: 5,
    connect_timeout: 60_000,
    write_timeout: 60_000,
    read_timeout: 60_000,
    client_certificate: null,
    tls_verify: null,
    tls_verify_depth: null,
    ca_certificates: null,
    enabled: true,
    tags: null,
  });
  const {
    id: _id,
    created_at: _created,
    updated_at: _updated,
    ...route
  } = await made('/routes', { paths: ['/'] });
  expect(route).toEqual({
    name: null,
    service: null,
    protocols: ['http', 'https'],
    methods: null,
    hosts: null,
    paths: ['/'],
    headers: null,
    snis: null,
    sources: null,
    destinations: null,
    strip_path: true,
    preserve_host: false,
    https_redirect_status_code: 426,
    regex_priority: 0,
    path_handling: 'v0',
    request_buffering: true,
    response_buffering: true,
    tags: null,
  });
});

test('an id that the client chose is kept, and ids in capitals are the same ids', async () => {
  await load({});
  expect(await made('/consumers', { id: UUID.toUpperCase(), username: 'x' })).toMatchObject({ id: UUID });
  expect((await answered('GET', `/consumers/${UUID.toUpperCase()}`)).body).toMatchObject({ username: 'x' });
});

test('37: PUT under an unknown id answers 200 with that id; under a name with that name', async () => {
  await given();
  expect(await answered('PUT', `/routes/${UUID}`, { paths: ['/new'] })).toMatchObject({
    status: 200,
    body: { id: UUID, paths: ['/new'], name: null },
  });
  expect(await answered('PUT', '/consumers/carl', {})).toMatchObject({
    status: 200,
    body: { username: 'carl', id: expect.stringMatching(UUID_PATTERN) },
  });
});

test('PUT replaces: what is left out has its default again, id and creation stay', async () => {
  await given();
  const before = (await answered('GET', '/services/orders')).body;
  const { body } = await answered('PUT', '/services/orders', { host: 'new.test' });
  expect(body).toMatchObject({
    id: before?.id,
    name: 'orders',
    host: 'new.test',
    retries: 5,
    tags: null,
    created_at: before?.created_at,
  });
});

test('PATCH merges records, replaces lists, and null clears', async () => {
  await load({
    upstreams: [{ name: 'pool', tags: ['a'], healthchecks: { active: { http_path: '/up', timeout: 3 } } }],
  });
  const change = {
    tags: ['b'],
    healthchecks: { active: { timeout: 7, healthy: { http_statuses: [204] } } },
  };
  expect(await answered('PATCH', '/upstreams/pool', change)).toMatchObject({
    status: 200,
    body: {
      tags: ['b'],
      healthchecks: {
        active: { http_path: '/up', timeout: 7, healthy: { http_statuses: [204], interval: 0 } },
      },
    },
  });
  expect((await answered('PATCH', '/upstreams/pool', { tags: null })).body).toMatchObject({ tags: null });
  const plugin = await made('/plugins', { name: 'rate-limiting', config: { minute: 5, hour: 9 } });
  expect((await answered('PATCH', `/plugins/${plugin.id}`, { config: { hour: null } })).body).toMatchObject({
    config: { minute: 5, hour: null },
  });
});

test('36: DELETE of nothing is 204', async () => {
  await given();
  for (const path of ['/services/none', `/services/${UUID}`, '/consumers/none', '/plugins/none'])
    expect(await send('DELETE', path)).toMatchObject({ status: 204, text: '' });
});

test('a name may be percent-encoded and beyond ASCII; what looks like an id is one', async () => {
  await load({});
  const { id } = await made('/services', { name: 'café', host: 'c.test' });
  expect((await answered('GET', '/services/caf%C3%A9')).body).toMatchObject({ id });
  await made('/consumers', { username: 'ann@mail.test/x' });
  expect((await answered('GET', '/consumers/ann%40mail.test%2Fx')).status).toBe(200);
  await made('/consumers', { username: UUID });
  expect((await answered('GET', `/consumers/${UUID}`)).status).toBe(404);
});

test('references are taken by id and by name; sets drop duplicates', async () => {
  await given();
  const { id } = (await answered('GET', '/services/orders')).body as { id: string };
  for (const service of [{ id }, { name: 'orders' }])
    expect(await made('/routes', { paths: ['/x'], service })).toMatchObject({ service: { id } });
  const twice = await made('/routes', { paths: ['/y'], methods: ['GET', 'GET'], tags: ['a', 'a'] });
  expect(twice).toMatchObject({ methods: ['GET'], tags: ['a'] });
});

test('deleting a consumer or a service takes plugins and credentials along', async () => {
  await given();
  await made('/consumers/bob/key-auth', { key: 'k' });
  await made('/consumers/bob/acls', { group: 'g' });
  await made('/consumers/bob/plugins', { name: 'request-termination' });
  await made('/services/orders/plugins', { name: 'cors' });
  expect((await answered('DELETE', '/consumers/bob')).status).toBe(204);
  expect((await answered('DELETE', '/routes/r')).status).toBe(204);
  expect((await answered('DELETE', '/services/orders')).status).toBe(204);
  for (const path of ['/key-auths', '/acls', '/plugins']) expect(await list(path)).toEqual([]);
});
