import { createHash } from 'node:crypto';
import type { CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, routesWith, routeWith } from './plugin-cases.ts';
import { World } from './world.ts';

let world: World;
const ALICE_ID = '22222222-2222-4222-8222-222222222222';
const basic = (login: string, scheme = 'Basic ', name = 'authorization'): CallOptions =>
  header(name, `${scheme}${Buffer.from(login).toString('base64')}`);
const alice = basic('alice:p:w');
const acl = (name: string, config: object, auth: object = {}) =>
  routeWith(name, [
    { name: 'basic-auth', config: auth },
    { name: 'acl', config },
  ]);

beforeAll(async () => {
  world = await World.shared();
  const routes = [
    ...routesWith('basic-auth', {
      plain: {},
      realm: { realm: 'R' },
      hidden: { hide_credentials: true },
      anonymous: { anonymous: 'guest' },
    }),
    acl('allow-gold', { allow: ['gold', 'silver'] }),
    acl('allow-other', { allow: ['iron'] }),
    acl('deny-gold', { deny: ['gold'] }),
    acl('deny-other', { deny: ['iron'] }),
    acl('hide-groups', { allow: ['gold'], hide_groups_header: true }),
    acl('own-groups', { allow: ['gold'], always_use_authenticated_groups: true }),
    acl('guests', { allow: ['gold'] }, { anonymous: 'guest' }),
    acl('guests-denied', { deny: ['gold'] }, { anonymous: 'guest' }),
    routeWith('alone', [{ name: 'acl', config: { allow: ['gold'] } }]),
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      {
        id: ALICE_ID,
        username: 'alice',
        basicauth_credentials: [{ username: 'alice', password: 'p:w' }],
        acls: [{ group: 'gold' }, { group: 'staff' }],
      },
      { username: 'bob', basicauth_credentials: [{ username: 'bob', password: 'b' }] },
      {
        username: 'carol',
        basicauth_credentials: [{ username: 'carol', password: 'c' }],
        acls: [{ group: 'silver' }],
      },
      { username: 'guest' },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

type Row = readonly [field: string, given: string, path: string, ask: CallOptions, isLetIn: boolean];
test.each<Row>([
  ['(credentials)', 'the right password, with a colon in it', '/plain', alice, true],
  ['(credentials)', 'scheme in lower case', '/plain', basic('alice:p:w', 'basic '), true],
  ['(credentials)', 'several blanks', '/plain', basic('alice:p:w', 'Basic   '), true],
  [
    '(credentials)',
    'Proxy-Authorization',
    '/plain',
    basic('alice:p:w', 'Basic ', 'proxy-authorization'),
    true,
  ],
  ['(credentials)', 'none', '/plain', {}, false],
  ['(credentials)', 'another password', '/plain', basic('alice:p'), false],
  ['(credentials)', 'an unknown user', '/plain', basic('dave:p:w'), false],
  ['(credentials)', 'no colon', '/plain', basic('alice'), false],
  ['(credentials)', 'another scheme', '/plain', basic('alice:p:w', 'Bearer '), false],
  ['(credentials)', 'no base64', '/plain', header('authorization', 'Basic !!'), false],
])('basic-auth %s: given %s, when %s is asked, then Kong lets in or refuses', async (...row) => {
  const [, , path, ask, isLetIn] = row;
  const answer = await world.ask(path, ask);
  if (isLetIn) {
    expect(answer.status).toBe(200);
    return;
  }
  expectError(answer, 401, 'Unauthorized');
  expect(answer.headers['www-authenticate']).toBe('Basic realm="service"');
});

test('basic-auth realm: given R, then WWW-Authenticate names it', async () => {
  expect((await world.ask('/realm')).headers['www-authenticate']).toBe('Basic realm="R"');
});

test('basic-auth: given a valid login, then the upstream is told who calls and sees the header', async () => {
  const { seen } = await world.through('/plain', alice);
  expect(seen.headers).toMatchObject({
    'x-consumer-id': ALICE_ID,
    'x-consumer-username': 'alice',
    'x-credential-identifier': 'alice',
    authorization: alice.headers?.authorization,
  });
});

test.each(['authorization', 'proxy-authorization'])(
  'basic-auth hide_credentials: given %s, then the upstream does not see it',
  async (name) => {
    const { seen } = await world.through('/hidden', basic('alice:p:w', 'Basic ', name));
    expect(seen.headers[name]).toBeUndefined();
    expect(seen.headers['x-consumer-username']).toBe('alice');
  },
);

test('basic-auth anonymous: given a wrong password, then the request goes on as that consumer', async () => {
  const { seen } = await world.through('/anonymous', basic('alice:x'));
  expect(seen.headers).toMatchObject({ 'x-consumer-username': 'guest', 'x-anonymous-consumer': 'true' });
});

test('basic-auth: a stored password is SHA-1 of the password and the consumer id', async () => {
  const { data } = (await world.admin('/consumers/alice/basic-auth')).json<{
    data: { password: string }[];
  }>();
  const hash = createHash('sha1').update(`p:w${ALICE_ID}`).digest('hex');
  expect(data.map(({ password }) => password)).toEqual([hash]);
});

const FORBIDDEN = 'You cannot consume this service';
type AclRow = readonly [
  field: string,
  given: string,
  path: string,
  ask: CallOptions,
  gives: [number, string?],
];
test.each<AclRow>([
  ['allow', 'a consumer of a listed group', '/allow-gold', alice, [200]],
  ['allow', 'a consumer of another group (vector: 22)', '/allow-other', basic('carol:c'), [403, FORBIDDEN]],
  ['allow', 'a consumer without groups', '/allow-gold', basic('bob:b'), [403, FORBIDDEN]],
  ['allow', 'no authentication at all', '/alone', {}, [401, 'Unauthorized']],
  ['allow', 'an anonymous consumer without groups', '/guests', {}, [401, 'Unauthorized']],
  ['deny', 'a consumer of a listed group', '/deny-gold', alice, [403, FORBIDDEN]],
  ['deny', 'a consumer of another group', '/deny-other', alice, [200]],
  ['deny', 'a consumer without groups', '/deny-gold', basic('bob:b'), [200]],
  ['deny', 'an anonymous consumer without groups', '/guests-denied', {}, [200]],
])('acl %s: given %s, when %s is asked, then it is answered as in Kong', async (...row) => {
  const [, , path, ask, [status, message]] = row;
  const answer = await world.ask(path, ask);
  if (message === undefined) expect(answer.status).toBe(status);
  else expectError(answer, status, message);
});

test.each<[field: string, path: string, groups: string | undefined]>([
  ['allow', '/allow-gold', 'gold, staff'],
  ['deny', '/deny-other', 'gold, staff'],
  ['hide_groups_header', '/hide-groups', undefined],
  ['always_use_authenticated_groups', '/own-groups', 'gold, staff'],
])('acl %s: when %s is asked, then X-Consumer-Groups is %s', async (_field, path, groups) => {
  const { seen } = await world.through(path, alice);
  const names = seen.headers['x-consumer-groups']?.split(', ').sort().join(', ');
  expect(names).toBe(groups);
  expect(seen.headers['x-authenticated-groups']).toBeUndefined();
});
