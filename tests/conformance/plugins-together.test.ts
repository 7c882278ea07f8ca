import { type Answer, type CallOptions, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, expectExit, header, routeWith, sent, signToken } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const named = (name: string, config: Document = {}): Document => ({ name, config });
const GUEST_ID = '33333333-3333-4333-8333-333333333333';
const AUTH = ['jwt', 'key-auth', 'basic-auth'];
const optional = AUTH.map((name) => named(name, { anonymous: 'guest' }));
const stop = (status_code: number) => named('request-termination', { status_code });
const add = (...headers: string[]) => named('request-transformer', { add: { headers } });

let world: World;
beforeAll(async () => {
  world = await World.start({ TRUSTED_IPS: '127.0.0.1' });
  const routes = [
    routeWith('or', optional),
    routeWith('and', [named('key-auth'), named('basic-auth')]),
    routeWith('mixed', [named('key-auth', { anonymous: 'guest' }), named('basic-auth')]),
    routeWith('by-id', [named('key-auth', { anonymous: GUEST_ID })]),
    routeWith('by-custom-id', [named('key-auth', { anonymous: 'guest-custom' })]),
    routeWith('closed', [...optional, { ...stop(401), consumer: 'guest' }]),
    routeWith('cors-first', [named('cors'), named('key-auth')]),
    routeWith('bot-first', [named('bot-detection'), named('cors')]),
    routeWith('key-then-ip', [named('key-auth'), named('ip-restriction', { deny: ['10.0.0.1'] })]),
    routeWith('size-then-acl', [
      named('key-auth'),
      named('acl', { allow: ['nobody'] }),
      named('request-size-limiting', { allowed_payload_size: 1, size_unit: 'bytes' }),
    ]),
    routeWith('acl-then-limit', [
      named('key-auth'),
      named('acl', { allow: ['gold'] }),
      named('rate-limiting', { hour: 2 }),
    ]),
    routeWith('limit-then-stop', [named('rate-limiting', { hour: 1 }), stop(503)]),
    routeWith('transform-then-guard', [
      named('request-transformer', { replace: { body: ['prompt:harmless'] } }),
      named('ai-prompt-guard', { deny_patterns: ['evil'] }),
    ]),
    routeWith('id-then-transform', [
      named('correlation-id', { header_name: 'x-request-id', generator: 'uuid' }),
      add('x-trace-id:$(headers["x-request-id"])'),
    ]),
    routeWith('auth-then-transform', [named('key-auth'), add('x-who:$(headers["x-consumer-username"])')]),
    routeWith('refused-late', [
      named('cors', { origins: ['http://a.test'] }),
      named('response-transformer', { add: { headers: ['x-after:1'] } }),
      named('correlation-id', { header_name: 'x-id', generator: 'uuid', echo_downstream: true }),
      named('key-auth'),
    ]),
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      {
        username: 'alice',
        keyauth_credentials: [{ key: 'alice' }],
        jwt_secrets: [{ key: 'alice', secret: 's' }],
        acls: [{ group: 'gold' }],
      },
      {
        username: 'bob',
        keyauth_credentials: [{ key: 'bob' }],
        basicauth_credentials: [{ username: 'bob', password: 'b' }],
      },
      { id: GUEST_ID, username: 'guest', custom_id: 'guest-custom' },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const token = { authorization: `Bearer ${signToken({ iss: 'alice' }, 's')}` };
const bob = { authorization: `Basic ${Buffer.from('bob:b').toString('base64')}` };
const wrong = { authorization: `Basic ${Buffer.from('bob:x').toString('base64')}` };
const key = { apikey: 'alice' };

type Row = [mode: string, given: string, path: string, headers: Record<string, string>, who: string];
test.each<Row>([
  ['or', 'a token', '/or', token, 'alice'],
  ['or', 'a key', '/or', key, 'alice'],
  ['or', 'a login', '/or', bob, 'bob'],
  ['or', 'a key and a login: the first that succeeds', '/or', { ...key, ...bob }, 'alice'],
  ['or', 'a wrong login', '/or', wrong, 'guest'],
  ['or', 'a wrong key and a login', '/or', { ...bob, apikey: 'x' }, 'bob'],
  ['or', 'nothing', '/or', {}, 'guest'],
  ['and', 'a key and a login: the last says who', '/and', { ...key, ...bob }, 'bob'],
  ['mixed', 'only the login, which alone is demanded', '/mixed', bob, 'bob'],
  ['anonymous', 'an id', '/by-id', {}, 'guest'],
])(
  'authentication %s: given %s, then the upstream is told %4$s',
  async (_mode, _given, path, headers, who) => {
    const { seen } = await world.through(path, { headers });
    expect(seen.headers['x-consumer-username']).toBe(who);
    expect(seen.headers['x-anonymous-consumer']).toBe(who === 'guest' ? 'true' : undefined);
  },
);

test.each<[mode: string, given: string, path: string, headers: Record<string, string>, message: string]>([
  ['and', 'only the key', '/and', key, 'Unauthorized'],
  ['and', 'only the login', '/and', bob, 'No API key found in request'],
  ['mixed', 'only the key', '/mixed', key, 'Unauthorized'],
])('authentication %s: given %s, then 401', async (_mode, _given, path, headers, message) => {
  expectError(await world.ask(path, { headers }), 401, message);
});

test('anonymous: given a custom_id, then it names nobody', async () => {
  const message = "anonymous consumer guest-custom is configured but doesn't exist";
  expectError(await world.ask('/by-custom-id'), 500, message);
});

test('anonymous: given request-termination for that consumer, then only known callers pass', async () => {
  expectExit(await world.ask('/closed'), 401, { message: 'Unauthorized' });
  expect((await world.ask('/closed', { headers: key })).status).toBe(200);
});

const preflight: CallOptions = {
  method: 'OPTIONS',
  headers: { origin: 'http://a.test', 'access-control-request-method': 'GET', 'user-agent': 'Googlebot/2.1' },
};
type OrderRow = [first: string, then: string, path: string, ask: CallOptions, status: number];
test.each<OrderRow>([
  ['cors', 'key-auth', '/cors-first', preflight, 200],
  ['bot-detection', 'cors', '/bot-first', preflight, 403],
  ['key-auth', 'ip-restriction', '/key-then-ip', header('x-real-ip', '10.0.0.1'), 401],
  ['request-size-limiting', 'acl', '/size-then-acl', { headers: key, method: 'POST', body: 'xx' }, 413],
  ['request-transformer', 'ai-prompt-guard', '/transform-then-guard', sent({ prompt: 'evil' }), 200],
])('order: %s runs before %s', async (_first, _then, path, ask, status) => {
  expect((await world.ask(path, ask)).status).toBe(status);
});

const counted = (ask: () => Promise<Answer>): Promise<Answer> =>
  eventually(async () => {
    const answer = await ask();
    expect(answer.headers['ratelimit-limit']).toBeDefined();
    return answer;
  });
test('order: acl runs before rate-limiting, so a refused caller spends nothing', async () => {
  for (let i = 0; i < 3; i++) {
    const refused = await world.ask('/acl-then-limit', header('apikey', 'bob'));
    expect(refused.status).toBe(403);
    expect(refused.headers['ratelimit-limit']).toBeUndefined();
  }
  const allowed = await counted(() => world.ask('/acl-then-limit', { headers: key }));
  expect(allowed.headers['ratelimit-remaining']).toBe('1');
});

test('order: rate-limiting runs before request-termination', async () => {
  const answers = [];
  for (let i = 0; i < 2; i++) answers.push(await counted(() => world.ask('/limit-then-stop')));
  expect(answers.map(({ status }) => status)).toEqual([503, 429]);
});

test('order: correlation-id runs before request-transformer, which can read the id', async () => {
  const { seen } = await world.through('/id-then-transform');
  expect(seen.headers['x-trace-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(seen.headers['x-trace-id']).toBe(seen.headers['x-request-id']);
});

test('order: key-auth runs before request-transformer, which can read the consumer', async () => {
  const { seen } = await world.through('/auth-then-transform', { headers: key });
  expect(seen.headers['x-who']).toBe('alice');
});

test('phases: given a refusal in access, then all response handlers still run', async () => {
  const answer = await world.ask('/refused-late', header('origin', 'http://a.test'));
  expectError(answer, 401, 'No API key found in request');
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': 'http://a.test',
    'x-after': '1',
    'x-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});
