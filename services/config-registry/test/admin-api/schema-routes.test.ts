import { expect, test } from 'vitest';
import { useRegistry } from './writing.ts';

const { send, made, list } = useRegistry();

/** The one-key objects of a schema's field list, as one object. */
const fieldsOf = (schema: unknown): Record<string, Record<string, unknown>> =>
  Object.assign({}, ...((schema as { fields: object[] }).fields ?? []));

test('an entity’s schema lists every field with its type and default', async () => {
  const fields = fieldsOf((await send('GET', '/schemas/services')).body);
  expect(fields).toMatchObject({
    id: { type: 'string', uuid: true, auto: true },
    name: { type: 'string', unique: true },
    protocol: { type: 'string', required: true, default: 'http', one_of: expect.arrayContaining(['https']) },
    retries: { type: 'integer', default: 5, between: [0, 32_767] },
    client_certificate: { type: 'foreign', reference: 'certificates' },
    created_at: { type: 'integer', timestamp: true, auto: true },
  });
  const upstream = fieldsOf((await send('GET', '/schemas/upstreams')).body);
  const active = fieldsOf(fieldsOf(upstream.healthchecks).active);
  expect(active.http_path).toMatchObject({ type: 'string', default: '/' });
});

test('a plugin’s schema is Kong’s field list, old names as shorthands', async () => {
  const { body } = await send('GET', '/schemas/plugins/rate-limiting');
  const { config, protocols } = fieldsOf(body);
  expect(protocols).toMatchObject({ type: 'set', default: ['grpc', 'grpcs', 'http', 'https'] });
  const fields = fieldsOf(config);
  expect(fields).toMatchObject({
    minute: { type: 'number', gt: 0 },
    policy: { type: 'string', default: 'local', one_of: ['local', 'redis', 'cluster'] },
    redis: { type: 'record', required: true },
  });
  expect(fieldsOf(fields.redis).port).toMatchObject({ type: 'integer', default: 6379, between: [0, 65_535] });
  expect(fields).not.toHaveProperty('redis_host');
  expect(config?.shorthand_fields).toContainEqual({
    redis_host: {
      type: 'string',
      deprecation: expect.objectContaining({ replaced_with: [{ path: ['redis', 'host'] }] }),
    },
  });
  expect((await send('GET', '/plugins/schema/rate-limiting')).body).toEqual(body);
});

test('what a plugin answers with defaults is what its schema announces', async () => {
  const node = (await send('GET', '/')).body as { plugins: { available_on_server: object } };
  const needed: Record<string, object> = {
    'rate-limiting': { minute: 1 },
    'ip-restriction': { allow: ['10.0.0.1'] },
  };
  for (const name of Object.keys(node.plugins.available_on_server)) {
    const given: object = needed[name] ?? {};
    const created = await send('POST', '/plugins', { name, config: given });
    if (created.status !== 201) continue; // needs more than defaults
    const actual = (created.body as { config: Record<string, unknown> }).config;
    const { config } = fieldsOf((await send('GET', `/schemas/plugins/${name}`)).body);
    for (const [field, { default: fallback }] of Object.entries(fieldsOf(config)))
      if (!Object.hasOwn(given, field) && fallback !== undefined)
        expect([name, field, actual[field]]).toEqual([name, field, fallback]);
  }
  expect((await list('/plugins?size=1000')).length).toBeGreaterThan(8);
});

test.each([
  ['/schemas/nope', "No entity named 'nope'"],
  ['/schemas/plugins/nope', "No plugin named 'nope'"],
  ['/schemas/vaults/aws', "No vault named 'aws'"],
])('%s is not there', async (path, message) => {
  expect(await send('GET', path)).toMatchObject({ status: 404, body: { message } });
});

test('validate says what a write would say, and writes nothing', async () => {
  const fine = { status: 200, body: { message: 'schema validation successful' } };
  expect(await send('POST', '/schemas/services/validate', { host: 'x.test' })).toMatchObject(fine);
  expect(await send('POST', '/schemas/vaults/validate', { name: 'env', prefix: 'my-env' })).toMatchObject(
    fine,
  );
  const plugin = { name: 'rate-limiting', config: { minute: 1 } };
  expect(await send('POST', '/schemas/plugins/validate', plugin)).toMatchObject(fine);
  expect(await send('POST', '/schemas/plugins/validate', { ...plugin, config: {} })).toMatchObject({
    status: 400,
    body: { code: 2, name: 'schema violation' },
  });
  expect(await send('POST', '/schemas/services/validate', {})).toMatchObject({
    status: 400,
    body: { message: 'schema violation (host: required field missing)' },
  });
  expect(await list('/services')).toEqual([]);
});

test('tags are listed with their entities, in pages', async () => {
  const service = await made('/services', { name: 's', host: 's.test', tags: ['blue', 'all'] });
  const consumer = await made('/consumers', { username: 'bob', tags: ['all'] });
  const all = { tag: 'all', entity_name: 'services', entity_id: service.id };
  expect((await send('GET', '/tags/all')).body).toEqual({
    data: [{ ...all, entity_name: 'consumers', entity_id: consumer.id }, all],
    next: null,
  });
  const first = (await send('GET', '/tags?size=2')).body as { data: object[]; next: string };
  const second = (await send('GET', first.next)).body as { data: object[]; next: null };
  expect([...first.data, ...second.data]).toHaveLength(3);
  expect(second.next).toBeNull();
});

test('endpoints are named after what they hold', async () => {
  const paths = await list('/endpoints');
  expect(paths).toEqual(
    expect.arrayContaining([
      '/',
      '/acls/{acls}',
      '/services/{services}/routes/{routes}',
      '/consumers/{consumers}/key-auth/{keyauth_credentials}',
      '/schemas/plugins/{name}',
    ]),
  );
});

test.each([
  [{}, 'HEALTHCHECKS_OFF'],
  [{ healthchecks: { passive: { unhealthy: { http_failures: 3 } } } }, 'HEALTHY'],
])('an upstream with %j is %s', async (settings, health) => {
  await made('/upstreams', { name: 'pool', ...settings });
  const target = await made('/upstreams/pool/targets', { target: '10.0.0.1:80', weight: 10 });
  expect((await send('GET', '/upstreams/pool/health')).body).toMatchObject({
    data: [{ id: target.id, health, data: { host: '10.0.0.1', port: 80, addresses: [{ health }] } }],
    next: null,
    node_id: expect.any(String),
  });
  expect((await send('GET', '/upstreams/pool/health?balancer_health=1')).body).toMatchObject({
    data: { health, details: { weight: { total: 10, available: 10 } } },
  });
});
