import type { QuotaState } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { quotaMirror } from '../src/quota-mirror.ts';
import { type Given, seen, testExchange, testPorts } from './exchange.ts';
import { instance, refusalOf } from './run.ts';

const quota = (state: Partial<QuotaState> = {}): QuotaState => ({
  limit: 100,
  used: 85,
  remaining: 15,
  period: 'monthly',
  resetAt: '2025-11-01T00:00:00Z',
  lastUpdated: '2025-10-27T20:00:00Z',
  stale: false,
  ...state,
});
const TENANT: Given = { headers: { 'X-Tenant-Id': 't1' } };
const check = (state: QuotaState | null | undefined, config = {}, given = TENANT) => {
  const exchange = testExchange(given);
  const ports = testPorts({ quota: state });
  const step = instance(quotaMirror, config).access(exchange, ports);
  return { step: refusalOf(step), headers: seen(exchange.toClient), ports };
};

test('given 85 of 100 used, when a request comes, then it passes with its quota and a warning', () => {
  const { step, headers, ports } = check(quota());
  expect(step).toBeUndefined();
  expect(headers).toEqual({
    'x-quota-limit': '100',
    'x-quota-used': '85',
    'x-quota-remaining': '15',
    'x-quota-usage-percentage': '85.00',
    'x-quota-reset': '2025-11-01T00:00:00Z',
    'x-quota-warning': 'Quota usage at 85.00%',
  });
  expect(ports.asked).toEqual(['quota:tenant:t1']);
  expect(ports.counted).toEqual(['quota_alerts']);
});

const NONE = {
  'x-quota-limit': 'unknown',
  'x-quota-used': 'unknown',
  'x-quota-remaining': '0',
  'x-quota-usage-percentage': '0.00',
};
const shown: [string, QuotaState | null | undefined, object, object][] = [
  ['a tenant without quota', null, {}, NONE],
  ['a quota that cannot be read', undefined, {}, {}],
  [
    'usage below the threshold',
    quota({ limit: 10_000, used: 4532, resetAt: null }),
    {},
    {
      'x-quota-limit': '10000',
      'x-quota-used': '4532',
      'x-quota-remaining': '5468',
      'x-quota-usage-percentage': '45.32',
    },
  ],
  [
    'a quota that is overdrawn, alerts off',
    quota({ used: 130, resetAt: '' }),
    { enable_alerts: false },
    {
      'x-quota-limit': '100',
      'x-quota-used': '130',
      'x-quota-remaining': '-30',
      'x-quota-usage-percentage': '130.00',
    },
  ],
  [
    'a limit of 0 and a reset that is no header value',
    quota({ limit: 0, used: 5, resetAt: 'a\r\nb' }),
    { block_on_quota_exceeded: true },
    {
      'x-quota-limit': '0',
      'x-quota-used': '5',
      'x-quota-remaining': '-5',
      'x-quota-usage-percentage': '0.00',
    },
  ],
  [
    'a stale quota that was used up, with blocking on',
    quota({ used: 100, stale: true }),
    { block_on_quota_exceeded: true },
    {
      'x-quota-limit': '100',
      'x-quota-used': '100',
      'x-quota-remaining': '0',
      'x-quota-usage-percentage': '100.00',
      'x-quota-reset': '2025-11-01T00:00:00Z',
      'x-quota-stale': 'true',
    },
  ],
];
test.each(shown)(
  'given %s, when a request comes, then it passes with just these headers',
  (_, state, config, headers) => {
    const checked = check(state, config);
    expect(checked.step).toBeUndefined();
    expect(checked.headers).toEqual(headers);
  },
);

test('given blocking is on and the quota is used up, when a request comes, then it is refused', () => {
  const { step, headers, ports } = check(quota({ used: 100 }), { block_on_quota_exceeded: true });
  expect(step).toMatchObject({
    status: 429,
    body: {
      error: {
        code: 'quota_exceeded',
        message: 'Tenant quota exceeded',
        details: { usage_percentage: 100, limit: '100', used: '100' },
      },
    },
  });
  expect(headers).toMatchObject({ 'x-quota-remaining': '0' });
  expect(ports.counted).toEqual(['quota_alerts', 'quota_exceeded']);
});

test('given blocking is off, when the quota is used up, then the request passes and is counted', () => {
  const { step, ports } = check(quota({ used: 100 }));
  expect(step).toBeUndefined();
  expect(ports.counted).toEqual(['quota_alerts', 'quota_exceeded']);
});

test.each([
  ['no tenant', {}],
  ['an empty tenant', { headers: { 'X-Tenant-Id': '' } }],
  ['a tenant too long for a key', { headers: { 'X-Tenant-Id': 'x'.repeat(257) } }],
])('given %s, when a request comes, then no quota is read', (_, given) => {
  expect(instance(quotaMirror).access(testExchange(given))).toBeUndefined();
});

test('the verified tenant counts, not the one in the header', () => {
  const { ports } = check(null, {}, { ...TENANT, identity: { tenantId: 't9' } });
  expect(ports.asked).toEqual(['quota:tenant:t9']);
});

test('an answer that comes later is waited for', async () => {
  const exchange = testExchange(TENANT);
  const ports = { ...testPorts(), readQuota: async () => null };
  await instance(quotaMirror).access(exchange, ports);
  expect(seen(exchange.toClient)).toEqual(NONE);
});

test('alerts are logged once per tenant and second', () => {
  const plugin = instance(quotaMirror);
  const ports = testPorts({ quota: quota() });
  const at = (startedAt: number, tenant = 't1') =>
    void plugin.access(testExchange({ startedAt, headers: { 'X-Tenant-Id': tenant } }), ports);
  for (const moment of [1000, 1500, 1999]) at(moment);
  at(1999, 't2');
  expect(ports.logged.filter(({ level }) => level === 'warn')).toHaveLength(2);
  at(2000);
  expect(ports.logged.filter(({ level }) => level === 'warn')).toHaveLength(3);
});

test('a Redis that REDIS_URL overrules gets a warning', () => {
  const warnings = quotaMirror.warnings?.(quotaMirror.config.parse({}), {
    environment: { REDIS_URL: 'redis://cache' },
  });
  expect(warnings).toEqual([
    'redis redis:6379/0 is kept and has no effect; REDIS_URL (cache:6379/0) decides',
  ]);
});

test("the original's configuration is accepted", () => {
  const config = { redis_host: 'redis', redis_port: 6379, redis_database: 0, redis_timeout: 2000 };
  expect(quotaMirror.config.parse(config)).toMatchObject({
    ...config,
    redis_password: null,
    quota_key_prefix: 'quota:tenant:',
    alert_threshold_percentage: 80,
    block_on_quota_exceeded: false,
  });
});
