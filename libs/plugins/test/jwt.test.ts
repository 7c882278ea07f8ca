import { GatewayError } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { jwt } from '../src/jwt.ts';
import { type Given, identityOf, seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const CALLER = identityOf({
  consumer: { id: 'c1', username: 'bob' },
  credential: { id: 'k1', identifier: 'issuer-key' },
  tenantId: 't1',
});
const ALLOW = { outcome: 'allow', identity: CALLER } as const;
const EXPIRED = { outcome: 'deny', body: { exp: 'token expired' }, reason: 'token_expired' } as const;
const EVERYWHERE = { uri_param_names: ['jwt'], cookie_names: ['jwt_token'] };

const places: [string, Given][] = [
  ['a query argument', { target: '/?a=1&jwt=aaa' }],
  ['a cookie', { headers: { Cookie: 'x=1; jwt_token=aaa' } }],
  ['the second cookie line', { headers: { Cookie: ['x=1', 'jwt_token=aaa'] } }],
  ['a header', { headers: { Authorization: 'Bearer aaa' } }],
  ['a lower-case scheme with blanks', { headers: { authorization: 'bearer   aaa' } }],
  ['query and header at once', { target: '/?jwt=aaa', headers: { Authorization: 'Bearer aaa' } }],
  [
    'a header beside empty places',
    { target: '/?jwt=', headers: { Authorization: 'Bearer aaa', Cookie: 'jwt_token=' } },
  ],
];
test.each(places)('given a token in %s, when the request comes, then that token is verified', (_, given) => {
  const ports = testPorts({ verify: ALLOW });
  expect(instance(jwt, EVERYWHERE).access(testExchange(given), ports)).toBeUndefined();
  expect(ports.asked).toEqual(['p1', { scheme: 'jwt', token: 'aaa' }]);
});

const local: [string, Given, string, string][] = [
  ['no token', {}, 'Unauthorized', 'Bearer'],
  ['another scheme', { headers: { Authorization: 'Basic aaa' } }, 'Unauthorized', 'Bearer'],
  [
    'two tokens',
    { target: '/?jwt=aaa', headers: { Authorization: 'Bearer bbb' } },
    'Multiple tokens provided',
    'Bearer error="invalid_token"',
  ],
  [
    'one argument twice',
    { target: '/?jwt=aaa&jwt=bbb' },
    'Multiple tokens provided',
    'Bearer error="invalid_token"',
  ],
];
test.each(local)(
  'given %s, when the request comes, then it is refused without asking',
  (_, given, message, challenge) => {
    expect(refusalOf(instance(jwt).access(testExchange(given)))).toEqual({
      code: 'GW_UNAUTHENTICATED',
      status: 401,
      body: { message },
      headers: { 'WWW-Authenticate': challenge },
    });
  },
);

test('a token longer than the contract carries is refused without asking', () => {
  const exchange = testExchange({ headers: { Authorization: `Bearer ${'a'.repeat(32_769)}` } });
  expect(refusalOf(instance(jwt).access(exchange))).toMatchObject({
    body: { message: 'Bad token; invalid JSON' },
  });
});

test('a denial carries the exact body of the auth process and names the realm', () => {
  const exchange = testExchange({ target: '/?jwt=aaa' });
  const step = instance(jwt, { realm: 'R' }).access(exchange, testPorts({ verify: EXPIRED }));
  expect(refusalOf(step)).toMatchObject({
    status: 401,
    body: { exp: 'token expired' },
    headers: { 'WWW-Authenticate': 'Bearer realm="R", error="invalid_token"' },
  });
  expect(refusalOf(instance(jwt, { realm: 'R' }).access(testExchange()))).toMatchObject({
    headers: { 'WWW-Authenticate': 'Bearer realm="R"' },
  });
});

test('a valid token sets the identity and its headers over those a client sent', () => {
  const headers = {
    'X-Consumer-ID': 'spoofed',
    'X-Consumer-Custom-ID': 'spoofed',
    'X-Anonymous-Consumer': 'true',
  };
  const exchange = testExchange({ target: '/?jwt=aaa', headers });
  void instance(jwt).access(exchange, testPorts({ verify: ALLOW }));
  expect(exchange.identity).toEqual(CALLER);
  expect(seen(exchange.toUpstream)).toEqual({
    'x-consumer-id': 'c1',
    'x-consumer-username': 'bob',
    'x-credential-identifier': 'issuer-key',
  });
});

test('a verdict that comes later is waited for', async () => {
  const ports = { ...testPorts(), verifyCredential: async () => EXPIRED };
  const step = await instance(jwt).access(testExchange({ target: '/?jwt=aaa' }), ports);
  expect(refusalOf(step)).toMatchObject({ status: 401 });
});

test.each([{}, { anonymous: 'guest' }])(
  'given auth is away and %o, when a token comes, then nobody is let in',
  (config) => {
    const away = new GatewayError('GW_AUTH_UNAVAILABLE');
    const exchange = testExchange({ target: '/?jwt=aaa' });
    expect(instance(jwt, config).access(exchange, testPorts({ verify: away }))).toBe(away);
    expect(exchange.identity).toBeUndefined();
  },
);

test.each([
  ['no token', {}],
  ['a refused token', { target: '/?jwt=aaa' }],
])('given an anonymous consumer and %s, when the request comes, then it goes on as that one', (_, given) => {
  const exchange = testExchange({ ...given, headers: { 'X-Credential-Identifier': 'spoofed' } });
  const ports = testPorts({ verify: EXPIRED, consumers: [{ id: 'c9', username: 'guest' }] });
  expect(instance(jwt, { anonymous: 'guest' }).access(exchange, ports)).toBeUndefined();
  expect(exchange.identity?.consumer).toEqual({ id: 'c9', username: 'guest' });
  expect(exchange.identity?.credential).toBeUndefined();
  expect(seen(exchange.toUpstream)).toEqual({
    'x-consumer-id': 'c9',
    'x-consumer-username': 'guest',
    'x-anonymous-consumer': 'true',
  });
});

test('an anonymous consumer that does not exist is an error, not an open door', () => {
  const step = instance(jwt, { anonymous: 'ghost' }).access(testExchange(), testPorts({ consumers: [] }));
  expect(refusalOf(step)).toMatchObject({
    status: 500,
    body: { message: "anonymous consumer ghost is configured but doesn't exist" },
  });
});

test('given an earlier plugin authenticated, when anonymous is set, then the token is not looked at', () => {
  const exchange = testExchange({ identity: { credential: { id: 'k', identifier: 'k' } } });
  expect(instance(jwt, { anonymous: 'guest' }).access(exchange)).toBeUndefined();
});

test('OPTIONS is exempt only where run_on_preflight is false', () => {
  const exchange = testExchange({ method: 'OPTIONS' });
  expect(instance(jwt, { run_on_preflight: false }).access(exchange)).toBeUndefined();
  expect(refusalOf(instance(jwt).access(exchange))).toMatchObject({ status: 401 });
});

const refused: [unknown, Record<string, string>][] = [
  [{ maximum_expiration: 60, claims_to_verify: ['nbf'] }, { claims_to_verify: 'expected to contain: exp' }],
  [{ maximum_expiration: -1 }, { maximum_expiration: 'value should be between 0 and 31536000' }],
  [{ claims_to_verify: ['aud'] }, { 'claims_to_verify.0': 'expected one of: exp, nbf' }],
  [{ key_claim: 'iss' }, { '': 'unknown field' }],
  [{ realm: 'a\r\nX: y' }, { realm: 'must not contain control characters' }],
];
test.each(refused)('the configuration %j is refused', (config, problems) => {
  expect(problemsOf(jwt, config)).toMatchObject(problems);
});

test("the original platform's configuration is accepted", () => {
  const config = {
    uri_param_names: ['jwt'],
    cookie_names: ['jwt_token'],
    claims_to_verify: ['exp', 'nbf', 'exp'],
    key_claim_name: 'iss',
    secret_is_base64: false,
    run_on_preflight: false,
    maximum_expiration: 86_400,
  };
  expect(jwt.config.parse(config)).toMatchObject({
    claims_to_verify: ['exp', 'nbf'],
    anonymous: null,
    realm: null,
  });
});
