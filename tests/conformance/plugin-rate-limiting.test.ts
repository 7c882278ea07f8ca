import type { Answer, CallOptions } from '@sluice/testkit';
import { eventually } from '@sluice/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, headersLike, routesWith, routeWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const PERIODS = ['second', 'minute', 'hour', 'day', 'month', 'year'];
const byHeader = { limit_by: 'header', header_name: 'x-tenant-id' };
const limited = (config: Document): Document => ({ name: 'rate-limiting', config: { hour: 1, ...config } });
const withKey = (name: string, config: Document) => routeWith(name, [{ name: 'key-auth' }, limited(config)]);

let world: World;
let redis: Redis;
beforeAll(async () => {
  // Clients are told apart by X-Real-IP, which a trusted peer may say.
  world = await World.start({ TRUSTED_IPS: '127.0.0.1' });
  redis = new Redis(world.gateway.ready.redis);
  const routes = [
    ...routesWith('rate-limiting', {
      ...Object.fromEntries(PERIODS.map((period) => [period, { [period]: 1 }])),
      example: { minute: 100, hour: 5000, day: 100_000 },
      tie: { hour: 5, day: 5 },
      two: { ...byHeader, minute: 2 },
      'two-windows': { minute: 1, hour: 10 },
      half: { hour: 1.5 },
      local: { hour: 1, policy: 'local' },
      redis: { hour: 1, policy: 'redis', redis: { host: 'localhost' } },
      synced: { hour: 1, policy: 'redis', sync_rate: 10, redis: { host: 'localhost' } },
      hidden: { hour: 1, hide_client_headers: true },
      coded: { hour: 1, error_code: 420, error_message: 'Enhance your calm' },
    }),
    routeWith('ip', [limited({ limit_by: 'ip' })]),
    routeWith('header', [limited({ limit_by: 'header', header_name: 'x-plan' })]),
    routeWith('path', [limited({ limit_by: 'path', path: '/path/shared' })]),
    withKey('consumer', {}),
    withKey('credential', { limit_by: 'credential' }),
  ];
  const ofService = { plugins: [limited({ limit_by: 'service' })] };
  await world.load({
    services: [
      world.service('echo', routes),
      world.service('shop', [routeWith('shop-a', []), routeWith('shop-b', [])], ofService),
      world.service('bank', [routeWith('bank', [])], ofService),
    ],
    consumers: [
      { username: 'alice', keyauth_credentials: [{ key: 'alice-1' }, { key: 'alice-2' }] },
      { username: 'bob', keyauth_credentials: [{ key: 'bob-1' }] },
    ],
  });
});
afterAll(async () => {
  redis.disconnect();
  await world[Symbol.asyncDispose]();
});

/**
 * One request that the limiter decided. Where it did not answer in time (`LIMIT_TIMEOUT_MS`), which happens on a busy
 * machine, the edge decides alone, nothing is counted and no limits are told: such a request is made again.
 */
const spend = (path: string, ask: CallOptions = {}): Promise<Answer> =>
  eventually(async () => {
    const answer = await world.ask(path, ask);
    expect(answer.headers['ratelimit-limit']).toBeDefined();
    return answer;
  });

/** A window of a minute may end between two requests; well before its end it does not. */
const earlyInTheMinute = () => eventually(() => Date.now() % 60_000 < 50_000);
const idOf = async (path: string): Promise<string> => (await world.admin(path)).json<{ id: string }>().id;
const EXCEEDED = 'API rate limit exceeded';
const from = (ip: string): CallOptions => header('x-real-ip', ip);
const key = (name: string): CallOptions => header('apikey', name);

test.each(PERIODS)(
  'rate-limiting %s: given a limit of 1, then of four requests most are refused',
  async (period) => {
    const answers: Answer[] = [];
    for (let i = 0; i < 4; i++) answers.push(await spend(`/${period}`));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(1); // a window may have ended in between, hardly three
    const name = `${period[0]?.toUpperCase()}${period.slice(1)}`;
    expect(refused[0]?.headers).toMatchObject({
      [`x-ratelimit-limit-${period}`]: '1',
      [`x-ratelimit-remaining-${period}`]: '0',
      'ratelimit-limit': '1',
      'ratelimit-remaining': '0',
      'retry-after': refused[0]?.headers['ratelimit-reset'],
    });
    expect(Object.keys(headersLike(answers[0] as Answer, 'x-ratelimit-limit-'))).toEqual([
      `x-ratelimit-limit-${name.toLowerCase()}`,
    ]);
  },
);

test('rate-limiting: given 100/5000/100000, then the first answer tells all windows', async () => {
  const answer = await spend('/example');
  expect(answer.headers).toMatchObject({
    'x-ratelimit-limit-minute': '100',
    'x-ratelimit-remaining-minute': '99',
    'x-ratelimit-limit-hour': '5000',
    'x-ratelimit-remaining-hour': '4999',
    'x-ratelimit-limit-day': '100000',
    'x-ratelimit-remaining-day': '99999',
    'ratelimit-limit': '100',
    'ratelimit-remaining': '99',
  });
  expect(Number(answer.headers['ratelimit-reset'])).toBeGreaterThanOrEqual(1);
  expect(Number(answer.headers['ratelimit-reset'])).toBeLessThanOrEqual(60);
  expect(answer.headers['retry-after']).toBeUndefined();
});

test('rate-limiting: given two windows with as much left, then RateLimit-Reset is of the longer one', async () => {
  const { headers } = await spend('/tie');
  const secondsOfDay = Math.floor(Date.now() / 1000) % 86_400;
  const left = 86_400 - secondsOfDay;
  expect(Math.abs(Number(headers['ratelimit-reset']) - left)).toBeLessThanOrEqual(5);
});

test('rate-limiting: given 2 a minute by tenant, then the third is refused and others are not (vector: 23)', async () => {
  await earlyInTheMinute();
  const tenant = header('x-tenant-id', 'tenant-1');
  const answers = [await spend('/two', tenant), await spend('/two', tenant), await spend('/two', tenant)];
  const last = answers[2] as Answer;
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers.map(({ headers }) => headers['x-ratelimit-remaining-minute'])).toEqual(['1', '0', '0']);
  expectError(last, 429, EXCEEDED);
  expect(last.headers['retry-after']).toBe(last.headers['ratelimit-reset']);
  expect((await spend('/two', header('x-tenant-id', 'tenant-2'))).status).toBe(200);
});

test('rate-limiting: given a refusal by the minute, then only that window stays at nothing', async () => {
  await earlyInTheMinute();
  await spend('/two-windows');
  const { status, headers } = await spend('/two-windows');
  expect(status).toBe(429);
  expect(headers['x-ratelimit-remaining-minute']).toBe('0');
  expect(headers['x-ratelimit-remaining-hour']).toBe('9');
});

type Row = readonly [
  by: string,
  given: string,
  first: [string, CallOptions],
  next: [string, CallOptions],
  shares: boolean,
];
test.each<Row>([
  ['ip', 'another address', ['/ip', from('10.0.0.1')], ['/ip', from('10.0.0.2')], false],
  ['ip', 'another consumer', ['/ip', from('10.0.0.3')], ['/ip?x', from('10.0.0.3')], true],
  ['consumer', 'another consumer', ['/consumer', key('alice-1')], ['/consumer', key('bob-1')], false],
  [
    'consumer',
    'another key of the consumer',
    ['/consumer', key('alice-1')],
    ['/consumer', key('alice-2')],
    true,
  ],
  [
    'credential',
    'another key of the consumer',
    ['/credential', key('alice-1')],
    ['/credential', key('alice-2')],
    false,
  ],
  ['header', 'another value', ['/header', header('x-plan', 'a')], ['/header', header('x-plan', 'b')], false],
  [
    'header',
    'no header, another address',
    ['/header', from('10.0.1.1')],
    ['/header', from('10.0.1.2')],
    false,
  ],
  [
    'header',
    'no header, the same address',
    ['/header', from('10.0.1.3')],
    ['/header', from('10.0.1.3')],
    true,
  ],
  [
    'path',
    'the path, another address',
    ['/path/shared', from('10.0.2.1')],
    ['/path/shared', from('10.0.2.2')],
    true,
  ],
  [
    'path',
    'another path and address',
    ['/path/own', from('10.0.2.3')],
    ['/path/own', from('10.0.2.4')],
    false,
  ],
  [
    'service',
    'another route of the service',
    ['/shop-a', from('10.0.3.1')],
    ['/shop-b', from('10.0.3.2')],
    true,
  ],
  ['service', 'another service', ['/shop-a', from('10.0.3.1')], ['/bank', from('10.0.3.1')], false],
])(
  'rate-limiting limit_by %s: given %s, then budgets are shared or not',
  async (_by, _given, first, next, shares) => {
    await spend(...first); // may have been spent by an earlier row
    expect((await spend(...first)).status).toBe(429);
    expect((await spend(...next)).status).toBe(shares ? 429 : 200);
  },
);

test.each(['local', 'redis', 'synced'])(
  'rate-limiting policy %s: given 1 an hour, then the second is refused',
  async (name) => {
    expect((await spend(`/${name}`)).status).toBe(200);
    expectError(await spend(`/${name}`), 429, EXCEEDED);
  },
);

test('rate-limiting hide_client_headers: given true, then neither answer tells the limits', async () => {
  const answers = [await world.ask('/hidden'), await world.ask('/hidden')];
  expect(answers.map(({ status }) => status)).toEqual([200, 429]);
  for (const { headers } of answers)
    expect(Object.keys(headers).filter((name) => /ratelimit|retry-after/.test(name))).toEqual([]);
});

test('rate-limiting error_code, error_message: given both, then a refusal has them', async () => {
  await spend('/coded');
  expectError(await spend('/coded'), 420, 'Enhance your calm');
});

test('rate-limiting: given a limit of 1.5, then two pass, as "limit - current <= 0" says', async () => {
  const statuses = [await spend('/half'), await spend('/half'), await spend('/half')];
  expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
});

test.each<[given: string, path: string, period: string, ask: CallOptions, scope: () => Promise<string>]>([
  [
    'a tenant (vector: 25)',
    '/two',
    'minute',
    header('x-tenant-id', 'keys'),
    async () => `${await idOf('/routes/two')}:${NIL}:keys`,
  ],
  [
    'an address',
    '/redis',
    'hour',
    from('10.9.9.9'),
    async () => `${await idOf('/routes/redis')}:${NIL}:10.9.9.9`,
  ],
  [
    'a consumer',
    '/consumer',
    'hour',
    key('bob-1'),
    async () => `${await idOf('/routes/consumer')}:${NIL}:${await idOf('/consumers/bob')}`,
  ],
  [
    'a service',
    '/bank',
    'hour',
    {},
    async () => `${NIL}:${await idOf('/services/bank')}:${await idOf('/services/bank')}`,
  ],
])('rate-limiting redis: given the budget of %s, then the key in Redis is that of Kong', async (...row) => {
  const [, path, period, ask, scope] = row;
  const seconds = period === 'minute' ? 60 : 3600;
  await earlyInTheMinute();
  await spend(path, ask);
  const start = Math.floor(Date.now() / 1000 / seconds) * seconds * 1000;
  const name = `ratelimit:${await scope()}:${start}:${period}`;
  expect(await redis.get(name)).toBe('1');
  const ttl = await redis.ttl(name);
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(seconds);
});

test('rate-limiting: given a global instance, then all routes spend from one budget', async () => {
  const routes = [routeWith('one', []), routeWith('two', [])];
  await world.load({ services: [world.service('echo', routes)], plugins: [limited({ limit_by: 'ip' })] });
  expect((await spend('/one', from('10.7.7.7'))).status).toBe(200);
  expect((await spend('/two', from('10.7.7.7'))).status).toBe(429);
  expect(await redis.keys(`ratelimit:${NIL}:${NIL}:10.7.7.7:*:hour`)).toHaveLength(1);
});
