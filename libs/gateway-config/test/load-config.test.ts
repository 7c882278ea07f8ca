import { expect, test } from 'vitest';
import { diffStates, hashPassword, loadConfig } from '../src/index.ts';
import { catalog } from './catalog.ts';
import { accepted, NOW, only, refused } from './load.ts';

const service = { name: 's', host: 'a.test' };

test.each([
  ['http://a.test', 'http', 'a.test', 80, null],
  ['https://a.test/', 'https', 'a.test', 443, '/'],
  ['http://a.test:8083/x/y?q=1', 'http', 'a.test', 8083, '/x/y'],
  ['//a.test:443', 'https', 'a.test', 443, null],
  ['grpc://a.test:50051', 'grpc', 'a.test', 50_051, null],
  ['tcp://a.test', 'tcp', 'a.test', 80, null],
  ['http://[::1]:9', 'http', '::1', 9, null],
])('url %s sets protocol, host, port and path', (url, protocol, host, port, path) => {
  const { id: _, ...rest } = only(accepted({ services: [{ url, host: 'overridden.test' }] }), 'services');
  expect(rest).toMatchObject({ protocol, host, port, path });
  expect(rest).not.toHaveProperty('url');
});

test('https written field by field keeps port 80, as in Kong', () => {
  expect(only(accepted({ services: [{ ...service, protocol: 'https' }] }), 'services').port).toBe(80);
});

test('given format 1.1, when routes are loaded, then patterns get a tilde and plain paths their normal form', () => {
  const routes = [{ paths: ['/a/./b', '/x/(?<id>\\d+)'] }];
  const state = accepted({
    _format_version: '1.1',
    services: [{ ...service, routes }],
    routes: [{ paths: ['/q$'] }],
  });
  expect([...state.list('routes')].map((route) => route.paths)).toEqual([
    ['/a/b', '~/x/(?<id>\\d+)'],
    ['~/q$'],
  ]);
});

test('what decK and database dumps add is accepted and not stored', () => {
  const state = accepted({
    _info: { select_tags: ['a'] },
    _workspace: 'default',
    workspaces: [{ name: 'default' }],
    _comment: 'c',
    _ignore: [1],
    routes: null,
    upstreams: {},
    services: [{ ...service, _comment: 'x', _ignore: [], ws_id: 'w', routes: [] }],
    plugins: [{ name: 'cors', ordering: null, consumer_group: null }],
  });
  expect(Object.keys(only(state, 'services'))).not.toContain('_comment');
  expect(Object.keys(only(state, 'plugins'))).not.toContain('ordering');
});

test('null means not set: defaults are filled in, in plugin configurations too', () => {
  const plugins = [{ name: 'rate-limiting', config: { minute: 1, policy: null, redis: null } }];
  const state = accepted({ services: [{ ...service, retries: null, protocol: null }], plugins });
  expect(only(state, 'services')).toMatchObject({ retries: 5, protocol: 'http' });
  expect(only(state, 'plugins').config).toMatchObject({ policy: 'local', redis: { port: 6379 } });
});

test('a plugin has a mode only where one is written', () => {
  const [plain, shadow] = [{ name: 'cors' }, { name: 'prometheus', mode: 'shadow' }];
  const modes = [...accepted({ plugins: [plain, shadow] }).list('plugins')].map((plugin) => plugin.mode);
  expect(modes).toEqual([undefined, 'shadow']);
  expect(Object.keys(only(accepted({ plugins: [plain] }), 'plugins'))).not.toContain('mode');
});

test('references are found by name, by id as text and by {id}', () => {
  const id = '11111111-2222-4333-8444-555555555555';
  const references = ['s', id, { id }];
  const routes = references.map((reference, index) => ({
    name: `r${index}`,
    paths: ['/'],
    service: reference,
  }));
  const state = accepted({ services: [{ ...service, id }], routes });
  expect([...state.list('routes')].map((route) => route.service)).toEqual([{ id }, { id }, { id }]);
});

test('hash_on and algorithm follow from each other', () => {
  const algorithm = (fields: object) =>
    only(accepted({ upstreams: [{ name: 'u', ...fields }] }), 'upstreams');
  expect(algorithm({ hash_on: 'ip' })).toMatchObject({ algorithm: 'consistent-hashing', hash_on: 'ip' });
  expect(algorithm({ hash_on: 'none', algorithm: 'consistent-hashing' })).toMatchObject({
    algorithm: 'round-robin',
  });
  expect(algorithm({ hash_on: 'ip', algorithm: 'latency' })).toMatchObject({
    algorithm: 'latency',
    hash_on: 'none',
  });
});

test('issuers get the defaults of the platform, tenants keep what they say', () => {
  const state = accepted({
    issuers: [{ name: 'logto', issuer: '{vault://env/logto-issuer}' }],
    tenants: [{ name: 'tenant-1', limits: { minute: 5 } }],
  });
  expect(only(state, 'issuers')).toMatchObject({
    jwks_uri: null,
    audiences: null,
    algorithms: ['ES384', 'RS256', 'ES256', 'PS256', 'EdDSA', 'RS384', 'RS512', 'ES512'],
    tenant_claim: 'tenant_id',
    user_claim: 'sub',
    platform_claim: 'platform_id',
  });
  expect(only(state, 'tenants')).toMatchObject({ name: 'tenant-1', limits: { minute: 5 } });
});

test('given a basic-auth password, then the hash of password and consumer id is stored, unless _transform is false', () => {
  const document = {
    consumers: [{ username: 'u', basicauth_credentials: [{ username: 'u', password: 'pw' }] }],
  };
  const state = accepted(document);
  const consumer = String(only(state, 'consumers').id);
  expect(only(state, 'basicauth_credentials').password).toBe(hashPassword('pw', consumer));
  expect(hashPassword('pw', consumer)).toMatch(/^[0-9a-f]{40}$/);
  expect(only(accepted({ ...document, _transform: false }), 'basicauth_credentials').password).toBe('pw');
});

test('keys that are left out are drawn once and then kept', () => {
  const document = {
    consumers: [{ username: 'u', keyauth_credentials: [{}], jwt_secrets: [{ key: 'iss' }] }],
  };
  const first = accepted(document);
  expect(only(first, 'keyauth_credentials').key).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(only(first, 'jwt_secrets').secret).toMatch(/^[A-Za-z0-9]{32}$/);
  const again = accepted(document, { previous: first });
  expect(only(again, 'keyauth_credentials').key).toBe(only(first, 'keyauth_credentials').key);
  expect(only(accepted(document), 'keyauth_credentials').key).not.toBe(
    only(first, 'keyauth_credentials').key,
  );
});

test('given a previous state, when one entity changes, then only that one gets a new time', () => {
  const other = { name: 'other', host: 'b.test' };
  const before = accepted({ services: [service, other] });
  const after = accepted(
    { services: [{ ...service, retries: 1 }, other] },
    { previous: before, now: NOW + 60 },
  );
  const times = [...after.list('services')].map((one) => [one.name, one.created_at, one.updated_at]);
  expect(times).toEqual([
    ['s', NOW, NOW + 60],
    ['other', NOW, NOW],
  ]);
  expect(diffStates(before, after)).toHaveLength(1);
});

test('an unreadable text and a text that is no object are told apart', () => {
  const read = (text: string) => {
    const loaded = loadConfig({ text }, catalog, { now: NOW });
    return loaded.ok ? 'accepted' : loaded.error.fields.error;
  };
  expect(read('a: [b')).toMatch(/^failed parsing declarative configuration: .* at line 1, column \d+$/);
  expect(read('just words')).toBe('failed parsing declarative configuration: expected an object');
  expect(read('[1, 2]')).toBe('failed parsing declarative configuration: expected an object');
  expect(read('')).toBe('failed parsing declarative configuration: expected an object');
  expect(refused({ services: [5] }).fields).toEqual({ services: ['expected a record'] });
});

test('given the process counts elsewhere, when a plugin names its own redis, then there is one warning', () => {
  const plugin = (route: string) => ({
    name: 'rate-limiting',
    route,
    config: { minute: 1, redis: { host: 'mine' } },
  });
  const document = {
    _format_version: '3.0',
    routes: [
      { name: 'a', paths: ['/a'] },
      { name: 'b', paths: ['/b'] },
    ],
    plugins: [plugin('a'), plugin('b'), { name: 'key-auth' }],
  };
  const warnings = (url: string) => {
    const loaded = loadConfig({ document }, catalog, { now: NOW, environment: { REDIS_URL: url } });
    return loaded.ok ? loaded.warnings : [];
  };
  expect(warnings('redis://theirs:6379')).toEqual([
    "plugin 'rate-limiting': its redis block is ignored, counters live where REDIS_URL says",
  ]);
  expect(warnings('redis://mine:6379')).toEqual([]);
});

test.each([
  ['on the route', { route: 'a' }, 0],
  ['on its service', { service: 's' }, 0],
  ['on everything', {}, 0],
  ['switched off', { enabled: false }, 1],
  ['in shadow mode', { mode: 'shadow' }, 1],
])('given key-auth %s, then the number of open routes warned about is right', (_, fields, count) => {
  const document = {
    _format_version: '3.0',
    services: [service],
    routes: [{ name: 'a', paths: ['/a'], service: 's' }],
    plugins: [{ name: 'key-auth', ...fields }],
  };
  const loaded = loadConfig({ document }, catalog, { now: NOW });
  expect(loaded.ok && loaded.warnings).toHaveLength(count);
});

test('given a previous state, what did not change is the same object in the next one, and shows in no difference', () => {
  const route = (name: string, path: string) => ({ name, paths: [path] });
  const before = accepted({ routes: [route('a', '/a'), route('b', '/b')] });
  const text = JSON.stringify({
    _format_version: '3.0',
    routes: [{ ...route('a', '/a'), created_at: 5 }, route('b', '/c')],
  });
  const next = loadConfig({ text }, catalog, { now: NOW + 60, previous: before });
  if (!next.ok) throw next.error;
  const [a, b] = [...before.list('routes')];
  expect(next.state.get('routes', a?.id ?? '')).toBe(a);
  const ops = diffStates(before, next.state);
  expect(ops).toMatchObject([{ op: 'put', id: b?.id, entity: { paths: ['/c'] } }]);
  before.apply(ops);
  expect(before.digest).toBe(next.state.digest);
});

test('given a redacted text is loaded, then every secret that is missing from it is named, and nothing else', () => {
  const error = refused({
    consumers: [
      {
        username: '[redacted]',
        keyauth_credentials: [{ key: '[redacted]' }, { key: 'a-key' }],
        jwt_secrets: [{ key: 'issuer', secret: '[redacted]' }],
      },
    ],
  });

  expect(error.problems.map(({ path }) => path)).toEqual([
    'consumers[0].keyauth_credentials[0].key',
    'consumers[0].jwt_secrets[0].secret',
  ]);
  expect(error.problems[0]?.message).toContain('give the secret');
});
