import { GatewayError } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { basicAuth } from '../src/basic-auth.ts';
import type { AuthVerdict } from '../src/ports.ts';
import { type Given, identityOf, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const CALLER = identityOf({ consumer: { id: 'c1' }, credential: { id: 'b1', identifier: 'bob' } });
const DENY: AuthVerdict = { outcome: 'deny', body: {}, reason: 'no_credentials' };
const GOOD = 'Ym9iOnNlY3JldA=='; // bob:secret

const ask = async (headers: Given['headers'], config: object = {}) => {
  const asked: unknown[] = [];
  const ports = {
    ...testPorts(),
    verifyCredential: (
      _: unknown,
      pluginId: string,
      { scheme, token }: { scheme: string; token: string },
    ) => {
      asked.push([pluginId, scheme, token]);
      return token === GOOD ? { outcome: 'allow' as const, identity: CALLER } : DENY;
    },
  };
  const exchange = testExchange({ headers: headers ?? {} });
  const step = await instance(basicAuth, config).access(exchange, ports);
  return { step, exchange, asked };
};

test.each([
  ['Authorization', `Basic ${GOOD}`],
  ['authorization', `basic   ${GOOD}`],
  ['Proxy-Authorization', `Basic ${GOOD}`],
])('given credentials in %s: %s, then they are verified', async (name, value) => {
  const { step, exchange, asked } = await ask({ [name]: value });
  expect(step).toBeUndefined();
  expect(asked).toEqual([['p1', 'basic', GOOD]]);
  expect(exchange.identity).toEqual(CALLER);
  expect(exchange.toUpstream.get('X-Credential-Identifier')).toBe('bob');
  expect(exchange.toUpstream.get(name)).toBe(value);
});

test('given both headers, then the proxy’s is tried first and the other one when it is nobody’s', async () => {
  const { step, asked } = await ask({ Authorization: `Basic ${GOOD}`, 'Proxy-Authorization': 'Basic YTpi' });
  expect(step).toBeUndefined();
  expect(asked.map((one) => (one as string[])[2])).toEqual(['YTpi', GOOD]);
});

test.each([
  ['nothing', {}, 0],
  ['another scheme', { Authorization: 'Bearer aaa' }, 0],
  ['a scheme alone', { Authorization: 'Basic ' }, 0],
  ['credentials too long for anyone', { Authorization: `Basic ${'a'.repeat(32_769)}` }, 0],
  ['wrong ones', { Authorization: 'Basic YTpi' }, 1],
])('given %s, then 401 with Kong’s challenge', async (_, headers, questions) => {
  const { step, asked } = await ask(headers);
  expect(asked.length).toBe(questions);
  expect(step).toMatchObject({
    status: 401,
    message: 'Unauthorized',
    style: 'error',
    headers: { 'WWW-Authenticate': 'Basic realm="service"' },
  });
});

test('the realm is the configured one', async () => {
  const { step } = await ask({}, { realm: 'my "own"' });
  expect(step).toMatchObject({ headers: { 'WWW-Authenticate': 'Basic realm="my \\"own\\""' } });
});

test('hidden, the credentials do not go upstream; another scheme does', async () => {
  const headers = { Authorization: 'Bearer aaa', 'Proxy-Authorization': `Basic ${GOOD}` };
  const { exchange } = await ask(headers, { hide_credentials: true });
  expect(exchange.toUpstream.has('Proxy-Authorization')).toBe(false);
  expect(exchange.toUpstream.get('Authorization')).toBe('Bearer aaa');
});

test('given auth is away, then the next header is not tried', async () => {
  const away = new GatewayError('GW_AUTH_UNAVAILABLE');
  const ports = testPorts({ verify: away });
  const headers = { Authorization: `Basic ${GOOD}`, 'Proxy-Authorization': `Basic ${GOOD}` };
  expect(await instance(basicAuth).access(testExchange({ headers }), ports)).toBe(away);
  expect(ports.asked.length).toBe(2); // plugin and credential of one question
});

test('a realm cannot be unset, as in Kong', () => {
  expect(problemsOf(basicAuth, { realm: null })).toHaveProperty('realm');
});
