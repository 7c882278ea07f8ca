import { X509Certificate } from 'node:crypto';
import { issueCertificate } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { UUID_PATTERN, useAdmin } from './admin-cases.ts';
import type { Document } from './world.ts';

/*
 * What is stored of the least that may be said: every field of every entity, unset ones as null (kong-compat 1.2, 2).
 * Services and routes are in admin-entities.test.ts, upstreams in upstreams-entities.test.ts.
 */

const { answered, load, made } = useAdmin();
const { cert, key } = issueCertificate('orders.test');
const root = issueCertificate('root', { isAuthority: true });
const { cert: authority } = root;
const CERTIFICATE = '5d1c1b9e-7a0e-4a63-9b7e-6a3f0c1d2e3f';
const jwk = JSON.stringify({ kty: 'oct', k: 'c2VjcmV0', kid: 'k1' });
/** What Kong draws where a credential says no key or secret. */
const RANDOM = expect.stringMatching(/^[0-9A-Za-z]{32}$/);
const REFERENCE = { id: expect.stringMatching(UUID_PATTERN) };
const NO_TAGS = { tags: null };
const of = { consumer: { username: 'ann' } };
const OF = { consumer: REFERENCE };

/** Ours, beside Kong's: null where nobody uses them. */
const OURS: Readonly<Record<string, Document>> = { jwts: { jwks_uri: null } };
const HAS_NO_UPDATED_AT = new Set(['key-auths', 'basic-auths', 'hmac-auths', 'jwts', 'acls', 'oauth2']);

test.each<[path: string, least: Document, stored: Document]>([
  ['consumers', { username: 'x' }, { username: 'x', custom_id: null }],
  ['consumers', { custom_id: 'c' }, { username: null, custom_id: 'c' }],
  [
    'plugins',
    { name: 'correlation-id' },
    {
      name: 'correlation-id',
      instance_name: null,
      config: { header_name: 'Kong-Request-ID', generator: 'uuid#counter', echo_downstream: false },
      route: null,
      service: null,
      consumer: null,
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      enabled: true,
    },
  ],
  [
    'upstreams/pool/targets',
    { target: 'a.test' },
    { target: 'a.test:8000', weight: 100, upstream: REFERENCE },
  ],
  ['certificates', { cert, key }, { cert, key, cert_alt: null, key_alt: null, snis: [] }],
  [
    'ca_certificates',
    { cert: authority },
    {
      cert: authority,
      cert_digest: new X509Certificate(authority).fingerprint256.replaceAll(':', '').toLowerCase(),
    },
  ],
  [
    'snis',
    { name: 'a.test', certificate: { id: CERTIFICATE } },
    { name: 'a.test', certificate: { id: CERTIFICATE } },
  ],
  [
    'vaults',
    { prefix: 'mine', name: 'env' },
    { prefix: 'mine', name: 'env', description: null, config: expect.objectContaining({ prefix: null }) },
  ],
  ['key-sets', { name: 'k' }, { name: 'k' }],
  ['keys', { kid: 'k1', jwk }, { kid: 'k1', jwk, name: null, set: null, pem: null }],
  ['key-auths', of, { ...OF, key: RANDOM, ttl: null }],
  [
    'basic-auths',
    { ...of, username: 'b', password: 'p' },
    { ...OF, username: 'b', password: expect.stringMatching(/^[0-9a-f]{40}$/) },
  ],
  ['hmac-auths', { ...of, username: 'h' }, { ...OF, username: 'h', secret: RANDOM }],
  ['jwts', of, { ...OF, key: RANDOM, secret: RANDOM, algorithm: 'HS256', rsa_public_key: null }],
  ['acls', { ...of, group: 'g' }, { ...OF, group: 'g' }],
  [
    'oauth2',
    { ...of, name: 'app' },
    {
      ...OF,
      name: 'app',
      client_id: RANDOM,
      client_secret: RANDOM,
      client_type: 'confidential',
      hash_secret: false,
      redirect_uris: null,
    },
  ],
])('/%s: given %o, then every other field has its default', async (path, least, stored) => {
  await load({
    consumers: [{ username: 'ann' }],
    upstreams: [{ name: 'pool' }],
    certificates: [{ id: CERTIFICATE, cert: root.cert, key: root.key }],
  });
  const times = HAS_NO_UPDATED_AT.has(path)
    ? { created_at: expect.any(Number) }
    : { created_at: expect.any(Number), updated_at: expect.any(Number) };
  expect(await made(`/${path}`, least)).toEqual({
    id: expect.stringMatching(UUID_PATTERN),
    ...NO_TAGS,
    ...times,
    ...stored,
    ...OURS[path],
  });
});

test.each([
  ['key-auths', 'key'],
  ['jwts', 'key'],
  ['jwts', 'secret'],
  ['hmac-auths', 'secret'],
])('/%s: given no %s twice, then both are drawn, and differ', async (path, field) => {
  await load({ consumers: [{ username: 'ann' }] });
  const least = (username: string) => ({ ...of, ...(path === 'hmac-auths' ? { username } : {}) });
  const [one, other] = [await made(`/${path}`, least('a')), await made(`/${path}`, least('b'))];
  expect(one[field]).not.toBe(other[field]);
});

const whole = { host: null, protocol: null, port: null, path: null };
test.each<[url: string, parts: Document]>([
  ['http://a.test', { protocol: 'http', host: 'a.test', port: 80, path: null }],
  ['https://a.test', { protocol: 'https', host: 'a.test', port: 443, path: null }],
  ['http://a.test:8080/v1', { protocol: 'http', host: 'a.test', port: 8080, path: '/v1' }],
  ['https://a.test:8443/', { protocol: 'https', host: 'a.test', port: 8443, path: '/' }],
  ['http://a.test:443', { protocol: 'http', host: 'a.test', port: 443, path: null }],
  ['grpcs://a.test', { protocol: 'grpcs', host: 'a.test', port: 80, path: null }],
  ['//a.test:443/x', { protocol: 'https', host: 'a.test', port: 443, path: '/x' }],
  ['//a.test:80', { protocol: 'http', host: 'a.test', port: 80, path: null }],
  ['//a.test', { protocol: 'http', host: 'a.test', port: 80, path: null }],
])('a service’s url %s stands for its parts, and is not shown', async (url, parts) => {
  await load({});
  const service = await made('/services', { url });
  expect(service).toMatchObject(parts);
  expect(service).not.toHaveProperty('url');
  const over = { url, host: 'other.test', protocol: 'http', port: 1, path: '/other' };
  expect(await made('/services', over)).toMatchObject({ ...whole, ...parts });
});

test('a service without url has port 80, of https too', async () => {
  await load({});
  expect(await made('/services', { protocol: 'https', host: 'a.test' })).toMatchObject({ port: 80 });
});

test('a grpc route strips no path unless it is asked to, and may not be', async () => {
  await load({});
  const grpc = { protocols: ['grpc'], paths: ['/p.S'] };
  expect(await made('/routes', grpc)).toMatchObject({ strip_path: false });
  expect(await answered('POST', '/routes', { ...grpc, strip_path: true })).toMatchObject({
    status: 400,
    body: { fields: { strip_path: "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'" } },
  });
});
