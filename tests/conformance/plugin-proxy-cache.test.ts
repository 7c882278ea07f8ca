import { createHash } from 'node:crypto';
import { type Answer, type CallOptions, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header, routeWith, sent } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const CONFIGS: Record<string, Document> = {
  plain: {},
  codes: { response_code: [418] },
  methods: { request_method: ['POST', 'PUT', 'PATCH'] },
  types: { content_type: ['text/*', 'application/json; charset=utf-8'] },
  short: { cache_ttl: 1 },
  kept: { cache_ttl: 1, storage_ttl: 600 },
  control: { cache_control: true },
  'any-case': { ignore_uri_case: true },
  'vary-query': { vary_query_params: ['a'] },
  'vary-headers': { vary_headers: ['X-Lang'] },
  quiet: { response_headers: { age: false, 'X-Cache-Status': false, 'X-Cache-Key': false } },
  dictionary: { memory: { dictionary_name: 'kong_db_cache' } },
};

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const cache = (config: Document) => ({ name: 'proxy-cache', config: { strategy: 'memory', ...config } });
  const routes = [
    ...Object.entries(CONFIGS).map(([name, config]) =>
      routeWith(name, [cache(config)], name === 'any-case' ? { paths: ['/any-case', '/ANY-CASE'] } : {}),
    ),
    routeWith('keyed', [{ name: 'key-auth' }, cache({})]),
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      { username: 'alice', keyauth_credentials: [{ key: 'a' }] },
      { username: 'bob', keyauth_credentials: [{ key: 'b' }] },
    ],
  });
  const cacheControl = (value: string) => ({ headers: { 'Cache-Control': value } });
  for (const [key, scripted] of Object.entries({
    404: { status: 404 },
    418: { status: 418 },
    500: { status: 500 },
    html: { headers: { 'Content-Type': 'text/html' } },
    charset: { headers: { 'Content-Type': 'application/json; charset=utf-8' } },
    headers: { headers: { 'X-A': '1', 'X-RateLimit-Remaining-Hour': '1', 'Set-Once': 'x' } },
    fresh: cacheControl('max-age=60'),
    shared: cacheControl('max-age=0, s-maxage=60'),
    private: cacheControl('private, max-age=60'),
    'no-store': cacheControl('no-store'),
    'no-cache': cacheControl('no-cache'),
  }))
    world.upstream.answerWith(key, scripted);
});
afterAll(() => world[Symbol.asyncDispose]());

const statusOf = ({ headers }: Answer): unknown => headers['x-cache-status'];
const idOf = async (path: string): Promise<string> => (await world.admin(path)).json<{ id: string }>().id;
const keyOf = async (
  route: string,
  method: string,
  line: string,
  query: string,
  vary = '',
): Promise<string> =>
  createHash('sha256')
    .update([await idOf(`/routes/${route}`), method, line, query, vary].join('|'))
    .digest('hex');

type Row = [
  field: string,
  given: string,
  first: [string, CallOptions],
  next: [string, CallOptions],
  second: string,
];
const same = (path: string, ask: CallOptions = {}): [[string, CallOptions], [string, CallOptions]] => [
  [path, ask],
  [path, ask],
];
const lang = (value: string) => header('x-lang', value);
const asked = (value: string) => header('cache-control', value);
const POST = sent({ prompt: 'a' });

test.each<Row>([
  ['strategy', 'the same request', ...same('/plain/1'), 'Hit'],
  ['(key)', 'another path', ['/plain/2', {}], ['/plain/3', {}], 'Miss'],
  ['(key)', 'the same arguments in another order', ['/plain/4?a=1&b=2', {}], ['/plain/4?b=2&a=1', {}], 'Hit'],
  ['(key)', 'another argument', ['/plain/5?a=1', {}], ['/plain/5?a=2', {}], 'Miss'],
  ['(key)', 'another method', ['/plain/6', {}], ['/plain/6', { method: 'HEAD' }], 'Miss'],
  [
    '(key)',
    'another consumer',
    ['/keyed/1', header('apikey', 'a')],
    ['/keyed/1', header('apikey', 'b')],
    'Miss',
  ],
  ['(key)', 'the same consumer', ...same('/keyed/2', header('apikey', 'a')), 'Hit'],
  ['memory', 'a name of a dictionary', ...same('/dictionary'), 'Hit'],
  ['response_code', '404, as by default', ...same('/plain?script=404'), 'Hit'],
  ['response_code', '500', ...same('/plain?script=500'), 'Bypass'],
  ['response_code', '418 where it is listed', ...same('/codes?script=418'), 'Hit'],
  ['response_code', '200 where it is not listed', ...same('/codes'), 'Bypass'],
  ['request_method', 'POST', ...same('/plain', POST), 'Bypass'],
  ['request_method', 'POST where it is listed', ...same('/methods', POST), 'Hit'],
  ['request_method', 'another body, unlike in Kong', ['/methods/1', POST], ['/methods/1', sent({})], 'Miss'],
  ['request_method', 'GET where it is not listed', ...same('/methods'), 'Bypass'],
  ['content_type', 'text/html', ...same('/plain?script=html'), 'Bypass'],
  ['content_type', 'parameters that are not listed', ...same('/plain?script=charset'), 'Bypass'],
  ['content_type', 'text/*', ...same('/types?script=html'), 'Hit'],
  ['content_type', 'parameters that are listed', ...same('/types?script=charset'), 'Hit'],
  ['ignore_uri_case', 'true', ['/any-case/A', {}], ['/ANY-CASE/a', {}], 'Hit'],
  ['ignore_uri_case', 'false', ['/plain/A', {}], ['/plain/a', {}], 'Miss'],
  [
    'vary_query_params',
    'one that is not listed differs',
    ['/vary-query?a=1&b=1', {}],
    ['/vary-query?a=1&b=2', {}],
    'Hit',
  ],
  ['vary_query_params', 'a listed one differs', ['/vary-query?a=2', {}], ['/vary-query?a=3', {}], 'Miss'],
  [
    'vary_headers',
    'a listed one differs',
    ['/vary-headers', lang('de')],
    ['/vary-headers', lang('en')],
    'Miss',
  ],
  ['vary_headers', 'it is the same', ...same('/vary-headers/1', lang('de')), 'Hit'],
  ['vary_headers', 'none listed', ['/plain/7', lang('de')], ['/plain/7', lang('en')], 'Hit'],
  ['cache_control', 'max-age of the answer', ...same('/control?script=fresh'), 'Hit'],
  ['cache_control', 's-maxage over max-age', ...same('/control?script=shared'), 'Hit'],
  ['cache_control', 'nothing said', ...same('/control'), 'Bypass'],
  ['cache_control', 'private', ...same('/control?script=private'), 'Bypass'],
  ['cache_control', 'no-store', ...same('/control?script=no-store'), 'Bypass'],
  ['cache_control', 'no-cache', ...same('/control?script=no-cache'), 'Bypass'],
  ['cache_control', 'false and private', ...same('/plain?script=private'), 'Hit'],
  [
    'cache_control',
    'request no-store',
    ['/control/1?script=fresh', {}],
    ['/control/1?script=fresh', asked('no-store')],
    'Bypass',
  ],
  [
    'cache_control',
    'request no-cache',
    ['/control/2?script=fresh', {}],
    ['/control/2?script=fresh', asked('no-cache')],
    'Bypass',
  ],
  [
    'cache_control',
    'request min-fresh',
    ['/control/4?script=fresh', {}],
    ['/control/4?script=fresh', asked('min-fresh=90')],
    'Refresh',
  ],
  [
    'cache_control',
    'Authorization',
    ...same('/control/5?script=fresh', header('authorization', 'x')),
    'Bypass',
  ],
  ['cache_control', 'false and request no-store', ['/plain/8', {}], ['/plain/8', asked('no-store')], 'Hit'],
])(
  'proxy-cache %s: given %s, when asked again, then the second says $4',
  async (_field, _given, first, next, status) => {
    const before = await world.ask(...first);
    expect(statusOf(before)).toBe(status === 'Bypass' && statusOf(before) === 'Bypass' ? 'Bypass' : 'Miss');
    expect(statusOf(await world.ask(...next))).toBe(status);
  },
);

test('proxy-cache: given a hit, then it is the first answer, with its age and without the limits of another', async () => {
  const first = await world.ask('/plain/9?script=headers');
  const seen = world.upstream.seen.length;
  const second = await world.ask('/plain/9?script=headers');
  expect(world.upstream.seen).toHaveLength(seen);
  expect(second.text).toBe(first.text);
  expect(second.headers).toMatchObject({ 'x-a': '1', age: expect.stringMatching(/^\d+$/) });
  expect(first.headers.age).toBeUndefined();
  expect(first.headers['x-ratelimit-remaining-hour']).toBe('1');
  expect(second.headers['x-ratelimit-remaining-hour']).toBeUndefined();
});

test.each([
  { given: 'arguments', path: '/plain/k?b=2&a=1', line: 'GET /plain/k', query: 'a=1:b=2' },
  { given: 'none', path: '/plain/k', line: 'GET /plain/k HTTP/1.1', query: '' },
])(
  'proxy-cache X-Cache-Key: given $given, then it is the digest that Kong makes',
  async ({ path, line, query }) => {
    const key = await keyOf('plain', 'GET', line, query);
    for (let i = 0; i < 2; i++) expect((await world.ask(path)).headers['x-cache-key']).toBe(key);
  },
);

test('proxy-cache cache_ttl: given one second, then the answer is forgotten', async () => {
  await world.ask('/short');
  expect(statusOf(await world.ask('/short'))).toBe('Hit');
  await eventually(async () => expect(statusOf(await world.ask('/short'))).toBe('Miss'));
});

test('proxy-cache storage_ttl: given a longer one, then a stale answer is refreshed', async () => {
  await world.ask('/kept');
  expect(statusOf(await world.ask('/kept'))).toBe('Hit');
  await eventually(async () => expect(statusOf(await world.ask('/kept'))).toBe('Refresh'));
});

test('proxy-cache cache_control: given only-if-cached and nothing cached, then 504', async () => {
  const answer = await world.ask('/control/none', asked('only-if-cached'));
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 504, text: '' });
});

test('proxy-cache response_headers: given all off, then a hit looks like any answer', async () => {
  await world.ask('/quiet');
  const seen = world.upstream.seen.length;
  const { headers } = await world.ask('/quiet');
  expect(world.upstream.seen).toHaveLength(seen);
  expect(Object.keys(headers).filter((name) => /^(age|x-cache-.*)$/.test(name))).toEqual([]);
});
