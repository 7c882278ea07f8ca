import { expect, test } from 'vitest';
import { oidc } from '../src/oidc.ts';
import { identityOf, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const bearer = { headers: { Authorization: 'Bearer aaa' } };
const denied = (reason: string, message: string) =>
  testPorts({ verify: { outcome: 'deny', body: { message }, reason } });

test('given a bearer token, then auth judges it under this instance', () => {
  const ports = testPorts({ verify: { outcome: 'allow', identity: identityOf({ tenantId: 't1' }) } });
  const exchange = testExchange(bearer);
  expect(instance(oidc).access(exchange, ports)).toBeUndefined();
  expect(ports.asked).toEqual(['p1', { scheme: 'jwt', token: 'aaa' }]);
  expect(exchange.identity?.tenantId).toBe('t1');
});

test('by default a token in the query or a cookie is no token', () => {
  const given = { target: '/?jwt=aaa&access_token=aaa', headers: { Cookie: 'jwt=aaa' } };
  expect(refusalOf(instance(oidc).access(testExchange(given)))).toMatchObject({
    status: 401,
    headers: { 'WWW-Authenticate': 'Bearer' },
  });
});

test('a bad token is 401, one without the scope 403, each with its challenge', () => {
  const access = instance(oidc, { realm: 'R' }).access;
  expect(refusalOf(access(testExchange(bearer), denied('bad', 'no')))).toEqual({
    code: 'GW_UNAUTHENTICATED',
    status: 401,
    body: { message: 'no' },
    headers: { 'WWW-Authenticate': 'Bearer realm="R", error="invalid_token"' },
  });
  expect(refusalOf(access(testExchange(bearer), denied('insufficient_scope', 'no')))).toEqual({
    code: 'GW_FORBIDDEN',
    status: 403,
    body: { message: 'no' },
    headers: { 'WWW-Authenticate': 'Bearer realm="R", error="insufficient_scope"' },
  });
});

test('a shared secret is no algorithm of an issuer', () => {
  expect(problemsOf(oidc, { algorithms: ['HS256'], leeway_seconds: 301 })).toMatchObject({
    'algorithms.0': expect.stringContaining('expected one of: RS256'),
    leeway_seconds: 'value should be between 0 and 300',
  });
});
