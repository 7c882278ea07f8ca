import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { type Body, multipartOf, UUID, UUID_PATTERN, useAdmin } from './admin-cases.ts';

/* POST /config and GET /config: kong-compat 1.1 to 1.4. What is refused: admin-config-errors.test.ts. */

const { answered, send, list, load } = useAdmin();
const { cert, key } = issueCertificate('a.test');

type Flat = Record<string, Record<string, Record<string, unknown>>>;
const post = async (body: Body, query = '') => {
  const { status, body: flat } = await answered('POST', `/config${query}`, body);
  return { status, flat: flat as unknown as Flat };
};
const named = (name: string) => `_format_version: "3.0"\nservices: [{ name: ${name}, host: h.test }]\n`;
const json = (name: string) => ({ _format_version: '3.0', services: [{ name, host: 'h.test' }] });
const yaml = (raw: string, type = 'text/yaml') => ({ raw, type });

test.each([
  { what: 'JSON that is the document', body: json('a') },
  { what: 'JSON with the YAML in config', body: { config: named('a') } },
  { what: 'JSON with JSON text in config', body: { config: JSON.stringify(json('a')) } },
  { what: 'a form', body: new URLSearchParams({ config: named('a') }) },
  { what: 'a multipart form', body: multipartOf({ config: named('a') }) },
  { what: 'text/yaml', body: yaml(named('a')) },
  { what: 'application/yaml', body: yaml(named('a'), 'application/yaml') },
])('given $what, then 201 and the flattened result', async ({ body }) => {
  const { status, flat } = await post(body as Body);
  expect(status).toBe(201);
  const id = Object.keys(flat.services ?? {})[0] ?? '';
  expect(flat).toEqual({
    services: { [id]: expect.objectContaining({ id, name: 'a', path: null, tags: null }) },
  });
  expect(await list('/services')).toEqual([flat.services?.[id]]);
});

test('31: the platform’s own file as curl -F config=@kong.yml sends it', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../config/kong.yml'), 'utf8');
  const { status, flat } = await post(multipartOf({ config: text }));
  expect(status).toBe(201);
  expect(Object.keys(flat.services ?? {})).toHaveLength(4);
  expect(Object.keys(flat.routes ?? {})).toHaveLength(15);
  expect(flat.services).toHaveProperty('b3e43a63-98fb-550e-843a-6088b2e0e543.name', 'agent-orchestrator');
  expect(flat.routes).toHaveProperty('3747d795-d802-569b-9ec3-e6a50a106a9d.name', 'agent-workflows');
  expect(flat.plugins).toHaveProperty('18f2f6e2-5e0a-5bfa-93be-849850c0c527.name', 'prometheus');
});

test('33: the same text again with check_hash=1 is 304, without or changed it is 201', async () => {
  const text = yaml(`${named('hashed')}# once\n`);
  expect((await post(text, '?check_hash=1')).status).toBe(201);
  expect(await send('POST', '/config?check_hash=1', text)).toMatchObject({ status: 304, text: '' });
  expect((await post(text, '?check_hash=true')).status).toBe(201);
  expect((await post(text)).status).toBe(201);
  expect((await post(yaml(named('changed')), '?check_hash=1')).status).toBe(201);
  expect((await post(text, '?check_hash=1')).status).toBe(201);
});

test('33: given a document that is JSON itself, then check_hash has nothing to compare it with', async () => {
  for (let times = 0; times < 2; times++)
    expect((await post(json('direct'), '?check_hash=1')).status).toBe(201);
});

test('a document replaces the one before as a whole', async () => {
  await post(json('first'));
  await post({ ...json('second'), consumers: [{ username: 'ann' }] });
  expect((await list('/services')).map(({ name }) => name)).toEqual(['second']);
  await post({ _format_version: '3.0' });
  expect([await list('/services'), await list('/consumers')]).toEqual([[], []]);
});

test('GET /config is the flat YAML, and posting it again changes nothing', async () => {
  await load({
    services: [{ name: 's', host: 'h.test', routes: [{ name: 'r', paths: ['/r'] }] }],
    consumers: [{ username: 'ann', basicauth_credentials: [{ username: 'ann', password: 'pw' }] }],
  });
  const { config } = (await send('GET', '/config')).json<{ config: string }>();
  expect(config).toMatch(/^_format_version: ['"]3\.0['"]$/m);
  expect(config).toMatch(/^_transform: false$/m);
  expect(config).toMatch(/service: 0?[0-9a-f'-]{36}/);
  const hash = async () => (await answered('GET', '/status')).body?.configuration_hash;
  const before = await hash();
  expect((await post({ config })).status).toBe(201);
  expect(await hash()).toBe(before);
});

test.each([
  {
    kind: 'services',
    name: 'my-service',
    body: { host: 'h.test' },
    id: '0855b320-0dd2-547d-891d-601e9b38647f',
  },
  { kind: 'routes', name: 'my-route', body: { paths: ['/'] }, id: '481a9539-f49c-51b6-b2e2-fe99ee68866c' },
  { kind: 'consumers', name: 'my-user', body: {}, id: '4b1b701d-de2b-5588-9aa2-3b97061d9f52' },
])('the id of $kind $name is $id, as Kong makes it', async ({ kind, name, body, id }) => {
  const key = kind === 'consumers' ? 'username' : 'name';
  const { flat } = await post({ _format_version: '3.0', [kind]: [{ [key]: name, ...body }] });
  expect(Object.keys(flat[kind] ?? {})).toEqual([id]);
});

test('a given id is kept, and what has no key gets one', async () => {
  const { flat } = await post({
    _format_version: '3.0',
    services: [{ id: UUID, host: 'h.test' }, { host: 'other.test' }],
  });
  const ids = Object.keys(flat.services ?? {});
  expect(ids).toContain(UUID);
  expect(ids.every((id) => UUID_PATTERN.test(id))).toBe(true);
});

test('children stand under their parents or at the top, and refer by name, by id and as {id}', async () => {
  const { flat } = await post({
    _format_version: '3.0',
    services: [
      {
        id: UUID,
        name: 's',
        host: 'h.test',
        plugins: [{ name: 'cors' }],
        routes: [{ name: 'r', paths: ['/r'], plugins: [{ name: 'request-termination' }] }],
      },
    ],
    routes: [
      { name: 'by-name', paths: ['/1'], service: 's' },
      { name: 'by-id', paths: ['/2'], service: UUID },
      { name: 'by-object', paths: ['/3'], service: { id: UUID } },
    ],
    consumers: [
      {
        username: 'ann',
        keyauth_credentials: [{ key: 'k' }],
        basicauth_credentials: [{ username: 'ann', password: 'pw' }],
        hmacauth_credentials: [{ username: 'ann', secret: 's' }],
        jwt_secrets: [{ key: 'issuer', secret: 's' }],
        acls: [{ group: 'gold' }],
        oauth2_credentials: [{ name: 'app' }],
        plugins: [{ name: 'rate-limiting', config: { minute: 1 } }],
      },
    ],
    acls: [{ group: 'silver', consumer: 'ann' }],
    upstreams: [{ name: 'pool', targets: [{ target: '10.0.0.1' }] }],
    targets: [{ target: '10.0.0.2:80', upstream: 'pool' }],
    certificates: [
      {
        cert,
        key,
        snis: [{ name: 'a.test' }],
        services: [{ name: 'shown', protocol: 'https', host: 'h.test' }],
        upstreams: [{ name: 'shown.test' }],
      },
    ],
    key_sets: [{ name: 'set', keys: [{ kid: 'k', jwk: '{"kty":"oct","k":"c2VjcmV0","kid":"k"}' }] }],
  });
  const counts = Object.fromEntries(
    Object.entries(flat).map(([kind, all]) => [kind, Object.keys(all).length]),
  );
  expect(counts).toEqual({
    services: 2,
    routes: 4,
    plugins: 3,
    consumers: 1,
    keyauth_credentials: 1,
    basicauth_credentials: 1,
    hmacauth_credentials: 1,
    jwt_secrets: 1,
    acls: 2,
    oauth2_credentials: 1,
    upstreams: 2,
    targets: 2,
    certificates: 1,
    snis: 1,
    key_sets: 1,
    keys: 1,
  });
  const certificate = { id: Object.keys(flat.certificates ?? {})[0] };
  for (const kind of ['services', 'upstreams'])
    expect(Object.values(flat[kind] ?? {}).find(({ name }) => `${name}`.startsWith('shown'))).toMatchObject({
      client_certificate: certificate,
    });
  expect(Object.values(flat.snis ?? {})[0]).toMatchObject({ certificate });
  expect(
    Object.values(flat.routes ?? {}).every(({ service }) => (service as { id: string }).id === UUID),
  ).toBe(true);
  expect(Object.values(flat.targets ?? {}).map(({ target }) => target)).toContain('10.0.0.1:8000');
});

test.each([
  { what: 'a null list', more: { routes: null } },
  {
    what: 'comments',
    more: { _comment: 'c', _ignore: ['x'], services: [{ host: 'h', _comment: 'c', _ignore: [] }] },
  },
  { what: 'decK’s own keys', more: { _info: { select_tags: ['x'] }, _workspace: 'default' } },
  { what: '_transform', more: { _transform: true } },
])('$what may stand in a document', async ({ more }) => {
  expect((await post({ _format_version: '3.0', ...more } as Body)).status).toBe(201);
});

test('_transform false takes passwords as they are stored; true hashes them', async () => {
  const passwordOf = async (_transform: boolean) => {
    const consumers = [{ username: 'ann', basicauth_credentials: [{ username: 'a', password: 'stored' }] }];
    const { flat } = await post({ _format_version: '3.0', _transform, consumers });
    return Object.values(flat.basicauth_credentials ?? {})[0]?.password;
  };
  expect(await passwordOf(false)).toBe('stored');
  expect(await passwordOf(true)).toMatch(/^[0-9a-f]{40}$/);
});

test.each(['1.1', '2.1'])(
  'in format %s a path that is no plain prefix is a regular expression',
  async (version) => {
    const { flat } = await post({
      _format_version: version,
      services: [{ name: 's', host: 'h.test', routes: [{ name: 'r', paths: ['/plain/%41', '/re/\\d+$'] }] }],
    });
    expect(Object.values(flat.routes ?? {})[0]?.paths).toEqual(['/plain/A', '~/re/\\d+$']);
  },
);

test('a vault reference stays one, and nothing else is replaced by the environment', async () => {
  const password = '{vault://env/redis-password}';
  const { flat } = await post({
    _format_version: '3.0',
    services: [{ name: 's', host: 'h.test', path: '/$(HOME)' }],
    plugins: [
      { name: 'rate-limiting', config: { minute: 1, policy: 'redis', redis: { host: 'r', password } } },
    ],
  });
  expect(Object.values(flat.plugins ?? {})[0]?.config).toMatchObject({ redis: { password } });
  expect(Object.values(flat.services ?? {})[0]?.path).toBe('/$(HOME)');
});
