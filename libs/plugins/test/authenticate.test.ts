import { expect, test } from 'vitest';
import { basicAuth } from '../src/basic-auth.ts';
import { jwt } from '../src/jwt.ts';
import { keyAuth } from '../src/key-auth.ts';
import type { Credential, Ports } from '../src/ports.ts';
import { type Given, identityOf, seen, testExchange, testPorts } from './exchange.ts';
import { instance } from './run.ts';

const GUEST = { id: 'c9', username: 'guest' };
const who = (scheme: Credential['scheme']) =>
  identityOf({
    consumer: { id: `by-${scheme}` },
    credential: { id: scheme, identifier: scheme },
    tenantId: scheme === 'jwt' ? 't1' : undefined,
  });

/** Of each scheme, the credential `good` (and the like) is somebody's. */
const ports = (): Ports => ({
  ...testPorts({ consumers: [GUEST], groups: ['visitors'] }),
  verifyCredential: (_exchange, _pluginId, { scheme, token }) =>
    ['good', 'Z29vZDpnb29k'].includes(token)
      ? { outcome: 'allow', identity: who(scheme) }
      : { outcome: 'deny', body: { message: 'Unauthorized' }, reason: 'no_credentials' },
});

/** Runs key-auth after jwt, both with the same setting, and says how it ended. */
const runBoth = async (given: Given, config: object) => {
  const exchange = testExchange(given);
  let refusal: unknown;
  for (const plugin of [jwt, keyAuth]) refusal ??= await instance(plugin, config).access(exchange, ports());
  return { exchange, refusal, consumer: exchange.identity?.consumer?.id };
};

const TOKEN = { Authorization: 'Bearer good' };
const KEY = { apikey: 'good' };

test.each([
  ['the first alone', TOKEN, 'by-jwt'],
  ['the second alone', KEY, 'by-key'],
  ['both', { ...TOKEN, ...KEY }, 'by-jwt'],
  ['a bad first and a good second', { Authorization: 'Bearer bad', ...KEY }, 'by-key'],
  ['a good first and a bad second', { ...TOKEN, apikey: 'bad' }, 'by-jwt'],
  ['nothing', {}, 'c9'],
  ['nothing but bad ones', { Authorization: 'Bearer bad', apikey: 'bad' }, 'c9'],
])('given two plugins with anonymous and %s, then either of them is enough', async (_, headers, consumer) => {
  const { refusal, exchange, ...ended } = await runBoth({ headers }, { anonymous: 'guest' });
  expect(refusal).toBeUndefined();
  expect(ended.consumer).toBe(consumer);
  expect(exchange.toUpstream.get('X-Consumer-ID')).toBe(consumer);
  expect(exchange.toUpstream.get('X-Anonymous-Consumer')).toBe(consumer === 'c9' ? 'true' : undefined);
  expect(exchange.toUpstream.has('X-Credential-Identifier')).toBe(consumer !== 'c9');
});

test.each([
  ['the first alone', TOKEN, 'Key'],
  ['the second alone', KEY, 'Bearer'],
  ['a good first and a bad second', { ...TOKEN, apikey: 'bad' }, 'Key'],
])(
  'given two plugins without anonymous and %s, then the missing one refuses',
  async (_, headers, challenge) => {
    const { refusal } = await runBoth({ headers }, {});
    expect(refusal).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': challenge } });
  },
);

test('given two plugins without anonymous, when both are satisfied, then the last says who it is and the tenant of the first stays', async () => {
  const { refusal, exchange } = await runBoth({ headers: { ...TOKEN, ...KEY } }, {});
  expect(refusal).toBeUndefined();
  expect(exchange.identity).toEqual({ ...who('key'), tenantId: 't1' });
});

test('an anonymous consumer brings its groups, and headers a client made up are gone', async () => {
  const { exchange } = await runBoth(
    { headers: { 'X-Credential-Identifier': 'spoofed', 'X-Consumer-Custom-ID': 'spoofed' } },
    { anonymous: 'guest' },
  );
  expect(exchange.identity?.groups).toEqual(['visitors']);
  expect(seen(exchange.toUpstream)).toEqual({
    'x-consumer-id': 'c9',
    'x-consumer-username': 'guest',
    'x-anonymous-consumer': 'true',
  });
});

test('a name beyond ASCII goes upstream as its bytes, and cannot end its line', () => {
  const exchange = testExchange({ target: '/?apikey=a' });
  const identity = identityOf({
    consumer: { id: 'c1', username: 'Żółw', customId: 'a\r\nX: y' },
    credential: { id: 'k', identifier: 'k' },
  });
  void instance(keyAuth).access(exchange, testPorts({ verify: { outcome: 'allow', identity } }));
  expect(seen(exchange.toUpstream)).toMatchObject({
    'x-consumer-username': Buffer.from('Żółw').toString('latin1'),
    'x-consumer-custom-id': 'a%0D%0AX: y',
  });
});

test.each([jwt, keyAuth, basicAuth])(
  '$name: an anonymous consumer that does not exist is an error, not an open door',
  async (plugin) => {
    const step = await instance(plugin, { anonymous: 'ghost' }).access(testExchange(), ports());
    expect(step).toMatchObject({
      status: 500,
      style: 'error',
      message: "anonymous consumer ghost is configured but doesn't exist",
    });
  },
);
