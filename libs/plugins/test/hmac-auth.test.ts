import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hmacAuth } from '../src/hmac-auth.ts';
import { type Given, identityOf, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0) + 456;
const DATE = 'Sun, 22 Nov 2026 12:00:00 GMT';
const CALLER = identityOf({ consumer: { id: 'c1' }, credential: { id: 'h1', identifier: 'bob' } });
const ALLOW = { outcome: 'allow', identity: CALLER } as const;

const signed = (over: Record<string, string> = {}): string => {
  const fields = {
    username: 'bob',
    algorithm: 'hmac-sha256',
    headers: 'date request-line',
    signature: 'c2ln',
    ...over,
  };
  return `hmac ${Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`;
};

const ask = async (
  given: Given,
  config: object = {},
  verify: Parameters<typeof testPorts>[0] = { verify: ALLOW },
) => {
  const ports = testPorts(verify);
  const exchange = testExchange({ startedAt: NOW, ...given });
  const step = await instance(hmacAuth, config).access(exchange, ports);
  return { step, exchange, asked: ports.asked[1] as { hmac: { signingString: string } } | undefined };
};
const withDate = (headers: Record<string, string>): Given => ({ headers: { Date: DATE, ...headers } });

test('given a signature, then auth is asked over the lines that were signed, without the secret', async () => {
  const given = { ...withDate({ Authorization: signed() }), target: '/a%20b?x=1' };
  const { step, exchange, asked } = await ask(given);
  expect(step).toBeUndefined();
  expect(asked).toEqual({
    scheme: 'hmac',
    token: 'c2ln',
    hmac: {
      username: 'bob',
      algorithm: 'hmac-sha256',
      signingString: `date: ${DATE}\nGET /a%20b?x=1 HTTP/1.1`,
    },
  });
  expect(exchange.identity).toEqual(CALLER);
  expect(exchange.toUpstream.get('X-Credential-Identifier')).toBe('bob');
});

test.each([
  ['@request-target date', { target: '/p?q' }, `@request-target: get /p?q\ndate: ${DATE}`],
  ['X-Other  Date', {}, `X-Other:\nDate: ${DATE}`],
  ['request-line', { target: 'http://gateway.test/p?q', method: 'PUT' }, 'PUT /p?q HTTP/1.1'],
])(
  'given the signed names "%s", then the signing string has a line for each',
  async (headers, over, text) => {
    const given = { ...withDate({ Authorization: signed({ headers }) }), ...over };
    expect((await ask(given)).asked?.hmac.signingString).toBe(text);
  },
);

test.each([
  ['Date', DATE],
  ['X-Date', DATE],
  ['Date', 'Sunday, 22-Nov-26 12:00:00 GMT'],
  ['Date', 'Sun Nov 22 12:00:00 2026'],
  ['Date', 'Sun, 22 Nov 2026 12:05:00 GMT'],
  ['Date', 'Sun, 22 Nov 2026 11:55:00 GMT'],
])('given %s: %s, then the request is recent enough', async (name, value) => {
  const { step } = await ask({ headers: { [name]: value, Authorization: signed() } });
  expect(step).toBeUndefined();
});

test('given a stale Date beside a good X-Date, then the request is recent enough', async () => {
  const headers = { Date: 'Sun, 22 Nov 2020 12:00:00 GMT', 'X-Date': DATE, Authorization: signed() };
  expect((await ask({ headers })).step).toBeUndefined();
});

const NO_DATE =
  'HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication';
const NOT_VERIFIABLE = 'HMAC signature cannot be verified';
const refused: [string, Given, string, object?][] = [
  ['nothing', { headers: { Date: DATE } }, 'Unauthorized'],
  ['no date', { headers: { Authorization: signed() } }, NO_DATE],
  ['a date that is none', { headers: { Date: '2026-11-22T12:00:00Z', Authorization: signed() } }, NO_DATE],
  ['an old date', { headers: { Date: 'Sun, 22 Nov 2026 11:54:59 GMT', Authorization: signed() } }, NO_DATE],
  [
    'a date to come',
    { headers: { Date: 'Sun, 22 Nov 2026 12:05:01 GMT', Authorization: signed() } },
    NO_DATE,
  ],
  [
    'a date beyond a shorter skew',
    withDate({ Date: 'Sun, 22 Nov 2026 11:59:58 GMT', Authorization: signed() }),
    NO_DATE,
    { clock_skew: 1 },
  ],
  ['another scheme', withDate({ Authorization: 'Bearer aaa' }), NOT_VERIFIABLE],
  [
    'a signature without a field',
    withDate({ Authorization: 'hmac username="bob", signature="x"' }),
    NOT_VERIFIABLE,
  ],
  ['an unknown algorithm', withDate({ Authorization: signed({ algorithm: 'hmac-md5' }) }), NOT_VERIFIABLE],
  [
    'an algorithm not allowed',
    withDate({ Authorization: signed() }),
    NOT_VERIFIABLE,
    { algorithms: ['hmac-sha512'] },
  ],
  [
    'a name that had to be signed',
    withDate({ Authorization: signed() }),
    NOT_VERIFIABLE,
    { enforce_headers: ['date', 'host'] },
  ],
  [
    'a user name too long for anyone',
    withDate({ Authorization: signed({ username: 'b'.repeat(1025) }) }),
    NOT_VERIFIABLE,
  ],
];
test.each(refused)('given %s, then it is refused without asking', async (_, given, message, config) => {
  const { step, asked } = await ask(given, config);
  expect(asked).toBeUndefined();
  expect(step).toMatchObject({
    status: 401,
    style: 'error',
    message,
    headers: { 'WWW-Authenticate': 'hmac' },
  });
});

test('names that had to be signed are found without regard to case', async () => {
  const { step } = await ask(withDate({ Authorization: signed() }), { enforce_headers: ['Date'] });
  expect(step).toBeUndefined();
});

test('a denial says what auth said, with the realm', async () => {
  const verify = {
    outcome: 'deny',
    body: { message: 'HMAC signature does not match' },
    reason: 'x',
  } as const;
  const { step } = await ask(withDate({ Authorization: signed() }), { realm: 'R' }, { verify });
  expect(step).toMatchObject({
    status: 401,
    message: 'HMAC signature does not match',
    headers: { 'WWW-Authenticate': 'hmac realm="R"' },
  });
});

test('hidden, the header with the signature does not go upstream', async () => {
  const headers = { 'Proxy-Authorization': signed(), Authorization: 'Bearer aaa' };
  const { exchange } = await ask(withDate(headers), { hide_credentials: true });
  expect(exchange.toUpstream.has('Proxy-Authorization')).toBe(false);
  expect(exchange.toUpstream.get('Authorization')).toBe('Bearer aaa');
});

const digestOf = (body: string) => `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
test.each([
  ['the digest of its body', 'hello', digestOf('hello'), true],
  ['no body and no digest', '', undefined, true],
  ['no body and its digest', '', digestOf(''), true],
  ['the digest of another body', 'hello', digestOf('hullo'), false],
  ['a body without a digest', 'hello', undefined, false],
  ['a body larger than is read', 'x'.repeat(8 * 1024 * 1024 + 1), digestOf('x'), false],
])('given %s, when the body is validated, then it counts', async (_, body, digest, passes) => {
  const headers = { Authorization: signed(), ...(digest === undefined ? {} : { Digest: digest }) };
  const { step, exchange } = await ask({ ...withDate(headers), body }, { validate_request_body: true });
  if (passes) expect(step).toBeUndefined();
  else expect(step).toMatchObject({ status: 401, message: 'HMAC signature does not match' });
  expect(exchange.identity).toEqual(passes ? CALLER : undefined);
});

test('a body that does not fit goes on as anonymous, not as who signed', async () => {
  const { step, exchange } = await ask(
    { ...withDate({ Authorization: signed(), Digest: digestOf('a') }), body: 'b' },
    { validate_request_body: true, anonymous: 'guest' },
    { verify: ALLOW, consumers: [{ id: 'guest' }] },
  );
  expect(step).toBeUndefined();
  expect(exchange.identity).toMatchObject({ consumer: { id: 'guest' }, credential: undefined });
});

const badConfigs: [unknown, Record<string, string>][] = [
  [{ clock_skew: 0 }, { clock_skew: 'value must be greater than 0' }],
  [
    { algorithms: ['hmac-md5'] },
    { 'algorithms.0': 'expected one of: hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512' },
  ],
];
test.each(badConfigs)('the configuration %j is refused', (config, problems) => {
  expect(problemsOf(hmacAuth, config)).toMatchObject(problems);
});
