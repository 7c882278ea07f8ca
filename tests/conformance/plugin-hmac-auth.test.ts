import { createHash, createHmac } from 'node:crypto';
import type { CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, routesWith } from './plugin-cases.ts';
import { World } from './world.ts';

const SECRET = 'hmac-secret';
const ALGORITHMS = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const routes = routesWith('hmac-auth', {
    plain: {},
    hidden: { hide_credentials: true },
    skew: { clock_skew: 2 },
    anonymous: { anonymous: 'guest' },
    body: { validate_request_body: true },
    enforced: { enforce_headers: ['date', 'request-line'] },
    'sha512-only': { algorithms: ['hmac-sha512'] },
    realm: { realm: 'R' },
  });
  await world.load({
    services: [world.service('echo', routes)],
    consumers: [
      { username: 'alice', hmacauth_credentials: [{ username: 'alice', secret: SECRET }] },
      { username: 'guest' },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Signing {
  readonly lines?: (date: string) => string[];
  readonly signed?: string;
  readonly algorithm?: string;
  readonly username?: string;
  readonly secret?: string;
  readonly secondsAgo?: number;
  readonly dateHeader?: string;
  readonly via?: string;
  readonly more?: Record<string, string>;
}

/** Headers of a request signed over its date, or over what `lines` says. */
const signed = (options: Signing = {}): Record<string, string> => {
  const {
    algorithm = 'hmac-sha256',
    username = 'alice',
    dateHeader = 'date',
    via = 'authorization',
  } = options;
  const date = new Date(Date.now() - (options.secondsAgo ?? 0) * 1000).toUTCString();
  const text = (options.lines?.(date) ?? [`${dateHeader}: ${date}`]).join('\n');
  const signature = createHmac(algorithm.slice(5), options.secret ?? SECRET)
    .update(text)
    .digest('base64');
  const names = options.signed ?? dateHeader;
  return {
    ...options.more,
    [dateHeader]: date,
    [via]: `hmac username="${username}", algorithm="${algorithm}", headers="${names}", signature="${signature}"`,
  };
};
const line = (target: string) => ({
  signed: 'date request-line',
  lines: (date: string) => [`date: ${date}`, `GET ${target} HTTP/1.1`],
});
const digestOf = (body: string) => `SHA-256=${createHash('sha256').update(body).digest('base64')}`;

const OK = 200;
const NO_DATE =
  'HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication';
const NOT_VERIFIABLE = 'HMAC signature cannot be verified';
const NO_MATCH = 'HMAC signature does not match';

type Row = readonly [field: string, given: string, path: string, how: Signing, gives: number | string];
test.each<Row>([
  ...ALGORITHMS.map((algorithm): Row => ['algorithms', algorithm, '/plain', { algorithm }, OK]),
  ['algorithms', 'one that is not listed', '/sha512-only', {}, NOT_VERIFIABLE],
  ['algorithms', 'the listed one', '/sha512-only', { algorithm: 'hmac-sha512' }, OK],
  ['clock_skew', 'a date within it', '/plain', { secondsAgo: 200 }, OK],
  ['clock_skew', 'a date beyond it', '/plain', { secondsAgo: 400 }, NO_DATE],
  ['clock_skew', '2 s and an older date', '/skew', { secondsAgo: 60 }, NO_DATE],
  ['clock_skew', 'X-Date instead of Date', '/plain', { dateHeader: 'x-date' }, OK],
  ['enforce_headers', 'all of them signed', '/enforced', line('/enforced'), OK],
  ['enforce_headers', 'one of them not signed', '/enforced', {}, NOT_VERIFIABLE],
  ['(signature)', 'the request line with its query', '/plain?a=b', line('/plain?a=b'), OK],
  ['(signature)', 'another request line', '/plain?a=b', line('/plain'), NO_MATCH],
  [
    '(signature)',
    '@request-target',
    '/plain?a=b',
    { signed: 'date @request-target', lines: (date) => [`date: ${date}`, '@request-target: get /plain?a=b'] },
    OK,
  ],
  ['(signature)', 'another secret', '/plain', { secret: 'x' }, NO_MATCH],
  ['(signature)', 'an unknown user', '/plain', { username: 'bob' }, NOT_VERIFIABLE],
  ['(signature)', 'Proxy-Authorization', '/plain', { via: 'proxy-authorization' }, OK],
])('hmac-auth %s: given %s, when %s is asked, then it is answered as in Kong', async (...row) => {
  const [, , path, how, gives] = row;
  const answer = await world.ask(path, { headers: signed(how) });
  if (typeof gives === 'number') {
    expect({ status: answer.status }).toEqual({ status: gives });
    return;
  }
  expectError(answer, 401, gives);
  expect(answer.headers['www-authenticate']).toBe('hmac');
});

test.each<[given: string, body: string, digest: string | undefined, gives: number]>([
  ['a body that fits its Digest', 'hello', digestOf('hello'), OK],
  ['a body that does not fit its Digest', 'hello', digestOf('bye'), 401],
  ['a body without a Digest', 'hello', undefined, 401],
  ['no body and no Digest', '', undefined, OK],
])('hmac-auth validate_request_body: given %s, then it is judged', async (_given, body, digest, gives) => {
  const headers = signed(digest === undefined ? {} : { more: { digest } });
  const ask: CallOptions = { method: 'POST', headers, body };
  const answer = await world.ask('/body', ask);
  if (gives === OK) expect(answer.status).toBe(200);
  else expectError(answer, 401, NO_MATCH);
  expect((await world.ask('/plain', ask)).status).toBe(200);
});

test.each([
  { path: '/plain', challenge: 'hmac' },
  { path: '/realm', challenge: 'hmac realm="R"' },
])('hmac-auth realm: given no signature at $path, then WWW-Authenticate is $challenge', async (row) => {
  const answer = await world.ask(row.path);
  expectError(answer, 401, 'Unauthorized');
  expect(answer.headers['www-authenticate']).toBe(row.challenge);
});

test.each(['authorization', 'proxy-authorization'])(
  'hmac-auth hide_credentials: given %s, then the upstream does not see it',
  async (via) => {
    const { seen } = await world.through('/hidden', { headers: signed({ via }) });
    expect(seen.headers[via]).toBeUndefined();
    expect(seen.headers).toMatchObject({
      'x-consumer-username': 'alice',
      'x-credential-identifier': 'alice',
    });
    const shown = await world.through('/plain', { headers: signed({ via }) });
    expect(shown.seen.headers[via]).toMatch(/^hmac /);
  },
);

test('hmac-auth anonymous: given a bad signature, then the request goes on as that consumer', async () => {
  const { seen } = await world.through('/anonymous', { headers: signed({ secret: 'x' }) });
  expect(seen.headers).toMatchObject({ 'x-consumer-username': 'guest', 'x-anonymous-consumer': 'true' });
});
