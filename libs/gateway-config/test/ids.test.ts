import { expect, test } from 'vitest';
import { deterministicId } from '../src/index.ts';
import { accepted, only } from './load.ts';

test.each([
  ['services', 'my-service', '0855b320-0dd2-547d-891d-601e9b38647f'],
  ['routes', 'my-route', '481a9539-f49c-51b6-b2e2-fe99ee68866c'],
  ['consumers', 'my-user', '4b1b701d-de2b-5588-9aa2-3b97061d9f52'],
  ['services', 'agent-orchestrator', 'b3e43a63-98fb-550e-843a-6088b2e0e543'],
  ['routes', 'agent-workflows', '3747d795-d802-569b-9ec3-e6a50a106a9d'],
  ['plugins', 'plugins:*:prometheus:::', '18f2f6e2-5e0a-5bfa-93be-849850c0c527'],
])('the id of %s %s is %s', (kind, key, id) => {
  expect(deterministicId(kind, key)).toBe(id);
});

const service = { name: 'my-service', host: 'a.test' };
const plugin = (parts: string) => deterministicId('plugins', `plugins:*:${parts}`);
const serviceId = deterministicId('services', 'my-service');

test.each([
  ['global', { plugins: [{ name: 'cors' }] }, 'cors:::'],
  [
    'by name, as written',
    { services: [service], plugins: [{ name: 'cors', service: 'my-service' }] },
    'cors::my-service:',
  ],
  [
    'by {id}, which leaves no part',
    { services: [service], plugins: [{ name: 'cors', service: { id: serviceId } }] },
    'cors::',
  ],
  ['with null, which leaves no part', { plugins: [{ name: 'cors', service: null }] }, 'cors::'],
  [
    'nested, by the id of the parent',
    { services: [{ ...service, plugins: [{ name: 'cors' }] }] },
    `cors::${serviceId}:`,
  ],
])('a plugin referring %s has the id Kong gives it', (_, document, parts) => {
  expect(only(accepted(document), 'plugins').id).toBe(plugin(parts));
});

test('targets, acls, basic-auth credentials and vaults take their ids from their keys', () => {
  const state = accepted({
    upstreams: [{ name: 'u', targets: [{ target: 'a.test:80' }] }],
    consumers: [{ username: 'my-user', acls: [{ group: 'gold' }] }],
    basicauth_credentials: [{ consumer: 'my-user', username: 'me', password: 'pw' }],
    vaults: [{ prefix: 'my-env', name: 'env' }],
  });
  const upstream = deterministicId('upstreams', 'u');
  const user = deterministicId('consumers', 'my-user');
  expect(only(state, 'targets').id).toBe(deterministicId('targets', `targets:*:${upstream}:a.test:80`));
  expect(only(state, 'acls').id).toBe(deterministicId('acls', `acls:*:${user}:gold`));
  expect(only(state, 'basicauth_credentials').id).toBe(
    deterministicId('basicauth_credentials', 'basicauth_credentials:*:me'),
  );
  expect(only(state, 'vaults').id).toBe(deterministicId('vaults', 'vaults:*:my-env'));
});

test('given entities for which Kong draws random ids, when loaded twice, then nothing changed', () => {
  const document = {
    services: [{ host: 'a.test' }, { host: 'a.test' }],
    routes: [{ paths: ['/a'] }, { paths: ['/b'] }],
    consumers: [
      { custom_id: 'c' },
      { username: 'u', keyauth_credentials: [{ key: 'k' }, {}, {}], jwt_secrets: [{}] },
    ],
  };
  const first = accepted(document);
  const second = accepted(document, { previous: first, now: 1_800_000_000 });
  expect(second.digest).toBe(first.digest);
  expect(first.count('services')).toBe(2);
  expect(first.count('keyauth_credentials')).toBe(3);
});

test('a given id is kept', () => {
  const id = '11111111-2222-4333-8444-555555555555';
  expect(only(accepted({ services: [{ id, name: 'a', host: 'a.test' }] }), 'services').id).toBe(id);
});
