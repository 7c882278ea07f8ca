import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, expectExit, header, nowSeconds, routesWith, signToken } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const pair = (kind: 'rsa' | 'P-256' | 'P-384' | 'P-521' | 'ed25519') =>
  kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: kind });
const rsa = pair('rsa');
const keys: Record<string, { publicKey: KeyObject; privateKey: KeyObject }> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: pair('P-256'),
  ES384: pair('P-384'),
  ES512: pair('P-521'),
  EdDSA: pair('ed25519'),
};
const SHARED = ['HS256', 'HS384', 'HS512'];
const SECRET = 'a-shared-secret';
const secrets = [
  { key: 'alice', secret: SECRET },
  { key: 'keyless', algorithm: 'ES256' },
  { key: 'alice-base64', secret: Buffer.from(SECRET).toString('base64url') },
  ...SHARED.map((algorithm) => ({ key: `key-${algorithm}`, algorithm, secret: SECRET })),
  ...Object.entries(keys).map(([algorithm, { publicKey }]) => ({
    key: `key-${algorithm}`,
    algorithm,
    rsa_public_key: publicKey.export({ type: 'spki', format: 'pem' }),
  })),
];

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = routesWith('jwt', {
    plain: {},
    names: { uri_param_names: ['t', 'u'], cookie_names: ['c'], header_names: ['x-token'] },
    kid: { key_claim_name: 'kid' },
    base64: { secret_is_base64: true },
    claims: { claims_to_verify: ['exp', 'nbf'] },
    maximum: { claims_to_verify: ['exp'], maximum_expiration: 86_400 },
    'no-preflight': { run_on_preflight: false },
    anonymous: { anonymous: 'guest' },
    'nobody-anonymous': { anonymous: 'nobody' },
    realm: { realm: 'R' },
  });
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      { username: 'alice', custom_id: 'alice-1', jwt_secrets: secrets },
      { username: 'guest', custom_id: 'guest-1' },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const now = nowSeconds();
const bearer = (token: string): CallOptions => header('authorization', `Bearer ${token}`);
const signed = (claims: object, header?: Document): string => signToken(claims, SECRET, header);
const claims = (rest: object): CallOptions => bearer(signed({ iss: 'alice', ...rest }));
const valid = signed({ iss: 'alice' });
const other = signed({ iss: 'alice', other: true });
const NONE = valid.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url'));
const NO_ALG = valid.replace(/^[^.]+/, Buffer.from('{"typ":"JWT"}').toString('base64url'));
const KEYLESS = pair('P-256').privateKey;
const ps256 = signed({ iss: 'key-PS256' }, { alg: 'PS256' }).split('.').slice(0, 2).join('.');
const es256 = signed({ iss: 'key-ES256' }, { alg: 'ES256' }).split('.').slice(0, 2).join('.');
const OPTIONS = { method: 'OPTIONS' };
const OK = 200;
const NO_TOKEN = { message: 'Unauthorized' };
const SEVERAL = { message: 'Multiple tokens provided' };
const ofNobody = { message: "No credentials found for given 'kid'" };

type Row = readonly [field: string, given: string, path: string, ask: CallOptions, gives: number | object];
test.each<Row>([
  ['header_names', 'a token after Bearer', '/plain', bearer(valid), OK],
  ['header_names', 'bearer in lower case', '/plain', header('authorization', `bearer   ${valid}`), OK],
  ['header_names', 'another header', '/names', bearer(valid), NO_TOKEN],
  ['header_names', 'the named header', '/names', header('x-token', `Bearer ${valid}`), OK],
  ['header_names', 'no Bearer in the header', '/names', header('x-token', valid), NO_TOKEN],
  ['uri_param_names', 'the default name', `/plain?jwt=${valid}`, {}, OK],
  ['uri_param_names', 'the second name', `/names?u=${valid}`, {}, OK],
  ['uri_param_names', 'another name', `/names?jwt=${valid}`, {}, NO_TOKEN],
  ['uri_param_names', 'an empty value', '/plain?jwt=', {}, NO_TOKEN],
  ['uri_param_names', 'a name twice', `/plain?jwt=${valid}&jwt=${other}`, {}, SEVERAL],
  ['uri_param_names', "the header's token (vector: 17)", `/plain?jwt=${valid}`, bearer(valid), OK],
  ['uri_param_names', 'another token (vector: 17)', `/plain?jwt=${other}`, bearer(valid), SEVERAL],
  ['cookie_names', 'the named cookie', '/names', header('cookie', `a=b; c=${valid}`), OK],
  ['cookie_names', 'none named', '/plain', header('cookie', `jwt=${valid}`), NO_TOKEN],
  ['key_claim_name', 'the key in the claims', '/kid', bearer(signed({ kid: 'alice' })), OK],
  ['key_claim_name', 'the key in the header', '/kid', bearer(signed({}, { kid: 'alice' })), OK],
  ['key_claim_name', 'no such claim', '/kid', bearer(valid), { message: "No mandatory 'kid' in claims" }],
  ['key_claim_name', 'it is empty', '/kid', claims({ kid: '' }), { message: "Invalid 'kid' in claims" }],
  ['key_claim_name', 'a key of nobody', '/kid', bearer(signed({ kid: 'x' })), ofNobody],
  ['secret_is_base64', 'a base64 secret', '/base64', claims({ iss: 'alice-base64' }), OK],
  ['secret_is_base64', 'false', '/plain', claims({ iss: 'alice-base64' }), { message: 'Invalid signature' }],
  ['claims_to_verify', 'both hold', '/claims', claims({ exp: now + 60, nbf: now }), OK],
  ['claims_to_verify', 'vector: 18', '/claims', claims({ exp: now, nbf: 0 }), { exp: 'token expired' }],
  [
    'claims_to_verify',
    'nbf',
    '/claims',
    claims({ exp: now + 900, nbf: now + 300 }),
    { nbf: 'token not valid yet' },
  ],
  ['claims_to_verify', 'text', '/claims', claims({ exp: '9', nbf: 0 }), { exp: 'must be a number' }],
  [
    'claims_to_verify',
    'neither is there',
    '/claims',
    claims({}),
    { exp: 'must be a number', nbf: 'must be a number' },
  ],
  [
    'claims_to_verify',
    'both fail',
    '/claims',
    claims({ exp: now - 9, nbf: now + 300 }),
    { exp: 'token expired', nbf: 'token not valid yet' },
  ],
  [
    'claims_to_verify',
    'exp is this second',
    '/claims',
    claims({ exp: now, nbf: now }),
    { exp: 'token expired' },
  ],
  ['claims_to_verify', 'nothing to verify', '/plain', claims({ exp: now - 9 }), OK],
  ['maximum_expiration', 'exp within it', '/maximum', claims({ exp: now + 80_000 }), OK],
  [
    'maximum_expiration',
    'exp beyond it (vector: 19)',
    '/maximum',
    claims({ exp: now + 90_000 }),
    { exp: 'exceeds maximum allowed expiration' },
  ],
  ['run_on_preflight', 'OPTIONS and false', '/no-preflight', OPTIONS, OK],
  ['run_on_preflight', 'GET and false', '/no-preflight', {}, NO_TOKEN],
  ['run_on_preflight', 'OPTIONS and true', '/plain', OPTIONS, NO_TOKEN],
  ['anonymous', 'Accept HTML and no token (vector: 16)', '/plain', header('accept', 'text/html'), NO_TOKEN],
  [
    '(token)',
    'no mandatory claim',
    '/plain',
    bearer(signed({})),
    { message: "No mandatory 'iss' in claims" },
  ],
  [
    '(token)',
    'a key of nobody',
    '/plain',
    bearer(signed({ iss: 'x' })),
    { message: "No credentials found for given 'iss'" },
  ],
  ['(token)', 'no alg', '/plain', bearer(NO_ALG), { message: 'Bad token; invalid alg' }],
  ['(token)', 'aud, iat and typ of anything', '/plain', claims({ aud: 7, iat: 'x' }), OK],
  [
    '(token)',
    'a key without a secret',
    '/plain',
    bearer(signToken({ iss: 'keyless' }, KEYLESS, { alg: 'ES256' })),
    { message: 'Invalid key/secret' },
  ],
  ['(token)', 'a short PS256 signature', '/plain', bearer(`${ps256}.AAAA`), { message: 'Invalid signature' }],
  ['(token)', 'no JSON', '/plain', bearer('x.y.z'), { message: 'Bad token; invalid JSON' }],
  ['(token)', 'alg none', '/plain', bearer(NONE), { message: 'Bad token; invalid alg' }],
  ['(token)', 'claims 1', '/plain', bearer(signToken(1, SECRET)), { message: 'Bad token; invalid claims' }],
  [
    '(token)',
    "not the key's alg",
    '/plain',
    bearer(signed({ iss: 'key-HS512' })),
    { message: 'Invalid algorithm' },
  ],
  [
    '(token)',
    'another secret',
    '/plain',
    bearer(signToken({ iss: 'alice' }, 'x')),
    { message: 'Invalid signature' },
  ],
  ['(token)', 'a short ES256 signature', '/plain', bearer(`${es256}.AAAA`), { message: 'Invalid signature' }],
])(
  'jwt %s: given %s, when %s is asked, then it is answered as in Kong',
  async (_field, _given, path, ask, gives) => {
    const answer = await world.ask(path, ask);
    if (gives === OK) {
      expect(answer.status).toBe(200);
      return;
    }
    expectExit(answer, 401, gives);
    expect(answer.headers['www-authenticate']).toBe(
      gives === NO_TOKEN ? 'Bearer' : 'Bearer error="invalid_token"',
    );
  },
);

test.each([
  { given: 'no token', ask: {}, challenge: 'Bearer realm="R"' },
  { given: 'a bad token', ask: bearer('x'), challenge: 'Bearer realm="R", error="invalid_token"' },
])('jwt realm: given $given, then WWW-Authenticate is $challenge', async ({ ask, challenge }) => {
  const answer = await world.ask('/realm', ask);
  expect(answer.headers['www-authenticate']).toBe(challenge);
});

test.each([...SHARED, ...Object.keys(keys)])(
  'jwt algorithm %s: a token so signed is accepted',
  async (alg) => {
    const key = keys[alg]?.privateKey ?? SECRET;
    const answer = await world.ask('/plain', bearer(signToken({ iss: `key-${alg}` }, key, { alg })));
    expect({ status: answer.status, text: answer.status === 200 ? '' : answer.text }).toEqual({
      status: 200,
      text: '',
    });
  },
);

test('jwt: given a valid token, then the upstream is told who calls and gets the token (vector: 20)', async () => {
  const headers = { authorization: `Bearer ${valid}`, 'x-anonymous-consumer': 'true', 'x-consumer-id': 'me' };
  const { seen } = await world.through('/plain', { headers });
  const { data } = (await world.admin('/consumers')).json<{ data: { id: string; username: string }[] }>();
  expect(seen.headers).toMatchObject({
    'x-consumer-id': data.find(({ username }) => username === 'alice')?.id,
    'x-consumer-username': 'alice',
    'x-consumer-custom-id': 'alice-1',
    'x-credential-identifier': 'alice',
    authorization: `Bearer ${valid}`,
  });
  expect(seen.headers['x-anonymous-consumer']).toBeUndefined();
});

test.each([
  { given: 'no token', ask: {} },
  { given: 'a bad token', ask: bearer('x') },
])('jwt anonymous: given $given, then the request goes on as that consumer', async ({ ask }) => {
  const { seen } = await world.through('/anonymous', ask);
  expect(seen.headers).toMatchObject({
    'x-consumer-username': 'guest',
    'x-consumer-custom-id': 'guest-1',
    'x-anonymous-consumer': 'true',
  });
  expect(seen.headers['x-credential-identifier']).toBeUndefined();
});

test('jwt anonymous: given a valid token, then the caller is who the token says', async () => {
  const { seen } = await world.through('/anonymous', bearer(valid));
  expect(seen.headers).toMatchObject({ 'x-consumer-username': 'alice', 'x-credential-identifier': 'alice' });
});

test('jwt anonymous: given a consumer that is not there, then 500 names it', async () => {
  expectError(
    await world.ask('/nobody-anonymous'),
    500,
    "anonymous consumer nobody is configured but doesn't exist",
  );
});
