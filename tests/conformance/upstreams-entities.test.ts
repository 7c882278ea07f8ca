import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Document, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
});
afterAll(() => world[Symbol.asyncDispose]());

const tryUpstream = (upstream: Document) =>
  world.post('/config', { _format_version: '3.0', upstreams: [{ name: 'u.test', ...upstream }] });

test('given a name alone, then every field has its default', async () => {
  await world.load({ upstreams: [{ name: 'u.test' }] });
  const {
    id,
    created_at: created,
    updated_at: updated,
    ...rest
  } = (await world.admin('/upstreams/u.test')).json();
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect([Number.isInteger(created), Number.isInteger(updated)]).toEqual([true, true]);
  expect(rest).toEqual({
    name: 'u.test',
    algorithm: 'round-robin',
    hash_on: 'none',
    hash_fallback: 'none',
    hash_on_header: null,
    hash_fallback_header: null,
    hash_on_cookie: null,
    hash_on_cookie_path: '/',
    hash_on_query_arg: null,
    hash_fallback_query_arg: null,
    hash_on_uri_capture: null,
    hash_fallback_uri_capture: null,
    slots: 10_000,
    host_header: null,
    client_certificate: null,
    use_srv_name: false,
    tags: null,
    healthchecks: {
      threshold: 0,
      active: {
        type: 'http',
        timeout: 1,
        concurrency: 10,
        http_path: '/',
        https_sni: null,
        https_verify_certificate: true,
        headers: null,
        healthy: { interval: 0, successes: 0, http_statuses: [200, 302] },
        unhealthy: {
          interval: 0,
          http_failures: 0,
          tcp_failures: 0,
          timeouts: 0,
          http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
        },
      },
      passive: {
        type: 'http',
        healthy: {
          successes: 0,
          http_statuses: [
            200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
          ],
        },
        unhealthy: { http_failures: 0, tcp_failures: 0, timeouts: 0, http_statuses: [429, 500, 503] },
      },
    },
  });
});

test.each([
  { algorithm: 'least-connections', hash_on: 'ip', becomes: ['least-connections', 'none'] },
  { algorithm: 'latency', hash_on: 'ip', becomes: ['latency', 'none'] },
  { algorithm: 'round-robin', hash_on: 'ip', becomes: ['consistent-hashing', 'ip'] },
  { algorithm: undefined, hash_on: 'path', becomes: ['consistent-hashing', 'path'] },
  { algorithm: 'consistent-hashing', hash_on: 'none', becomes: ['round-robin', 'none'] },
  { algorithm: 'consistent-hashing', hash_on: undefined, becomes: ['consistent-hashing', 'none'] },
])('given algorithm $algorithm and hash_on $hash_on, then they become $becomes', async (row) => {
  await world.load({ upstreams: [{ name: 'u.test', algorithm: row.algorithm, hash_on: row.hash_on }] });
  const { algorithm, hash_on: hashOn } = (await world.admin('/upstreams/u.test')).json();
  expect([algorithm, hashOn]).toEqual(row.becomes);
});

const REQUIRED = 'required field missing';
const conditional = (field: string) => [`failed conditional validation given value of field '${field}'`];

test.each<{ upstream: Document; fields: unknown }>([
  { upstream: { name: '10.0.0.1' }, fields: { name: "Invalid name ('10.0.0.1'); no ip addresses allowed" } },
  { upstream: { name: '[::1]' }, fields: { name: "Invalid name ('[::1]'); no ip addresses allowed" } },
  { upstream: { name: 'u.test:80' }, fields: { name: "Invalid name ('u.test:80'); no port allowed" } },
  { upstream: { name: null }, fields: { name: REQUIRED } },
  {
    upstream: { algorithm: 'random' },
    fields: { algorithm: 'expected one of: consistent-hashing, least-connections, round-robin, latency' },
  },
  { upstream: { slots: 9 }, fields: { slots: 'value should be between 10 and 65536' } },
  { upstream: { slots: 65_537 }, fields: { slots: 'value should be between 10 and 65536' } },
  {
    upstream: { hash_on: 'header' },
    fields: { '@entity': conditional('hash_on'), hash_on_header: REQUIRED },
  },
  {
    upstream: { hash_on: 'cookie' },
    fields: { '@entity': conditional('hash_on'), hash_on_cookie: REQUIRED },
  },
  {
    upstream: { hash_on: 'query_arg' },
    fields: { '@entity': conditional('hash_on'), hash_on_query_arg: REQUIRED },
  },
  {
    upstream: { hash_on: 'uri_capture' },
    fields: { '@entity': conditional('hash_on'), hash_on_uri_capture: REQUIRED },
  },
  {
    upstream: { hash_on: 'ip', hash_fallback: 'header' },
    fields: { '@entity': conditional('hash_fallback'), hash_fallback_header: REQUIRED },
  },
  {
    upstream: { hash_on: 'none', hash_fallback: 'ip' },
    fields: { '@entity': conditional('hash_on'), hash_fallback: 'expected one of: none' },
  },
  {
    upstream: { hash_on: 'cookie', hash_on_cookie: 'c', hash_fallback: 'ip' },
    fields: { '@entity': conditional('hash_on'), hash_fallback: 'expected one of: none' },
  },
  {
    upstream: { hash_on: 'ip', hash_fallback: 'ip' },
    fields: {
      '@entity': conditional('hash_on'),
      hash_fallback: 'expected one of: none, consumer, header, cookie, path, query_arg, uri_capture',
    },
  },
  {
    upstream: { healthchecks: { active: { healthy: { successes: 256 } } } },
    fields: { healthchecks: { active: { healthy: { successes: 'value should be between 0 and 255' } } } },
  },
  {
    upstream: { healthchecks: { active: { concurrency: 0 } } },
    fields: { healthchecks: { active: { concurrency: 'value should be between 1 and 2147483648' } } },
  },
  {
    upstream: { healthchecks: { active: { http_path: 'x' } } },
    fields: { healthchecks: { active: { http_path: 'should start with: /' } } },
  },
  {
    upstream: { healthchecks: { active: { type: 'icmp' } } },
    fields: { healthchecks: { active: { type: 'expected one of: tcp, http, https, grpc, grpcs' } } },
  },
  {
    upstream: { healthchecks: { passive: { unhealthy: { http_statuses: [99] } } } },
    fields: {
      healthchecks: { passive: { unhealthy: { http_statuses: ['value should be between 100 and 999'] } } },
    },
  },
  {
    upstream: { healthchecks: { threshold: 101 } },
    fields: { healthchecks: { threshold: 'value should be between 0 and 100' } },
  },
  {
    upstream: { targets: [{ target: '127.0.0.1:1', weight: 65_536 }] },
    fields: { targets: [{ weight: 'value should be between 0 and 65535' }] },
  },
  { upstream: { targets: [{ weight: 1 }] }, fields: { targets: [{ target: REQUIRED }] } },
  {
    upstream: { targets: [{ target: 'a b' }] },
    fields: { targets: [{ target: "Invalid target ('a b'); not a valid hostname or ip address" }] },
  },
  { upstream: { unknown: 1 }, fields: { unknown: 'unknown field' } },
])('given $upstream, then 400 with $fields', async ({ upstream, fields }) => {
  const answer = await tryUpstream(upstream);
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ code: 14, name: 'invalid declarative configuration' });
  expect(answer.json<{ fields: { upstreams: unknown[] } }>().fields.upstreams).toEqual([fields]);
});

test.each([
  { target: 'konghq.test', becomes: 'konghq.test:8000' },
  { target: 'konghq.test:80', becomes: 'konghq.test:80' },
  { target: '192.0.2.1', becomes: '192.0.2.1:8000' },
  { target: '[::1]:80', becomes: /^\[.*1\]:80$/ },
])('given target $target, then it is $becomes with weight 100', async ({ target, becomes }) => {
  await world.load({ upstreams: [{ name: 'u.test', targets: [{ target }] }] });
  const { data } = (await world.admin('/upstreams/u.test/targets')).json<{ data: Document[] }>();
  expect(data).toHaveLength(1);
  expect(data[0]?.weight).toBe(100);
  expect(data[0]?.target).toEqual(typeof becomes === 'string' ? becomes : expect.stringMatching(becomes));
});

test('given the same target twice, then it is refused by the Admin API and by a document', async () => {
  await world.load({ upstreams: [{ name: 'u.test', targets: [{ target: '192.0.2.1:80' }] }] });
  const again = await world.post('/upstreams/u.test/targets', { target: '192.0.2.1:80' });
  expect(again.status).toBe(409);
  const targets = [{ target: '192.0.2.1:8000' }, { target: '192.0.2.1:8000' }];
  expect((await tryUpstream({ targets })).status).toBe(400);
});
