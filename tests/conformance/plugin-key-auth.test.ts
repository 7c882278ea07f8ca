import { type CallOptions, eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, header, nowSeconds, routesWith, sent } from './plugin-cases.ts';
import { World } from './world.ts';

let world: World;
const aliceKeyId = '11111111-1111-4111-8111-111111111111';
beforeAll(async () => {
  world = await World.shared();
  const routes = routesWith('key-auth', {
    plain: {},
    names: { key_names: ['x-key', 'api_key'] },
    'no-header': { key_in_header: false },
    'no-query': { key_in_query: false },
    body: { key_in_body: true },
    hidden: { hide_credentials: true, key_in_body: true },
    'no-preflight': { run_on_preflight: false },
    anonymous: { anonymous: 'guest' },
    realm: { realm: 'R' },
  });
  const keys = [
    { id: aliceKeyId, key: 'secret' },
    { key: 'short-lived', ttl: 60, created_at: nowSeconds() - 61 },
    { key: 'still-good', ttl: 600, created_at: nowSeconds() },
    { key: 'endless', ttl: 0, created_at: 1_600_000_000 },
  ];
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [{ username: 'alice', custom_id: 'a-1', keyauth_credentials: keys }, { username: 'guest' }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=b';
const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const apikey = header('apikey', 'secret');
const twice: CallOptions = { headers: { apikey: ['secret', 'other'] } };
const OPTIONS = { method: 'OPTIONS' };
const OK = 200;
const NO_KEY = 'No API key found in request';
const TWICE = 'Duplicate API key found';

type Row = readonly [field: string, given: string, path: string, ask: CallOptions, gives: number | string];
test.each<Row>([
  ['key_names', 'the default name', '/plain', apikey, OK],
  ['key_names', 'the header in another case', '/plain', header('APIKEY', 'secret'), OK],
  ['key_names', 'no key', '/plain', {}, NO_KEY],
  ['key_names', 'an empty key', '/plain?apikey=', {}, NO_KEY],
  ['key_names', 'a key of nobody', '/plain', header('apikey', 'nobodys'), 'Unauthorized'],
  ['key_names', 'the first name', '/names', header('x-key', 'secret'), OK],
  ['key_names', 'the second name', '/names?api_key=secret', {}, OK],
  ['key_names', 'the default name where others are set', '/names', apikey, NO_KEY],
  ['key_names', 'the first name wins', '/names?api_key=secret', header('x-key', 'bad'), 'Unauthorized'],
  ['key_names', 'the header wins over the query', '/plain?apikey=bad', apikey, OK],
  ['key_in_header', 'false and a header', '/no-header', apikey, NO_KEY],
  ['key_in_header', 'false and a query argument', '/no-header?apikey=secret', {}, OK],
  ['key_in_query', 'a query argument', '/plain?a=b&apikey=secret', {}, OK],
  ['key_in_query', 'false and a query argument', '/no-query?apikey=secret', {}, NO_KEY],
  ['key_in_query', 'false and a header', '/no-query', apikey, OK],
  ['key_in_query', 'vector: 21', '/plain?apikey=a&apikey=b', {}, TWICE],
  ['key_in_header', 'the header twice', '/plain', twice, TWICE],
  ['key_in_body', 'JSON', '/body', sent({ apikey: 'secret' }), OK],
  ['key_in_body', 'a form', '/body', sent('a=b&apikey=secret', FORM), OK],
  ['key_in_body', 'a multipart form', '/body', sent(`${part('apikey', 'secret')}--b--\r\n`, MULTIPART), OK],
  ['key_in_body', 'a form with two', '/body', sent('apikey=a&apikey=b', FORM), TWICE],
  ['key_in_body', 'false and JSON', '/plain', sent({ apikey: 'secret' }), NO_KEY],
  ['key_in_body', 'plain text', '/body', sent('apikey=secret', 'text/plain'), NO_KEY],
  ['run_on_preflight', 'OPTIONS and false', '/no-preflight', OPTIONS, OK],
  ['run_on_preflight', 'GET and false', '/no-preflight', {}, NO_KEY],
  ['run_on_preflight', 'OPTIONS and true', '/plain', OPTIONS, NO_KEY],
  ['ttl', 'a credential whose time is over', '/plain', header('apikey', 'short-lived'), 'Unauthorized'],
  ['ttl', 'a credential whose time is not over', '/plain', header('apikey', 'still-good'), OK],
  ['ttl', 'a credential with ttl 0', '/plain', header('apikey', 'endless'), OK],
])('key-auth %s: given %s, when %s is asked, then it is answered as in Kong', async (...row) => {
  const [, , path, ask, gives] = row;
  const answer = await world.ask(path, ask);
  if (typeof gives === 'number') {
    expect(answer.status).toBe(gives);
    return;
  }
  expectError(answer, 401, gives);
  expect(answer.headers['www-authenticate']).toBe('Key');
});

test('key-auth realm: given R, then WWW-Authenticate names it', async () => {
  const answer = await world.ask('/realm');
  expectError(answer, 401, NO_KEY);
  expect(answer.headers['www-authenticate']).toBe('Key realm="R"');
});

test('key-auth: given a refusal and Accept text/html, then it is HTML', async () => {
  const answer = await world.ask('/plain', header('accept', 'text/html'));
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.text).toContain(`<p>${NO_KEY}.</p>`);
});

test('key-auth: given a valid key, then the upstream is told who calls', async () => {
  const { seen } = await world.through('/plain', {
    headers: { apikey: 'secret', 'x-credential-identifier': 'mine', 'x-anonymous-consumer': 'true' },
  });
  expect(seen.headers).toMatchObject({
    apikey: 'secret',
    'x-consumer-username': 'alice',
    'x-consumer-custom-id': 'a-1',
    'x-credential-identifier': aliceKeyId,
  });
  expect(seen.headers['x-anonymous-consumer']).toBeUndefined();
});

test.each<[where: string, path: string, ask: CallOptions]>([
  ['header', '/hidden', apikey],
  ['query', '/hidden?a=b&apikey=secret', {}],
  ['JSON body', '/hidden', sent({ apikey: 'secret', a: 'b' })],
  ['form body', '/hidden', sent('apikey=secret&a=b', FORM)],
  ['multipart body', '/hidden', sent(`${part('apikey', 'secret')}${part('a', 'b')}--b--\r\n`, MULTIPART)],
])('key-auth hide_credentials: given a key in the %s, then the upstream does not see it', async (...row) => {
  const [, path, ask] = row;
  const { seen } = await world.through(path, ask);
  expect(JSON.stringify([seen.url, seen.headers, seen.body])).not.toMatch(/secret|apikey/);
  if (seen.body !== '') expect(seen.headers['content-length']).toBe(`${Buffer.byteLength(seen.body)}`);
  if (path.includes('?')) expect(seen.url).toBe('/?a=b');
});

test.each<[given: string, ask: CallOptions]>([
  ['no key', {}],
  ['a key of nobody', header('apikey', 'nobodys')],
  ['an expired key', header('apikey', 'short-lived')],
])('key-auth anonymous: given %s, then the request goes on as that consumer', async (_given, ask) => {
  const { seen } = await world.through('/anonymous', ask);
  expect(seen.headers).toMatchObject({ 'x-consumer-username': 'guest', 'x-anonymous-consumer': 'true' });
  expect(seen.headers['x-credential-identifier']).toBeUndefined();
});

test('key-auth ttl: given a key that ends while it is in use, then it stops to be one', async () => {
  const created = await world.post('/consumers/alice/key-auth', { key: 'ends-soon', ttl: 2 });
  expect(created.json()).toMatchObject({ key: 'ends-soon' });
  await eventually(async () => (await world.ask('/plain', header('apikey', 'ends-soon'))).status === 200);
  await eventually(async () => (await world.ask('/plain', header('apikey', 'ends-soon'))).status === 401);
});
