import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificate } from '@sluice/service-kit';
import { type DeckFile, diffAsDeck, dumpAsDeck, type SendAsDeck, syncAsDeck } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { useAdmin } from './admin-cases.ts';

/* decK keeps the configuration (kong-compat 5.5): it sees no drift but what somebody changed. */

const { answered, load, world } = useAdmin();
const send: SendAsDeck = (method, path, body) => answered(method, path, body);
const platform = parse(readFileSync(join(import.meta.dirname, '../../config/kong.yml'), 'utf8')) as DeckFile;
const { cert, key } = issueCertificate('api.test');

/** One of everything that decK keeps. */
const everything: DeckFile = {
  _format_version: '3.0',
  certificates: [{ cert, key, tags: ['tls'] }],
  vaults: [{ prefix: 'mine', name: 'env', config: { prefix: 'A_' } }],
  services: [{ name: 'orders', url: 'http://orders.test:8080/v1', retries: 2, tags: ['a', 'b'] }],
  routes: [
    {
      name: 'list',
      service: 'orders',
      paths: ['/list', '~/l/\\d+$'],
      methods: ['GET', 'HEAD'],
      strip_path: false,
    },
    { name: 'plain', hosts: ['*.test'], headers: { 'x-v': ['1', '2'] }, protocols: ['https'] },
  ],
  consumers: [{ username: 'ann', custom_id: 'c-1' }, { username: 'bob' }],
  upstreams: [
    {
      name: 'pool',
      algorithm: 'consistent-hashing',
      hash_on: 'header',
      hash_on_header: 'x-user',
      healthchecks: { active: { healthy: { interval: 5, successes: 1 } }, threshold: 20 },
    },
  ],
  targets: [
    { upstream: 'pool', target: '10.0.0.1:80', weight: 10 },
    { upstream: 'pool', target: '10.0.0.2:80' },
  ],
  keyauth_credentials: [{ consumer: 'ann', key: 'a-key' }],
  basicauth_credentials: [{ consumer: 'ann', username: 'ann', password: 'pw' }],
  hmacauth_credentials: [{ consumer: 'ann', username: 'ann', secret: 's' }],
  jwt_secrets: [{ consumer: 'ann', key: 'issuer', secret: 's', algorithm: 'HS512' }],
  acls: [{ consumer: 'ann', group: 'gold' }],
  oauth2_credentials: [{ consumer: 'bob', name: 'app', client_id: 'id', client_secret: 'secret' }],
  plugins: [
    { name: 'cors', config: { origins: ['https://a.test'] } },
    {
      name: 'rate-limiting',
      service: 'orders',
      config: { minute: 5, policy: 'redis', redis: { host: 'r.test' } },
    },
    { name: 'key-auth', route: 'list' },
    { name: 'request-transformer', consumer: 'ann', config: { add: { headers: ['x-a:1'] } } },
  ],
};
const entitiesOf = (file: DeckFile): number =>
  Object.values(file).reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0);

test('43: the platform’s file is synced, and the diff after it is empty', async () => {
  await load({});
  const { issuers: _ours, ...file } = platform;

  const made = await syncAsDeck(send, file);

  expect(made).toHaveLength(entitiesOf(file));
  expect(made.every((change) => change.startsWith('create '))).toBe(true);
  expect(await diffAsDeck(send, file)).toEqual([]);
});

test('43: the platform’s file posted as a whole is no drift either', async () => {
  await load(platform);
  const { issuers: _ours, ...file } = platform;
  expect(await diffAsDeck(send, file)).toEqual([]);
});

test('one of everything: sync, no drift, dump, no drift, an edit, no drift', async () => {
  await load({});
  expect(await syncAsDeck(send, everything)).toHaveLength(entitiesOf(everything));
  expect(await diffAsDeck(send, everything)).toEqual([]);

  const dump = await dumpAsDeck(send);
  expect(entitiesOf(dump)).toBe(entitiesOf(everything));
  expect(await diffAsDeck(send, dump)).toEqual([]);

  const edited: DeckFile = {
    ...everything,
    services: [{ ...(everything.services as object[])[0], retries: 3 }],
    targets: [{ upstream: 'pool', target: '10.0.0.3:80' }, ...(everything.targets as object[]).slice(1)],
    plugins: (everything.plugins as object[]).slice(1),
  };
  expect((await syncAsDeck(send, edited)).sort()).toEqual([
    'create targets 10.0.0.3:80',
    'delete plugins cors',
    'delete targets 10.0.0.1:80',
    'update services orders',
  ]);
  expect(await diffAsDeck(send, edited)).toEqual([]);
});

test('given somebody changed an entity, then the diff names it, and a sync puts it back', async () => {
  await load({});
  await syncAsDeck(send, everything);
  await answered('PATCH', '/routes/list', { strip_path: true });
  await answered('POST', '/consumers', { username: 'eve' });

  const drift = await diffAsDeck(send, everything);

  expect(drift.map(({ action, entity }) => `${action} ${entity}`)).toEqual([
    'delete consumers eve',
    'update routes list',
  ]);
  await syncAsDeck(send, everything);
  expect((await answered('GET', '/routes/list')).body).toMatchObject({ strip_path: false });
  expect(await diffAsDeck(send, everything)).toEqual([]);
});

test('a dump taken after POST /config, synced into an empty gateway, is the same configuration', async () => {
  await load({
    services: [world().service('up', [{ name: 'r', paths: ['/r'] }])],
    consumers: [{ username: 'ann' }],
  });
  const hash = async () => (await answered('GET', '/config')).body;
  const dump = await dumpAsDeck(send);
  const before = JSON.stringify(await hash()).replaceAll(/ated_at: \d+/g, '');
  await load({});

  await syncAsDeck(send, dump);

  expect(JSON.stringify(await hash()).replaceAll(/ated_at: \d+/g, '')).toBe(before);
  expect((await world().ask('/r')).status).toBe(200);
});
