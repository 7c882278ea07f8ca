import { createHash } from 'node:crypto';
import { issueCertificate } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { UUID, useAdmin } from './admin-cases.ts';
import type { Document } from './world.ts';

/* Ids that follow from names (kong-compat 1.3), computed here once more. Kong's own vectors: admin-config.test.ts. */

const { answered } = useAdmin();

/** RFC 9562 section 5.5. */
const uuid5 = (namespace: string, name: string): string => {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
const ROOT = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
const idOf = (kind: string, key: string): string => uuid5(uuid5(ROOT, kind), key);

const { cert, key } = issueCertificate('a.test');
const SERVICE = idOf('services', 's');
const ROUTE = idOf('routes', 'r');
const CONSUMER = idOf('consumers', 'ann');
const UPSTREAM = idOf('upstreams', 'pool');
const host = { name: 's', host: 'h.test' };
const route = { name: 'r', paths: ['/'] };
const cors = { name: 'cors' };
const limit = { name: 'rate-limiting', config: { minute: 1 } };
const of = { consumer: 'ann' };
const consumers = [{ username: 'ann' }];

test.each<[kind: string, key: string, given: string, document: Document]>([
  ['services', 's', 'a name', { services: [host] }],
  ['routes', 'r', 'a name', { routes: [route] }],
  ['consumers', 'ann', 'a username', { consumers }],
  ['upstreams', 'pool', 'a name', { upstreams: [{ name: 'pool' }] }],
  ['snis', 'a.test', 'a name', { certificates: [{ cert, key, snis: [{ name: 'a.test' }] }] }],
  ['vaults', 'vaults:*:mine', 'a prefix', { vaults: [{ prefix: 'mine', name: 'env', config: {} }] }],
  ['plugins', 'plugins:*:cors:::', 'no scope', { plugins: [cors] }],
  [
    'plugins',
    `plugins:*:cors:${ROUTE}::`,
    'a place in its route',
    { routes: [{ ...route, plugins: [cors] }] },
  ],
  [
    'plugins',
    `plugins:*:cors::${SERVICE}:`,
    'a place in its service',
    { services: [{ ...host, plugins: [cors] }] },
  ],
  [
    'plugins',
    `plugins:*:rate-limiting:::${CONSUMER}`,
    'a place in its consumer',
    { consumers: [{ username: 'ann', plugins: [limit] }] },
  ],
  [
    'plugins',
    'plugins:*:rate-limiting:r:s:ann',
    'its scope by names, which stay as they are written',
    {
      services: [host],
      routes: [route],
      consumers,
      plugins: [{ ...limit, route: 'r', service: 's', consumer: 'ann' }],
    },
  ],
  [
    'plugins',
    'plugins:*:cors::',
    'its route as {id}, which is left out',
    { routes: [{ ...route, id: UUID }], plugins: [{ ...cors, route: { id: UUID } }] },
  ],
  [
    'targets',
    `targets:*:${UPSTREAM}:10.0.0.1:80`,
    'a place in its upstream',
    { upstreams: [{ name: 'pool', targets: [{ target: '10.0.0.1:80' }] }] },
  ],
  [
    'targets',
    'targets:*:pool:10.0.0.1:80',
    'its upstream by name',
    { upstreams: [{ name: 'pool' }], targets: [{ upstream: 'pool', target: '10.0.0.1:80' }] },
  ],
  [
    'acls',
    `acls:*:${CONSUMER}:gold`,
    'a place in its consumer',
    { consumers: [{ username: 'ann', acls: [{ group: 'gold' }] }] },
  ],
  ['acls', 'acls:*:ann:gold', 'its consumer by name', { consumers, acls: [{ group: 'gold', ...of }] }],
  [
    'basicauth_credentials',
    'basicauth_credentials:*:b',
    'a username',
    { consumers, basicauth_credentials: [{ username: 'b', password: 'p', ...of }] },
  ],
  [
    'hmacauth_credentials',
    'hmacauth_credentials:*:h',
    'a username',
    { consumers, hmacauth_credentials: [{ username: 'h', secret: 's', ...of }] },
  ],
])('the id of %s is made of "%s", given %s', async (kind, name, _given, document) => {
  const { status, body } = await answered('POST', '/config', { _format_version: '3.0', ...document });
  expect(status, JSON.stringify(body)).toBe(201);
  expect(Object.keys((body as unknown as Record<string, object>)[kind] ?? {})).toEqual([idOf(kind, name)]);
});
