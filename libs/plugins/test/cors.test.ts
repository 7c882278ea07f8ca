import { expect, test } from 'vitest';
import { cors } from '../src/cors.ts';
import { seen, testExchange } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const AC = 'access-control-';
const ALL = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';
const TWO = { origins: ['http://a.test', 'http://b.test:8080'] };
const FULL = {
  origins: ['example.test'],
  methods: ['GET'],
  headers: ['origin', 'type', 'accepts'],
  exposed_headers: ['x-auth-token'],
  max_age: 23,
  credentials: true,
};
const PLATFORM = {
  origins: ['http://localhost:3000', 'http://localhost:3003', 'http://localhost:3005'],
  credentials: true,
  max_age: 3600,
};

const preflight = (config: object, origin: string, headers = {}) => {
  const exchange = testExchange({
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'GET', ...headers },
  });
  const plugin = instance(cors, config);
  const step = plugin.access(exchange);
  plugin.response(exchange);
  return { step, headers: seen(exchange.toClient) };
};

const answer = (config: object, headers: Record<string, string> = {}, answered = {}) => {
  const exchange = testExchange({ headers, answered });
  const plugin = instance(cors, config);
  expect(plugin.access(exchange)).toBeUndefined();
  plugin.response(exchange);
  return seen(exchange.toClient);
};

const preflights: [string, object, string, object, object][] = [
  ['defaults', {}, 'http://x.test', {}, { [`${AC}allow-origin`]: '*', [`${AC}allow-methods`]: ALL }],
  [
    'everything configured',
    FULL,
    'http://x.test',
    {},
    {
      [`${AC}allow-origin`]: 'example.test',
      [`${AC}allow-methods`]: 'GET',
      [`${AC}allow-headers`]: 'origin,type,accepts',
      [`${AC}allow-credentials`]: 'true',
      [`${AC}max-age`]: '23',
      vary: 'Origin',
    },
  ],
  [
    'requested headers',
    {},
    'http://x.test',
    { 'Access-Control-Request-Headers': 'origin,accepts' },
    { [`${AC}allow-origin`]: '*', [`${AC}allow-methods`]: ALL, [`${AC}allow-headers`]: 'origin,accepts' },
  ],
  [
    '* with credentials',
    { origins: ['*'], credentials: true },
    'http://x.test',
    {},
    {
      [`${AC}allow-origin`]: 'http://x.test',
      [`${AC}allow-methods`]: ALL,
      [`${AC}allow-credentials`]: 'true',
      vary: 'Origin',
    },
  ],
  [
    'a private network',
    { private_network: true },
    'http://x.test',
    { 'Access-Control-Request-Private-Network': 'true' },
    { [`${AC}allow-origin`]: '*', [`${AC}allow-methods`]: ALL, [`${AC}allow-private-network`]: 'true' },
  ],
  [
    'an origin of the platform',
    PLATFORM,
    'http://localhost:3000',
    {},
    {
      [`${AC}allow-origin`]: 'http://localhost:3000',
      [`${AC}allow-methods`]: ALL,
      [`${AC}allow-credentials`]: 'true',
      [`${AC}max-age`]: '3600',
      vary: 'Origin',
    },
  ],
  ['a stranger', TWO, 'http://evil.test', {}, { [`${AC}allow-methods`]: ALL, vary: 'Origin' }],
];
test.each(preflights)(
  'given %s, when a preflight comes, then it is answered with 200 and nothing else',
  (_, config, origin, headers, expected) => {
    const answered = preflight(config, origin, headers);
    expect(refusalOf(answered.step)).toEqual({ code: 'GW_ANSWERED', status: 200, body: null, headers: {} });
    expect(answered.headers).toEqual(expected);
  },
);

test('preflight_continue leaves the whole preflight to the upstream', () => {
  expect(preflight({ preflight_continue: true }, 'http://x.test')).toEqual({ step: undefined, headers: {} });
});

test.each([
  ['without Origin', { 'Access-Control-Request-Method': 'GET' }],
  ['without a requested method', { Origin: 'http://x.test' }],
])('OPTIONS %s is proxied', (_, headers) => {
  expect(instance(cors).access(testExchange({ method: 'OPTIONS', headers }))).toBeUndefined();
});

const answers: [string, object, Record<string, string>, object, object][] = [
  ['defaults', {}, { Origin: 'http://x.test' }, {}, { [`${AC}allow-origin`]: '*' }],
  ['no Origin', {}, {}, {}, { [`${AC}allow-origin`]: '*' }],
  [
    'no Origin and allow_origin_absent off',
    { ...TWO, allow_origin_absent: false },
    {},
    {},
    { vary: 'Origin' },
  ],
  [
    'everything configured',
    FULL,
    { Origin: 'http://x.test' },
    {},
    {
      [`${AC}allow-origin`]: 'example.test',
      [`${AC}expose-headers`]: 'x-auth-token',
      [`${AC}allow-credentials`]: 'true',
      vary: 'Origin',
    },
  ],
  [
    'one of several origins',
    TWO,
    { Origin: 'http://b.test:8080' },
    { Vary: 'Accept-Encoding' },
    { [`${AC}allow-origin`]: 'http://b.test:8080', vary: 'Accept-Encoding, Origin' },
  ],
  [
    'a default port',
    TWO,
    { Origin: 'http://a.test:80' },
    {},
    { [`${AC}allow-origin`]: 'http://a.test', vary: 'Origin' },
  ],
  [
    'a stranger and an upstream that allows all',
    TWO,
    { Origin: 'https://a.test' },
    { 'Access-Control-Allow-Origin': '*' },
    { vary: 'Origin' },
  ],
];
test.each(answers)(
  'given %s, when a request is answered, then the client sees just these headers',
  (_, config, headers, answered, expected) => {
    expect(answer(config, headers, answered)).toEqual(expected);
  },
);

test('given the request ended before the access phase, when it is answered, then the headers are there', () => {
  const exchange = testExchange({ headers: { Origin: 'http://x.test' } });
  instance(cors).response(exchange);
  expect(seen(exchange.toClient)).toEqual({ [`${AC}allow-origin`]: '*' });
});

const origins: [string[], Record<string, string | boolean>][] = [
  [['foo.test'], { 'http://evil.test': 'foo.test' }],
  [['https://bar.test:1234'], { 'http://evil.test': 'https://bar.test:1234' }],
  [
    ['foo\\.test'],
    {
      'http://evil.test': false,
      'http://foo.test': true,
      'http://foo.test.evil.test': false,
      'http://something.foo.test': false,
      'http://foo.test:80': 'http://foo.test',
      'https://foo.test:8000': true,
      'http://foobtest': false,
    },
  ],
  [['(.*[./])?foo\\.test'], { 'http://something.foo.test': true, 'http://evilfoo.test': false }],
  [
    ['(.*[./])?foo\\.test:8000'],
    { 'http://foo.test': false, 'https://foo.test:8000': true, 'http://foo.test:90': false },
  ],
  [['https://(.*[.])?foo\\.test:8000'], { 'http://foo.test:8000': false, 'https://foo.test:8000': true }],
  [
    ['^http://(.*[.])?foo\\.test(:(80|90))?$'],
    { 'http://a.foo.test:90': true, 'http://foo.test:8000': false, 'https://foo.test': false },
  ],
  [['foo.test', 'bar.test'], { 'http://foo.test': false }],
  [
    ['http://foo.test', 'https://bar.test:1234'],
    { 'https://bar.test:1234': true, 'http://bar.test:1234': false },
  ],
  [['bar.test', 'foo\\.test'], { 'http://foo.test': true, 'http://bar.test': false }],
  [['http://www.example.net', '*'], { 'http://other.test': '*' }],
  [[], { 'http://x.test': '*' }],
];
const rows = origins.flatMap(([list, tests]) =>
  Object.entries(tests).map(([origin, allowed]) => [list, origin, allowed] as const),
);
test.each(rows)('origins %j answer %s with %s', (list, origin, allowed) => {
  const expected = allowed === true ? origin : allowed === false ? undefined : allowed;
  expect(answer({ origins: list }, { Origin: origin })[`${AC}allow-origin`]).toBe(expected);
});

test.each(['(', '(?=a)b', '(a)\\1'])('the origin pattern %s is refused', (pattern) => {
  expect(problemsOf(cors, { origins: ['http://a.test', pattern] })).toEqual({
    'origins.1': `'${pattern}' is not a valid regex`,
  });
});
