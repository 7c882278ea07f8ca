import { createHash, createHmac } from 'node:crypto';
import type { ConfigOp } from '@sluice/contracts';
import { ConfigState, type Entities, hashPassword } from '@sluice/gateway-config';
import { silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { Credentials } from '../src/credentials.ts';
import { consumer, hs256, plugin, startWorld, stored } from './fixtures.ts';

const ofAlice = { consumer: { id: consumer.id } };
const NOW = 1_800_000_000_000;

const key = (over: object = {}) => ({
  ...stored,
  ...ofAlice,
  id: 'key-1',
  key: 'k-alice',
  ttl: null,
  ...over,
});
const login = (over: object = {}) => ({
  ...stored,
  ...ofAlice,
  id: 'basic-1',
  username: 'alice',
  password: hashPassword('s3cret:ü', consumer.id),
  ...over,
});
const signer = (over: object = {}) => ({
  ...stored,
  ...ofAlice,
  id: 'hmac-1',
  username: 'alice',
  secret: 'hush',
  ...over,
});
const acl = (group: string, over: object = {}) => ({
  ...stored,
  ...ofAlice,
  id: `acl-${group}`,
  group,
  ...over,
});

const IDS = { jwt: 'p-jwt', key: 'p-key', basic: 'p-basic', hmac: 'p-hmac' };
const configured = (parts: Entities = {}): Entities => ({
  plugins: [
    plugin({}, { id: IDS.jwt }),
    plugin({}, { id: IDS.key, name: 'key-auth' }),
    plugin({}, { id: IDS.basic, name: 'basic-auth' }),
    plugin({}, { id: IDS.hmac, name: 'hmac-auth' }),
  ],
  keyauth_credentials: [key()],
  basicauth_credentials: [login()],
  hmacauth_credentials: [signer()],
  acls: [acl('gold'), acl('beta'), acl('other', { consumer: { id: 'somebody-else' } })],
  ...parts,
});
const start = (parts: Entities = {}) => startWorld(configured(parts), { clock: () => NOW });

const ALICE = {
  outcome: 'allow',
  consumer: { id: 'consumer-1', username: 'alice', customId: 'a-1' },
  groups: ['gold', 'beta'],
};
const UNAUTHORIZED = { outcome: 'deny', cacheMs: 1000, body: { message: 'Unauthorized' } };

test('given a key, then its consumer with groups; the credential is named by its id, never by the key', async () => {
  await using world = await start();
  const verdict = await world.check({ scheme: 'key', token: 'k-alice' }, IDS.key);
  expect(verdict).toEqual({ ...ALICE, cacheMs: 60_000, credential: { id: 'key-1', identifier: 'key-1' } });
});

test('given a consumer without groups, then the verdict has none', async () => {
  await using world = await start({ acls: [] });
  expect(await world.check({ scheme: 'key', token: 'k-alice' }, IDS.key)).not.toHaveProperty('groups');
});

test('given a jwt of a consumer, then the verdict has its groups as well', async () => {
  await using world = await start();
  expect(await world.check({ scheme: 'jwt', token: hs256({ iss: 'alice-key' }) }, IDS.jwt)).toMatchObject(
    ALICE,
  );
});

test.each(['nope', 'K-ALICE', 'k-alice ', createHash('sha256').update('k-alice').digest('base64')])(
  'given the key "%s" that is nobody’s, then a denial',
  async (token) => {
    await using world = await start();
    const verdict = await world.check({ scheme: 'key', token }, IDS.key);
    expect(verdict).toEqual({ ...UNAUTHORIZED, reason: 'no_credentials' });
  },
);

const createdSecondsAgo = (seconds: number) => ({ created_at: NOW / 1000 - seconds });
test.each([
  ['whose time is over', { ttl: 60, ...createdSecondsAgo(60) }, 'deny', 1000],
  ['with half a minute left', { ttl: 60, ...createdSecondsAgo(30) }, 'allow', 30_000],
  ['with an hour left', { ttl: 3660, ...createdSecondsAgo(60) }, 'allow', 60_000],
  ['with a ttl of 0', { ttl: 0, ...createdSecondsAgo(60) }, 'allow', 60_000],
])('given a key %s, then its verdict never outlives it', async (_, over, outcome, cacheMs) => {
  await using world = await start({ keyauth_credentials: [key(over)] });
  const verdict = await world.check({ scheme: 'key', token: 'k-alice' }, IDS.key);
  expect(verdict).toMatchObject({ outcome, cacheMs });
});

const basic = (text: string | Buffer) => ({
  scheme: 'basic' as const,
  token: Buffer.from(text).toString('base64'),
});

test('given user name and password, colons and all, then the consumer', async () => {
  await using world = await start();
  const verdict = await world.check(basic('alice:s3cret:ü'), IDS.basic);
  expect(verdict).toEqual({ ...ALICE, cacheMs: 60_000, credential: { id: 'basic-1', identifier: 'alice' } });
});

test.each([
  ['a wrong password', 'alice:s3cret', 'invalid_password'],
  ['no password', 'alice:', 'invalid_password'],
  ['an unknown user', 'bob:s3cret:ü', 'no_credentials'],
  ['no user', ':s3cret:ü', 'malformed'],
  ['no colon', 'alice', 'malformed'],
  ['the password in another encoding', Buffer.from('alice:s3cret:ü', 'latin1'), 'invalid_password'],
])('given %s, then a denial that says no more than the others to the client', async (_, text, reason) => {
  await using world = await start();
  expect(await world.check(basic(text), IDS.basic)).toEqual({ ...UNAUTHORIZED, reason });
});

test('given a stored password that is no hash, then nothing matches it', async () => {
  await using world = await start({ basicauth_credentials: [login({ password: '' })] });
  expect(await world.check(basic('alice:'), IDS.basic)).toMatchObject({ reason: 'invalid_password' });
});

const TEXT = 'date: Sun, 22 Nov 2026 12:00:00 GMT\nGET /ü HTTP/1.1';
type Algorithm = 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
const signature = (algorithm: Algorithm, secret = 'hush', over: object = {}) => ({
  scheme: 'hmac' as const,
  token: createHmac(algorithm.slice(5), secret).update(TEXT).digest('base64'),
  hmac: { username: 'alice', algorithm, signingString: TEXT, ...over },
});

test.each(['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const)(
  'given a signature with %s, then the consumer, for this request alone',
  async (algorithm) => {
    await using world = await start();
    const verdict = await world.check(signature(algorithm), IDS.hmac);
    expect(verdict).toEqual({ ...ALICE, cacheMs: 0, credential: { id: 'hmac-1', identifier: 'alice' } });
  },
);

const NO_MATCH = 'HMAC signature does not match';
const NOT_VERIFIABLE = 'HMAC signature cannot be verified';
test.each([
  ['another secret', signature('hmac-sha256', 'huh'), NO_MATCH],
  ['another text', signature('hmac-sha256', 'hush', { signingString: `${TEXT} ` }), NO_MATCH],
  ['another algorithm', signature('hmac-sha256', 'hush', { algorithm: 'hmac-sha512' }), NO_MATCH],
  ['a part of the signature', { ...signature('hmac-sha256'), token: 'aGk=' }, NO_MATCH],
  ['an unknown user', signature('hmac-sha256', 'hush', { username: 'bob' }), NOT_VERIFIABLE],
  ['nothing about the signature', { scheme: 'hmac' as const, token: 'aGk=' }, NOT_VERIFIABLE],
])('given a signature made with %s, then a denial nobody keeps', async (_, check, message) => {
  await using world = await start();
  const verdict = await world.check(check as ReturnType<typeof signature>, IDS.hmac);
  expect(verdict).toMatchObject({ outcome: 'deny', cacheMs: 0, body: { message } });
});

test.each([
  ['key', { scheme: 'key' as const, token: 'k-alice' }],
  ['basic', basic('alice:s3cret:ü')],
  ['hmac', signature('hmac-sha256')],
] as const)('given a %s credential whose consumer is gone, then a denial', async (scheme, check) => {
  await using world = await start({ consumers: [] });
  expect(await world.check(check, IDS[scheme])).toMatchObject({ outcome: 'deny', reason: 'no_consumer' });
});

test('a credential can be asked about only in the name of a plugin of its scheme', async () => {
  await using world = await start();
  await expect(world.check({ scheme: 'key', token: 'k-alice' }, IDS.basic)).rejects.toThrow('no such plugin');
});

test('keys, user names and groups follow the commits', () => {
  const credentials = new Credentials({}, silentLogger());
  const state = ConfigState.fromEntities(configured());
  credentials.load(state);
  const follow = (...ops: ConfigOp[]) => {
    state.apply(ops);
    credentials.follow(ops, state);
  };
  const { ofConsumers } = credentials;
  follow(
    { op: 'put', kind: 'keyauth_credentials', id: 'key-1', entity: key({ key: 'k-new' }) },
    { op: 'put', kind: 'basicauth_credentials', id: 'basic-2', entity: login({ id: 'basic-2' }) },
    { op: 'delete', kind: 'basicauth_credentials', id: 'basic-1' },
    { op: 'delete', kind: 'hmacauth_credentials', id: 'hmac-1' },
    { op: 'put', kind: 'acls', id: 'acl-gold', entity: acl('silver', { id: 'acl-gold' }) },
    { op: 'delete', kind: 'acls', id: 'acl-beta' },
  );
  expect(ofConsumers.apiKey('k-alice')).toBeUndefined();
  expect(ofConsumers.apiKey('k-new')?.id).toBe('key-1');
  expect(ofConsumers.password('alice')?.id).toBe('basic-2');
  expect(ofConsumers.secret('alice')).toBeUndefined();
  expect(ofConsumers.groupsOf(ofAlice.consumer)).toEqual(['silver']);
  credentials.load(new ConfigState());
  expect(ofConsumers.apiKey('k-new')).toBeUndefined();
  expect(ofConsumers.groupsOf(ofAlice.consumer)).toEqual([]);
});
