import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';

/* Words of refusals (kong-compat 1.6, 2.1 to 2.6), heard from POST /schemas/{entity}/validate. */

const { answered } = useAdmin();

const service = (over: object) => ({ host: 'h.test', ...over });
const route = (over: object) => ({ paths: ['/'], ...over });
const upstream = (over: object) => ({ name: 'u', ...over });
const NAME = (value: string) =>
  `invalid value '${value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`;
const PROTOCOLS = 'grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp';

test.each([
  // types and ranges
  { kind: 'services', body: service({ x: 1 }), says: 'x: unknown field' },
  { kind: 'services', body: {}, says: 'host: required field missing' },
  { kind: 'services', body: service({ name: 7 }), says: 'name: expected a string' },
  { kind: 'services', body: service({ retries: 'x' }), says: 'retries: expected an integer' },
  {
    kind: 'plugins',
    body: { name: 'rate-limiting', config: { minute: 'x' } },
    says: 'config.minute: expected a number',
  },
  { kind: 'services', body: service({ enabled: 'x' }), says: 'enabled: expected a boolean' },
  { kind: 'routes', body: route({ paths: '/' }), says: 'paths: expected an array' },
  { kind: 'services', body: service({ tags: 'x' }), says: 'tags: expected a set' },
  { kind: 'routes', body: route({ headers: 'x' }), says: 'headers: expected a map' },
  { kind: 'plugins', body: { name: 'cors', config: 'x' }, says: 'config: expected a record' },
  { kind: 'services', body: service({ protocol: 'x' }), says: `protocol: expected one of: ${PROTOCOLS}` },
  { kind: 'services', body: service({ port: 65_536 }), says: 'port: value should be between 0 and 65535' },
  {
    kind: 'services',
    body: service({ retries: 32_768 }),
    says: 'retries: value should be between 0 and 32767',
  },
  {
    kind: 'services',
    body: service({ read_timeout: 0 }),
    says: 'read_timeout: value should be between 1 and 2147483646',
  },
  {
    kind: 'plugins',
    body: { name: 'rate-limiting', config: { minute: 0 } },
    says: 'config.minute: value must be greater than 0',
  },
  { kind: 'consumers', body: { username: '' }, says: 'length must be at least 1' },
  { kind: 'services', body: service({ id: 'x' }), says: 'id: expected a valid UUID' },
  // several fields
  {
    kind: 'services',
    body: service({ protocol: 'tcp', path: '/x' }),
    says: "failed conditional validation given value of field 'protocol'; path: value must be null",
  },
  {
    kind: 'consumers',
    body: {},
    says: "at least one of these fields must be non-empty: 'custom_id', 'username'",
  },
  {
    kind: 'routes',
    body: {},
    says: "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
  },
  {
    kind: 'routes',
    body: { protocols: ['http'] },
    says: "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
  },
  {
    kind: 'plugins',
    body: { name: 'cors', consumer: { id: UUID } },
    says: 'consumer: value must be null',
  },
  // paths
  { kind: 'services', body: service({ path: 'x' }), says: 'path: should start with: /' },
  {
    kind: 'routes',
    body: { paths: ['x'] },
    says: 'paths.1: should start with: / (fixed path) or ~/ (regex path)',
  },
  { kind: 'routes', body: { paths: ['/ok', '/a//b'] }, says: 'paths.2: must not have empty segments' },
  {
    kind: 'routes',
    body: { paths: ['/a/../b'] },
    says: "paths.1: non-normalized path, consider use '/b' instead",
  },
  {
    kind: 'routes',
    body: { paths: ['~/a('] },
    says: /paths\.1: invalid regex: '\/a\(' \(PCRE returned: .+\)/,
  },
  { kind: 'routes', body: { paths: ['/%zz'] }, says: "paths.1: invalid url-encoded value: '%zz'" },
  // hosts and names
  { kind: 'services', body: { host: 'a b' }, says: 'host: invalid value: a b' },
  { kind: 'services', body: { host: 'a.test:80' }, says: 'host: must not have a port' },
  {
    kind: 'routes',
    body: { hosts: ['a.*.test'] },
    says: 'hosts.1: invalid wildcard: must be placed at leftmost or rightmost label',
  },
  {
    kind: 'routes',
    body: { hosts: ['*.a.*'] },
    says: 'hosts.1: invalid wildcard: must have at most one wildcard',
  },
  { kind: 'services', body: service({ name: 'a b' }), says: `name: ${NAME('a b')}` },
  {
    kind: 'services',
    body: service({ tags: ['a,b'] }),
    says: "tags.1: invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
  },
  // routes
  {
    kind: 'routes',
    body: route({ protocols: ['http', 'tcp'] }),
    says: /protocols: these sets are mutually exclusive: /,
  },
  {
    kind: 'routes',
    body: route({ https_redirect_status_code: 303 }),
    says: /https_redirect_status_code: expected one of: /,
  },
  {
    kind: 'routes',
    body: { headers: { Host: ['x'] } },
    says: "headers: cannot contain 'host' header, which must be specified in the 'hosts' attribute",
  },
  {
    kind: 'routes',
    body: route({ sources: [{ ip: '10.0.0.1' }] }),
    says: "cannot set 'sources' when 'protocols' is 'http' or 'https'",
  },
  { kind: 'routes', body: route({ path_handling: 'v2' }), says: 'path_handling: expected one of: v0, v1' },
  // upstreams
  {
    kind: 'upstreams',
    body: { name: '10.0.0.1' },
    says: "name: Invalid name ('10.0.0.1'); no ip addresses allowed",
  },
  { kind: 'upstreams', body: upstream({ slots: 9 }), says: 'slots: value should be between 10 and 65536' },
  {
    kind: 'upstreams',
    body: upstream({ hash_on: 'header' }),
    says: 'hash_on_header: required field missing',
  },
  { kind: 'upstreams', body: upstream({ algorithm: 'x' }), says: /algorithm: expected one of: / },
  {
    kind: 'targets',
    body: { target: '10.0.0.1:80', weight: 65_536, upstream: { id: UUID } },
    says: 'weight: value should be between 0 and 65535',
  },
  // plugins, vaults, certificates, credentials
  {
    kind: 'plugins',
    body: { name: 'nope' },
    says: "name: plugin 'nope' not enabled; add it to the 'plugins' configuration property",
  },
  {
    kind: 'plugins',
    body: { name: 'http-log', config: { http_endpoint: 'http:' } },
    says: 'config.http_endpoint: missing host in url',
  },
  {
    kind: 'plugins',
    body: { name: 'http-log', config: { http_endpoint: 'h.test/x' } },
    says: 'config.http_endpoint: missing scheme in url',
  },
  {
    kind: 'plugins',
    body: { name: 'correlation-id', config: { header_name: 'a b' } },
    says: "config.header_name: bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
  },
  {
    kind: 'plugins',
    body: { name: 'rate-limiting', config: { minute: 1, redis: { host: 'a' }, redis_host: 'b' } },
    says: 'both deprecated and new field are used but their values mismatch: redis_host = b vs redis.host = a',
  },
  {
    kind: 'vaults',
    body: { prefix: 'mine', name: 'hcv', config: {} },
    says: "name: vault 'hcv' is not installed",
  },
  { kind: 'certificates', body: { cert: 'x', key: 'y' }, says: 'cert: invalid certificate' },
  {
    kind: 'jwt_secrets',
    body: { consumer: { id: UUID }, algorithm: 'none' },
    says: /algorithm: expected one of: /,
  },
  {
    kind: 'jwt_secrets',
    body: { consumer: { id: UUID }, algorithm: 'RS256' },
    says: 'rsa_public_key: required field missing',
  },
  {
    kind: 'basicauth_credentials',
    body: { consumer: { id: UUID }, username: 'a' },
    says: 'password: required field missing',
  },
  { kind: 'acls', body: { consumer: { id: UUID } }, says: 'group: required field missing' },
  {
    kind: 'oauth2_credentials',
    body: { consumer: { id: UUID }, name: 'a', redirect_uris: ['https://a.test/#x'] },
    says: "redirect_uris.1: fragment not allowed in 'https://a.test/#x'",
  },
])('$kind $body: "$says"', async ({ kind, body, says }) => {
  const { status, body: said } = await answered('POST', `/schemas/${kind}/validate`, body);
  expect(said).toMatchObject({ code: 2, name: 'schema violation' });
  expect(status).toBe(400);
  if (typeof says === 'string') expect(said?.message).toContain(says);
  else expect(said?.message).toMatch(says);
  expect(said?.message).toMatch(/^(?:schema violation|\d+ schema violations) \(.+\)$/);
});

test.each([
  { kind: 'services', body: { name: 's', url: 'http://h.test' } },
  { kind: 'routes', body: { paths: ['/'], service: { id: UUID } } },
  { kind: 'consumers', body: { username: 'x' } },
  { kind: 'upstreams', body: { name: 'u.test' } },
  { kind: 'plugins', body: { name: 'rate-limiting', config: { minute: 1 } } },
  { kind: 'vaults', body: { prefix: 'mine', name: 'env', config: {} } },
  { kind: 'keyauth_credentials', body: { consumer: { id: UUID }, key: 'x' } },
])('$kind $body is valid, and nothing is made of it', async ({ kind, body }) => {
  expect(await answered('POST', `/schemas/${kind}/validate`, body)).toEqual({
    status: 200,
    body: { message: 'schema validation successful' },
  });
});

test.each([
  { path: '/schemas/nope', message: "No entity named 'nope'" },
  { path: '/schemas/plugins/nope', message: "No plugin named 'nope'" },
  { path: '/schemas/vaults/nope', message: "No vault named 'nope'" },
])('GET $path is 404 "$message"', async ({ path, message }) => {
  expect(await answered('GET', path)).toEqual({ status: 404, body: { message } });
});

type Field = Record<string, { fields?: Field[]; shorthand_fields?: Field[] } & Record<string, unknown>>;
const fieldsAt = async (path: string): Promise<Map<string, Field[string]>> => {
  const { body } = await answered('GET', path);
  return new Map((body as unknown as { fields: Field[] }).fields.flatMap((field) => Object.entries(field)));
};

test('GET /schemas/{entity} lists one-key fields with their rules', async () => {
  const fields = await fieldsAt('/schemas/routes');
  expect(fields.get('protocols')).toMatchObject({
    type: 'set',
    default: ['http', 'https'],
    elements: { type: 'string', one_of: PROTOCOLS.split(', ') },
  });
  expect(fields.get('service')).toMatchObject({ type: 'foreign', reference: 'services' });
  expect(fields.get('service')).not.toHaveProperty('schema');
  const { retries, read_timeout, host } = Object.fromEntries(await fieldsAt('/schemas/services'));
  expect(retries).toMatchObject({ type: 'integer', default: 5, between: [0, 32_767] });
  expect(read_timeout).toMatchObject({ default: 60_000, between: [1, 2_147_483_646] });
  expect(host).toMatchObject({ type: 'string', required: true });
});

test.each(['/schemas/plugins/rate-limiting', '/plugins/schema/rate-limiting'])(
  'GET %s has the plugin’s configuration and its old names',
  async (path) => {
    const config = (await fieldsAt(path)).get('config');
    expect(config).toMatchObject({ type: 'record', required: true });
    expect(config?.fields).toContainEqual({ minute: expect.objectContaining({ type: 'number', gt: 0 }) });
    expect(config?.shorthand_fields).toContainEqual({
      redis_host: expect.objectContaining({
        type: 'string',
        deprecation: expect.objectContaining({ replaced_with: [{ path: ['redis', 'host'] }] }),
      }),
    });
  },
);
