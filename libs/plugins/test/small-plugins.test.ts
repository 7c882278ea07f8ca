import { expect, test } from 'vitest';
import { ipRestriction } from '../src/ip-restriction.ts';
import { prometheus } from '../src/prometheus.ts';
import { requestTermination } from '../src/request-termination.ts';
import { responseTransformer } from '../src/response-transformer.ts';
import { type Given, seen, testExchange } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const terminate = (config: object, given: Given = {}) =>
  refusalOf(instance(requestTermination, config).access(testExchange(given)));

test.each([
  [{}, { status: 503, body: { message: 'Service unavailable' } }],
  [{ status_code: 404 }, { status: 404, body: { message: 'Not found' } }],
  [
    { status_code: 200, message: 'hi' },
    { status: 200, body: { message: 'hi' } },
  ],
  [{ status_code: 429 }, { status: 429, body: null, headers: {} }],
  [
    { status_code: 200, body: '<p>', content_type: 'text/html' },
    { status: 200, body: '<p>', headers: { 'Content-Type': 'text/html' } },
  ],
  [{ body: '{}' }, { body: '{}', headers: { 'Content-Type': 'application/json; charset=utf-8' } }],
])('request-termination %j answers %j', (config, expected) => {
  expect(terminate(config)).toMatchObject(expected);
});

test('request-termination with a trigger answers only requests that have it', () => {
  const config = { trigger: 'x-stop' };
  expect(terminate(config)).toBeUndefined();
  expect(terminate(config, { headers: { 'X-Stop': '1' } })).toMatchObject({ status: 503 });
  expect(terminate(config, { target: '/?x-stop' })).toMatchObject({ status: 503 });
});

test('request-termination can echo the request, its body included', async () => {
  const given = {
    target: '/a?b=c&b=d',
    headers: { 'X-A': '1', 'Content-Type': 'application/json' },
    body: '{"e":1}',
  };
  const termination = instance(requestTermination, { echo: true, status_code: 404 });
  expect(refusalOf(await termination.access(testExchange(given)))).toMatchObject({
    status: 404,
    body: {
      message: 'Not found',
      request: {
        path: '/a',
        query: { b: ['c', 'd'] },
        headers: { 'x-a': '1' },
        body: { e: 1 },
        raw_body: '{"e":1}',
      },
    },
  });
});

test.each([
  [{ message: 'a', body: 'b' }, 'message cannot be used with content_type or body'],
  [{ content_type: 'text/plain' }, 'content_type requires a body'],
  [{ echo: true, body: 'b' }, 'echo cannot be used with content_type and body'],
])('request-termination %j is refused', (config, message) => {
  expect(problemsOf(requestTermination, config)).toEqual({ '': message });
});

const answered = {
  'x-gone': '1',
  'x-old': 'v',
  'x-rep': 'old',
  'x-keep': 'theirs',
  'x-app': 'first',
  Server: 'mock',
};
test('response-transformer removes, renames, replaces, adds and appends headers', () => {
  const exchange = testExchange({ answered });
  instance(responseTransformer, {
    remove: { headers: ['x-gone', 'server'] },
    rename: { headers: ['x-old:x-new'] },
    replace: { headers: ['x-rep:new', 'x-missing:never'] },
    add: { headers: ['x-added:value', 'x-keep:mine', 'x-literal:$(headers.host)'] },
    append: { headers: ['x-app:second'] },
  }).response(exchange);
  expect(seen(exchange.toClient)).toEqual({
    'x-keep': 'theirs',
    'x-app': 'first, second',
    'x-new': 'v',
    'x-rep': 'new',
    'x-added': 'value',
    'x-literal': '$(headers.host)',
  });
});

const jsonAnswer = (config: object, body: string, type = 'application/json') =>
  instance(responseTransformer, config).body(testExchange({ answered: { 'content-type': type } }), body);

test('response-transformer removes, renames, replaces, adds and appends keys of a JSON answer, typed', () => {
  const config = {
    remove: { json: ['secret'] },
    rename: { json: ['old:new'] },
    replace: { json: ['here:2', 'absent:3'], json_types: ['number', 'number'] },
    add: { json: ['flag:true', 'here:9'], json_types: ['boolean', 'number'] },
    append: { json: ['list:b'] },
  };
  const changed = jsonAnswer(config, '{"secret":1,"old":"x","here":1,"list":["a"]}');
  expect(JSON.parse(changed ?? '')).toEqual({ new: 'x', here: 2, flag: true, list: ['a', 'b'] });
});

test('response-transformer leaves bodies alone that are no JSON, by type or by content', () => {
  const config = { add: { json: ['a:1'] } };
  expect(jsonAnswer(config, '{}', 'text/plain') ?? '{}').toBe('{}');
  expect(jsonAnswer(config, 'not json') ?? 'not json').toBe('not json');
});

const networks: [object, string, number | undefined][] = [
  [{ allow: ['10.0.0.0/8'] }, '10.1.2.3', undefined],
  [{ allow: ['10.0.0.0/8'] }, '11.1.2.3', 403],
  [{ deny: ['192.0.2.1'] }, '192.0.2.1', 403],
  [{ deny: ['192.0.2.1'] }, '192.0.2.2', undefined],
  [{ allow: ['10.0.0.0/8'], deny: ['10.0.0.1'], status: 404 }, '10.0.0.1', 404],
  [{ allow: ['2001:db8::/32'] }, '2001:db8::1', undefined],
  [{ allow: ['2001:db8::/32'] }, '2001:db9::1', 403],
];
test.each(networks)('ip-restriction %j answers %s with %s', (config, clientIp, status) => {
  const step = refusalOf(instance(ipRestriction, config).access(testExchange({ clientIp })));
  expect((step as { status?: number } | undefined)?.status).toBe(status);
});

test('ip-restriction names the address, and refuses what is none', () => {
  const step = instance(ipRestriction, { deny: ['192.0.2.1'] }).access(testExchange());
  expect(refusalOf(step)).toMatchObject({ body: { message: 'IP address not allowed: 192.0.2.1' } });
  expect(problemsOf(ipRestriction, { allow: ['10.0.0.0/33'] })).toMatchObject({
    'allow.0': "invalid ip or cidr range: '10.0.0.0/33'",
  });
  expect(problemsOf(ipRestriction, {})).toMatchObject({
    '': expect.stringContaining("'config.allow'"),
  });
});

test('prometheus has every switch of Kong, all off', () => {
  const config = prometheus.config.parse({ per_consumer: true }) as Record<string, boolean>;
  expect(Object.entries(config).filter(([, isOn]) => isOn)).toEqual([['per_consumer', true]]);
  expect(Object.keys(config)).toHaveLength(7);
});
