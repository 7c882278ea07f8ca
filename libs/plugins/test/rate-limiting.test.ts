import { createHash } from 'node:crypto';
import type { WindowState } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { rateLimiting } from '../src/rate-limiting.ts';
import { type Given, GLOBAL, identityOf, seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const windowOf = (period: WindowState['period'], limit: number, remaining: number, resetMs: number) => ({
  period,
  limit,
  remaining,
  resetMs,
});
const service = (outcome: 'allow' | 'deny', ...windows: WindowState[]) =>
  ({ outcome, source: 'service', windows }) as const;
const local = (outcome: 'allow' | 'deny') => ({ outcome, source: 'local', retryAfterSeconds: 3.2 }) as const;
const NIL = '00000000-0000-0000-0000-000000000000';
const BY_TENANT = { minute: 2, limit_by: 'header', header_name: 'X-Tenant-Id' };

test('an admitted request shows every window, the tightest one in both families', () => {
  const exchange = testExchange();
  const budget = service(
    'allow',
    windowOf('minute', 100, 99, 11_700),
    windowOf('hour', 5000, 4999, 3_000_000),
  );
  const step = instance(rateLimiting, { minute: 100, hour: 5000 }).access(exchange, testPorts({ budget }));
  expect(step).toBeUndefined();
  expect(seen(exchange.toClient)).toEqual({
    'x-ratelimit-limit-minute': '100',
    'x-ratelimit-remaining-minute': '99',
    'x-ratelimit-limit-hour': '5000',
    'x-ratelimit-remaining-hour': '4999',
    'ratelimit-limit': '100',
    'ratelimit-remaining': '99',
    'ratelimit-reset': '12',
    'x-ratelimit-limit': '100',
    'x-ratelimit-remaining': '99',
    'x-ratelimit-reset': '12',
  });
});

test('given two windows with equally little left, when shown, then the longer one counts', () => {
  const exchange = testExchange();
  const budget = service('allow', windowOf('minute', 5, 1, 1000), windowOf('hour', 9, 1, 90_000));
  void instance(rateLimiting, { minute: 5, hour: 9 }).access(exchange, testPorts({ budget }));
  expect(exchange.toClient.get('RateLimit-Limit')).toBe('9');
  expect(exchange.toClient.get('RateLimit-Reset')).toBe('90');
});

test('a denied request gets 429 with Retry-After equal to RateLimit-Reset', () => {
  const exchange = testExchange();
  const budget = service('deny', windowOf('minute', 2, 0, 1), windowOf('hour', 50, 48, 90_000));
  const step = instance(rateLimiting, { minute: 2, hour: 50 }).access(exchange, testPorts({ budget }));
  expect(refusalOf(step)).toEqual({
    code: 'GW_RATE_LIMITED',
    status: 429,
    body: { message: 'API rate limit exceeded' },
    headers: { 'Retry-After': '1' },
  });
  expect(seen(exchange.toClient)).toMatchObject({
    'x-ratelimit-remaining-minute': '0',
    'x-ratelimit-remaining-hour': '48',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '1',
  });
});

test('status, message and silence can be configured', () => {
  const exchange = testExchange();
  const config = { minute: 2, error_code: 420, error_message: 'calm down', hide_client_headers: true };
  const budget = service('deny', windowOf('minute', 2, 0, 1000));
  const step = instance(rateLimiting, config).access(exchange, testPorts({ budget }));
  expect(refusalOf(step)).toMatchObject({ status: 420, body: { message: 'calm down' }, headers: {} });
  expect(seen(exchange.toClient)).toEqual({});
});

test('given the limiter is away, when requests come, then they pass without figures and are counted', () => {
  const exchange = testExchange();
  const ports = testPorts({ budget: local('allow') });
  expect(instance(rateLimiting, { minute: 2 }).access(exchange, ports)).toBeUndefined();
  expect(seen(exchange.toClient)).toEqual({});
  expect(ports.counted).toEqual(['degraded_limits']);
});

test('given the limiter is away, when the local share is used up, then 429 says when to come back', () => {
  const step = instance(rateLimiting, { minute: 2 }).access(
    testExchange(),
    testPorts({ budget: local('deny') }),
  );
  expect(refusalOf(step)).toMatchObject({ status: 429, headers: { 'Retry-After': '4' } });
});

test.each(['allow', 'deny'] as const)('given fault_tolerant is false, a local %s is a 500', (outcome) => {
  const config = { minute: 2, fault_tolerant: false };
  const step = instance(rateLimiting, config).access(testExchange(), testPorts({ budget: local(outcome) }));
  expect(refusalOf(step)).toMatchObject({ status: 500, body: { message: 'An unexpected error occurred' } });
});

const consumer = { id: 'c1' };
const credential = { id: 'k1', identifier: 'key' };
const long = 'x'.repeat(257);
const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const identifiers: [string, object, Given, string][] = [
  ['consumer', {}, { identity: { consumer, credential } }, 'c1'],
  ['consumer without one: the credential', {}, { identity: { credential } }, 'k1'],
  ['consumer of nobody: the address', {}, {}, '192.0.2.1'],
  ['credential', { limit_by: 'credential' }, { identity: { consumer, credential } }, 'k1'],
  ['ip', { limit_by: 'ip' }, { identity: { consumer } }, '192.0.2.1'],
  ['service without one', { limit_by: 'service' }, {}, '192.0.2.1'],
  ['path', { limit_by: 'path', path: '/a' }, { target: '/a?x=1' }, '/a'],
  ['another path', { limit_by: 'path', path: '/a' }, { target: '/ab' }, '192.0.2.1'],
  ['header', { limit_by: 'header', header_name: 'X-Key' }, { headers: { 'x-key': 'k' } }, 'k'],
  ['empty header', { limit_by: 'header', header_name: 'X-Key' }, { headers: { 'x-key': '' } }, '192.0.2.1'],
  ['tenant header', BY_TENANT, { headers: { 'X-Tenant-Id': 't1' } }, 't1'],
  [
    'verified tenant over the header',
    BY_TENANT,
    { headers: { 'X-Tenant-Id': 't2' }, identity: { tenantId: 't1' } },
    't1',
  ],
  ['no tenant', BY_TENANT, {}, '192.0.2.1'],
  ['long value', BY_TENANT, { headers: { 'X-Tenant-Id': long } }, hash(long)],
  ['value with a tab', BY_TENANT, { headers: { 'X-Tenant-Id': 'a\tb' } }, hash('a\tb')],
];
test.each(identifiers)('the budget by %s has its own key', (_, config, given, identifier) => {
  const ports = testPorts({ budget: local('allow') });
  void instance(rateLimiting, { minute: 2, ...config }).access(testExchange(given), ports);
  expect(ports.asked).toEqual([`ratelimit:${NIL}:${NIL}:${identifier}`, [{ period: 'minute', limit: 2 }]]);
});

test("the key holds the ids of the plugin's scope, and limits come shortest first", () => {
  const ports = testPorts({ budget: local('allow') });
  const scope = { ...GLOBAL, routeId: 'r1', serviceId: 's1' };
  const exchange = testExchange({ identity: identityOf({ consumer }) });
  void instance(rateLimiting, { year: 9, second: 1, policy: 'redis', redis: { host: 'r' } }, scope).access(
    exchange,
    ports,
  );
  expect(ports.asked).toEqual([
    'ratelimit:r1:s1:c1',
    [
      { period: 'second', limit: 1 },
      { period: 'year', limit: 9 },
    ],
  ]);
});

const refused: [unknown, Record<string, string>][] = [
  [
    {},
    {
      '':
        "at least one of these fields must be non-empty: 'config.second', 'config.minute', 'config.hour', " +
        "'config.day', 'config.month', 'config.year'",
    },
  ],
  [
    { minute: 20, hour: 10 },
    { '': 'The limit for hour(10.0) cannot be lower than the limit for minute(20.0)' },
  ],
  [{ minute: 0 }, { minute: 'value must be greater than 0' }],
  [{ minute: '5' }, { minute: 'expected a number' }],
  [
    { minute: 1, limit_by: 'header' },
    {
      header_name: 'required field missing',
      '': "failed conditional validation given value of field 'config.limit_by'",
    },
  ],
  [{ minute: 1, limit_by: 'path' }, { path: 'required field missing' }],
  [{ minute: 1, policy: 'redis' }, { 'redis.host': 'required field missing' }],
  [{ minute: 1, sync_rate: 1 }, { '': 'sync_rate can only be used with the redis policy' }],
  [
    { minute: 1, policy: 'redis', redis: { host: 'r' }, sync_rate: 0.01 },
    { '': 'sync_rate must be greater than 0.02, or -1 to disable' },
  ],
  [
    { minute: 1, redis_host: 'a', redis: { host: 'b' } },
    {
      redis_host:
        'both deprecated and new field are used but their values mismatch: redis_host = a vs redis.host = b',
    },
  ],
  [
    { minute: 1, redis_password: 'secret1', redis: { password: 'secret2' } },
    {
      redis_password:
        'both deprecated and new field are used but their values mismatch: redis_password = *** vs redis.password = ***',
    },
  ],
  [
    { minute: 1, header_name: 'x y' },
    { header_name: "bad header name 'x y', allowed characters are A-Z, a-z, 0-9, '_', and '-'" },
  ],
  [
    { minute: 1, limit_by: 'tenant' },
    { limit_by: 'expected one of: consumer, credential, ip, service, header, path' },
  ],
];
test.each(refused)('the configuration %j is refused', (config, problems) => {
  expect(problemsOf(rateLimiting, config)).toMatchObject(problems);
});

test('deprecated flat fields move to redis and are kept', () => {
  const config = { minute: 1, policy: 'redis', redis_host: 'r', redis_port: 6380 };
  const parsed = rateLimiting.config.parse(config);
  expect(parsed).toMatchObject({
    redis_host: 'r',
    redis_port: 6380,
    redis: { host: 'r', port: 6380, timeout: 2000 },
  });
  expect(rateLimiting.config.parse(parsed)).toEqual(parsed);
});

test("the original platform's configuration is accepted, with a warning for each field without effect", () => {
  const config = {
    ...BY_TENANT,
    policy: 'redis',
    redis: {
      host: 'redis',
      port: 6379,
      database: 0,
      timeout: 2000,
      keepalive_pool_size: 30,
      keepalive_backlog: 10,
    },
    fault_tolerant: true,
    hide_client_headers: false,
  };
  const warnings = rateLimiting.warnings?.(rateLimiting.config.parse(config), { environment: {} }) ?? [];
  expect(warnings.map((warning) => warning.split(' ')[0])).toEqual([
    'redis.keepalive_pool_size',
    'redis.keepalive_backlog',
  ]);
});

test('a Redis that REDIS_URL overrules gets one warning, without credentials', () => {
  const config = rateLimiting.config.parse({
    minute: 1,
    policy: 'redis',
    redis: { host: 'redis', password: 'p' },
  });
  const warningsUnder = (REDIS_URL: string) =>
    rateLimiting.warnings?.(config, { environment: { REDIS_URL } });
  expect(warningsUnder('redis://redis:6379')).toEqual([]);
  expect(warningsUnder('redis://user:secret@cache:6380/2')).toEqual([
    'redis redis:6379/0 is kept and has no effect; REDIS_URL (cache:6380/2) decides',
  ]);
});

test.each([
  ['X-Key', { 'X-Key': ['a', 'b'] }, 'X-Key is sent more than once, with different values'],
  ['X-Key', { 'X-Key': ['', 'b'] }, 'X-Key is sent more than once, with different values'],
  ['X-Tenant-Id', { 'X-Tenant-Id': ['a', 'b'] }, 'X-Tenant-Id is sent more than once, with different values'],
  ['X-Tenant-Id', { 'X-Tenant-Id': 'a, b' }, 'X-Tenant-Id names several tenants'],
])(
  'given a limit by %s and lines that say two things, %j, then 400 and nothing is spent',
  async (name, headers, message) => {
    const limited = instance(rateLimiting, { minute: 2, limit_by: 'header', header_name: name });
    const step = await limited.access(testExchange({ headers }));
    expect(refusalOf(step)).toMatchObject({ code: 'GW_BAD_REQUEST', status: 400 });
    expect((step as Error).message).toBe(message);
  },
);
