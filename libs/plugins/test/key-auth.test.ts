import { GatewayError } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { keyAuth } from '../src/key-auth.ts';
import { type Given, identityOf, seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const CALLER = identityOf({
  consumer: { id: 'c1', username: 'bob' },
  credential: { id: 'k1', identifier: 'k1' },
  groups: ['gold'],
});
const ALLOW = { outcome: 'allow', identity: CALLER } as const;
const DENY = { outcome: 'deny', body: { message: 'Unauthorized' }, reason: 'no_credentials' } as const;

const form = (body: string): Given => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body,
});
const json = (value: unknown): Given => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});
const multipart = (...parts: string[]): Given => ({
  method: 'POST',
  headers: { 'Content-Type': 'multipart/form-data; boundary=xx' },
  body: `${parts.map((part) => `--xx\r\nContent-Disposition: form-data; ${part}\r\n`).join('')}--xx--\r\n`,
});

const ask = async (given: Given, config: object = {}, verify: typeof ALLOW | typeof DENY = ALLOW) => {
  const ports = testPorts({ verify });
  const exchange = testExchange(given);
  const step = await instance(keyAuth, config).access(exchange, ports);
  return { step: step as GatewayError | undefined, exchange, asked: ports.asked[1] };
};

const places: [string, Given, object?][] = [
  ['a header', { headers: { ApiKey: 'aaa' } }],
  ['a query argument', { target: '/?x=1&apikey=aaa' }],
  ['an encoded query argument', { target: '/?apikey=%61aa' }],
  ['a header rather than the query', { target: '/?apikey=bbb', headers: { apikey: 'aaa' } }],
  ['a form', form('x=1&apikey=aaa'), { key_in_body: true }],
  ['a JSON body', json({ apikey: 'aaa' }), { key_in_body: true }],
  ['a multipart form', multipart('name="apikey"\r\n\r\naaa'), { key_in_body: true }],
  ['the second name', { headers: { 'x-key': 'aaa' } }, { key_names: ['apikey', 'x-key'] }],
  ['a header with hyphens for underscores', { headers: { 'api-key': 'aaa' } }, { key_names: ['api_key'] }],
  [
    'the query when headers are off',
    { target: '/?apikey=aaa', headers: { apikey: 'b' } },
    { key_in_header: false },
  ],
];
test.each(places)(
  'given a key in %s, when the request comes, then that key is verified',
  async (_, given, config) => {
    const { step, asked, exchange } = await ask(given, config);
    expect(step).toBeUndefined();
    expect(asked).toEqual({ scheme: 'key', token: 'aaa' });
    expect(exchange.identity).toEqual(CALLER);
    expect(seen(exchange.toUpstream)).toMatchObject({
      'x-consumer-id': 'c1',
      'x-consumer-username': 'bob',
      'x-credential-identifier': 'k1',
    });
  },
);

test('a key beyond ASCII is asked for as the text that its bytes are', async () => {
  const inHeader = { headers: { apikey: Buffer.from('schlüssel').toString('latin1') } };
  for (const given of [inHeader, { target: '/?apikey=schl%C3%BCssel' }])
    expect((await ask(given)).asked).toEqual({ scheme: 'key', token: 'schlüssel' });
  const { asked } = await ask(json({ apikey: 'schlüssel' }), { key_in_body: true });
  expect(asked).toEqual({ scheme: 'key', token: 'schlüssel' });
});

const NONE = 'No API key found in request';
const TWICE = 'Duplicate API key found';
const refused: [string, Given, string, object?][] = [
  ['no key', {}, NONE],
  ['an empty key', { headers: { apikey: '' } }, NONE],
  ['an argument without a value', { target: '/?apikey' }, NONE],
  ['a key in the body only', form('apikey=aaa'), NONE],
  [
    'a key in the header only, where none is read',
    { headers: { apikey: 'a' } },
    NONE,
    { key_in_header: false },
  ],
  ['a key in the query only, where none is read', { target: '/?apikey=a' }, NONE, { key_in_query: false }],
  ['a JSON key that is no text', json({ apikey: 7 }), NONE, { key_in_body: true }],
  ['a body that is not what it says', { ...json(0), body: '{"apikey":' }, NONE, { key_in_body: true }],
  ['an argument twice', { target: '/?apikey=a&apikey=b' }, TWICE],
  ['the same argument twice', { target: '/?apikey=a&apikey=a' }, TWICE],
  ['a header twice', { headers: { apikey: ['a', 'b'] } }, TWICE],
  ['a form field twice', form('apikey=a&apikey=b'), TWICE, { key_in_body: true }],
  ['a list in JSON', json({ apikey: ['a'] }), TWICE, { key_in_body: true }],
  ['a key nobody could have', { headers: { apikey: 'a'.repeat(32_769) } }, 'Unauthorized'],
];
test.each(refused)(
  'given %s, when the request comes, then it is refused without asking',
  async (_, given, message, config) => {
    const { step, asked } = await ask(given, config);
    expect(asked).toBeUndefined();
    expect(step).toMatchObject({
      status: 401,
      message,
      style: 'error',
      headers: { 'WWW-Authenticate': 'Key' },
    });
  },
);

test('a key that auth denies is refused in the negotiated form, with the realm', async () => {
  const { step, exchange } = await ask({ headers: { apikey: 'aaa' } }, { realm: 'R' }, DENY);
  expect(step).toMatchObject({
    status: 401,
    style: 'error',
    message: 'Unauthorized',
    headers: { 'WWW-Authenticate': 'Key realm="R"' },
  });
  expect(exchange.identity).toBeUndefined();
});

test('given auth is away, then nobody is let in, anonymous or not', async () => {
  const away = new GatewayError('GW_AUTH_UNAVAILABLE');
  const ports = testPorts({ verify: away, consumers: [{ id: 'guest' }] });
  const step = instance(keyAuth, { anonymous: 'guest' }).access(
    testExchange({ target: '/?apikey=a' }),
    ports,
  );
  expect(await step).toBe(away);
});

const HIDE = { hide_credentials: true, key_in_body: true };

test('hidden, the key leaves header, query and form under the name that won, and only there', async () => {
  const { exchange } = await ask(
    {
      ...form('a=1&apikey=aaa&b=2'),
      target: '/?x=1&apikey=bbb&y',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', apikey: 'aaa', other: 'o' },
    },
    { ...HIDE, key_names: ['apikey', 'other'] },
  );
  expect(seen(exchange.toUpstream)).toMatchObject({ other: 'o' });
  expect(exchange.toUpstream.has('apikey')).toBe(false);
  expect(exchange.upstreamQuery).toBe('x=1&y');
  expect(exchange.sentBody?.toString()).toBe('a=1&b=2');
  expect(exchange.fromClient.get('apikey')).toBe('aaa');
});

test.each([
  [json({ a: 1, apikey: 'aaa' }), '{"a":1}'],
  [multipart('name="apikey"\r\n\r\naaa', 'name="b"\r\n\r\n2'), multipart('name="b"\r\n\r\n2').body],
])('hidden, the key leaves the body %#', async (given, body) => {
  const { exchange } = await ask(given, HIDE);
  expect(exchange.sentBody?.toString()).toBe(body);
});

test('without hide_credentials everything goes upstream as it came', async () => {
  const { exchange } = await ask({ target: '/?apikey=aaa', headers: { apikey: 'aaa' } });
  expect(exchange.upstreamQuery).toBe('apikey=aaa');
  expect(exchange.toUpstream.get('apikey')).toBe('aaa');
});

test('OPTIONS is exempt only where run_on_preflight is false', async () => {
  expect((await ask({ method: 'OPTIONS' }, { run_on_preflight: false })).step).toBeUndefined();
  expect((await ask({ method: 'OPTIONS' })).step).toMatchObject({ status: 401 });
});

const badConfigs: [unknown, Record<string, string>][] = [
  [{ key_names: 'apikey' }, { key_names: 'expected an array' }],
  [{ key_names: ['a b'] }, { 'key_names.0': expect.stringContaining("bad header name 'a b'") as string }],
  [{ key_in_cookie: true }, { '': 'unknown field' }],
  [{ hide_credentials: 'yes' }, { hide_credentials: 'expected a boolean' }],
];
test.each(badConfigs)('the configuration %j is refused', (config, problems) => {
  expect(problemsOf(keyAuth, config)).toMatchObject(problems);
});
