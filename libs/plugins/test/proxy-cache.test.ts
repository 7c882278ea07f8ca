import { createHash } from 'node:crypto';
import type { Route } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { proxyCache } from '../src/proxy-cache.ts';
import { type Given, seen, type TestPorts, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const ROUTE = { id: 'route-1' } as Route;
const MEMORY = { strategy: 'memory' };

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request through the plugin; without a stored answer the upstream answers. */
const ask = async (ports: TestPorts, config: object, given: Given = {}, answer: Answer = {}) => {
  const exchange = Object.assign(testExchange(given), { route: ROUTE });
  const plugin = instance(proxyCache, { ...MEMORY, ...config });
  const step = await plugin.access(exchange, ports);
  if (step === undefined) {
    const rawHeaders = Object.entries({ 'Content-Type': 'text/plain', ...answer.headers }).flat();
    const body = Buffer.from(answer.body ?? 'fresh');
    exchange.upstream = { status: answer.status ?? 200, rawHeaders, body };
    plugin.response(exchange, ports);
    plugin.body(exchange, body, ports);
  }
  const refusal = refusalOf(step) as { status: number; body: Buffer } | undefined;
  const headers = seen(exchange.toClient);
  return { status: headers['x-cache-status'], key: headers['x-cache-key'], headers, refusal };
};
const statuses = async (config: object, ...requests: [Given?, Answer?][]) => {
  const ports = testPorts();
  const all: (string | undefined)[] = [];
  for (const [given, answer] of requests) all.push((await ask(ports, config, given, answer)).status);
  return all;
};

test('given an answer, when the same is asked again, then it is given from memory with its age', async () => {
  const ports = testPorts();
  const now = Date.now();
  const headers = { 'X-Up': '1', Connection: 'X-Hop', 'X-Hop': '1', 'X-RateLimit-Remaining-Minute': '4' };
  const first = await ask(ports, {}, { target: '/a?x=1' }, { headers });
  const again = await ask(ports, {}, { target: '/a?x=1', startedAt: now + 2500 });
  expect(first).toMatchObject({ status: 'Miss', refusal: undefined });
  expect(again).toMatchObject({
    status: 'Hit',
    key: first.key,
    refusal: { status: 200, body: Buffer.from('fresh') },
    headers: { age: expect.stringMatching(/^[12]$/), 'x-up': '1', 'content-type': 'text/plain' },
  });
  expect(Object.keys(again.headers)).not.toContain('x-hop');
  expect(Object.keys(again.headers)).not.toContain('x-ratelimit-remaining-minute');
});

test('the key is Kong’s: owner, method, request line, sorted query, varying headers', async () => {
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const keyOf = async (config: object, given: Given) => (await ask(testPorts(), config, given)).key;
  expect(await keyOf({}, { target: '/A' })).toBe(sha('route-1|GET|GET /A HTTP/1.1||'));
  expect(await keyOf({}, { target: '/A?b=2&a=1&b=1&c' })).toBe(sha('route-1|GET|GET /A|a=1:b=1,2:c|'));
  expect(await keyOf({ ignore_uri_case: true }, { target: '/A' })).toBe(sha('route-1|GET|get /a http/1.1||'));
  const varied = { vary_query_params: ['a'], vary_headers: ['X-Team', 'X-None'] };
  expect(await keyOf(varied, { target: '/A?b=2&a=1', headers: { 'x-team': 'red' } })).toBe(
    sha('route-1|GET|GET /A|a=1|X-Team=red'),
  );
  expect(await keyOf({}, { target: '/A', identity: { consumer: { id: 'c1' } } })).toBe(
    sha('c1:route-1|GET|GET /A HTTP/1.1||'),
  );
});

test('another caller, another prompt and another tenant never get each other’s answers', async () => {
  const post = (body: string): Given => ({
    method: 'POST',
    body,
    headers: { 'Content-Length': `${body.length}`, 'X-Tenant-Id': 'claimed' },
  });
  const config = { request_method: ['GET', 'POST'], vary_headers: ['X-Tenant-Id'] };
  expect(await statuses(config, [post('one')], [post('two')], [post('one')])).toEqual([
    'Miss',
    'Miss',
    'Hit',
  ]);
  const as = (tenantId: string, userId: string): [Given] => [
    { ...post('one'), identity: { tenantId, userId } },
  ];
  expect(await statuses(config, as('t1', 'u'), as('t2', 'u'), as('t1', 'v'), as('t1', 'u'))).toEqual([
    'Miss',
    'Miss',
    'Miss',
    'Hit',
  ]);
});

const kept: [what: string, config: object, given: Given, answer: Answer, isKept: boolean][] = [
  ['POST', {}, { method: 'POST' }, {}, false],
  ['status 500', {}, {}, { status: 500 }, false],
  ['status 404', {}, {}, { status: 404 }, true],
  ['another type', {}, {}, { headers: { 'Content-Type': 'text/html' } }, false],
  ['a parameter more', {}, {}, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, false],
  [
    'the same parameter',
    { content_type: ['text/plain;charset=utf-8'] },
    {},
    { headers: { 'Content-Type': 'text/plain; charset=UTF-8' } },
    true,
  ],
  ['any type', { content_type: ['*/*'] }, {}, { headers: { 'Content-Type': 'image/png' } }, true],
  ['a cookie', {}, {}, { headers: { 'Set-Cookie': 'session=1' } }, false],
  ['Vary: *', {}, {}, { headers: { Vary: '*' } }, false],
  ['no-store, not followed', {}, {}, { headers: { 'Cache-Control': 'no-store' } }, true],
  ['no lifetime', { cache_control: true }, {}, {}, false],
  ['private', { cache_control: true }, {}, { headers: { 'Cache-Control': 'private, max-age=9' } }, false],
  ['max-age', { cache_control: true }, {}, { headers: { 'Cache-Control': 'max-age=9' } }, true],
  [
    's-maxage=0',
    { cache_control: true },
    {},
    { headers: { 'Cache-Control': 'max-age=9, s-maxage=0' } },
    false,
  ],
  ['Expires', { cache_control: true }, {}, { headers: { Expires: 'Wed, 01 Jan 2200 00:00:00 GMT' } }, true],
  [
    'Authorization',
    { cache_control: true },
    { headers: { Authorization: 'Bearer x' } },
    { headers: { 'Cache-Control': 'max-age=9' } },
    false,
  ],
];
test.each(kept)('%s under %j: kept %5$s', async (_what, config, given, answer, isKept) => {
  const expected = isKept ? ['Miss', 'Hit'] : ['Bypass', 'Bypass'];
  expect(await statuses(config, [given, answer], [given, answer])).toEqual(expected);
});

test('the gateway’s own answers are not kept', async () => {
  const ports = testPorts();
  const exchange = Object.assign(testExchange(), { route: ROUTE });
  const plugin = instance(proxyCache, MEMORY);
  await plugin.access(exchange, ports);
  plugin.response(exchange, ports);
  expect(plugin.wantsBody(exchange)).toBe(false);
  expect(seen(exchange.toClient)['x-cache-status']).toBe('Bypass');
});

test('an answer past its time is fetched anew; storage_ttl keeps it that long', async () => {
  const later = { startedAt: Date.now() + 11_000 };
  const config = { cache_ttl: 10, storage_ttl: 100 };
  expect(await statuses(config, [], [later])).toEqual(['Miss', 'Refresh']);
  const ports = testPorts();
  await ask(ports, config);
  await ask(ports, { cache_ttl: 10 }, { target: '/other' });
  expect([...ports.stored.values()].map(({ keepSeconds }) => keepSeconds)).toEqual([100, 10]);
});

const wishes: [directive: string, ageSeconds: number, status: string][] = [
  ['max-age=60', 5, 'Hit'],
  ['max-age=4', 5, 'Refresh'],
  ['min-fresh=4', 5, 'Hit'],
  ['min-fresh=6', 5, 'Refresh'],
  ['max-age=60', 12, 'Refresh'],
  ['max-stale=5', 12, 'Hit'],
  ['max-stale=1', 12, 'Refresh'],
  ['max-stale', 500, 'Hit'],
  ['no-cache', 5, 'Bypass'],
  ['no-store', 5, 'Bypass'],
];
test.each(wishes)('Cache-Control: %s at an age of %i s is a %s', async (directive, ageSeconds, status) => {
  const config = { cache_control: true, storage_ttl: 1000 };
  const answer = { headers: { 'Cache-Control': 'max-age=10' } };
  const wish = { headers: { 'Cache-Control': directive }, startedAt: Date.now() + ageSeconds * 1000 };
  expect((await statuses(config, [{}, answer], [wish, answer]))[1]).toBe(status);
});

test('only-if-cached is answered 504 when there is nothing', async () => {
  const wish = { headers: { 'Cache-Control': 'only-if-cached' } };
  const { refusal } = await ask(testPorts(), { cache_control: true }, wish);
  expect(refusal).toMatchObject({ status: 504, body: null });
});

test('an encoded answer goes only to clients that asked for the same encodings', async () => {
  const gzip: Given = { headers: { 'Accept-Encoding': 'gzip' } };
  const answer = { headers: { 'Content-Encoding': 'gzip' } };
  expect(await statuses({}, [gzip, answer], [gzip], [{}])).toEqual(['Miss', 'Hit', 'Refresh']);
});

test('what the chain says about this request stands over the stored head', async () => {
  const ports = testPorts();
  await ask(ports, {}, {}, { headers: { 'X-Quota-Used': '1', Link: '</a>' } });
  const exchange = Object.assign(testExchange({ answered: { 'x-quota-used': '7' } }), { route: ROUTE });
  await instance(proxyCache, MEMORY).access(exchange, ports);
  expect(seen(exchange.toClient)).toMatchObject({ 'x-quota-used': '7', link: '</a>' });
});

test('each header can be left out', async () => {
  const response_headers = { age: false, 'X-Cache-Status': false, 'X-Cache-Key': false };
  const ports = testPorts();
  await ask(ports, { response_headers });
  expect(Object.keys((await ask(ports, { response_headers })).headers)).toEqual(['content-type']);
});

test('a wrong configuration is refused in Kong’s words', () => {
  expect(problemsOf(proxyCache, {})).toEqual({ strategy: 'required field missing' });
  expect(problemsOf(proxyCache, { ...MEMORY, request_method: ['DELETE'] })).toMatchObject({
    'request_method.0': expect.stringContaining('expected one of'),
  });
  expect(problemsOf(proxyCache, { ...MEMORY, content_type: ['json'] })).toMatchObject({
    'content_type.0': expect.stringContaining('type/subtype'),
  });
});
