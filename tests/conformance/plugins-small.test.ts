import type { CallOptions } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectError, expectExit, header, routesWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

/** Route names begin with the plugin's initial, as all plugins share one document. */
const SIZE: Record<string, Document> = {
  's-plain': {},
  's-megabytes': { allowed_payload_size: 1 },
  's-kilobytes': { allowed_payload_size: 1, size_unit: 'kilobytes' },
  's-bytes': { allowed_payload_size: 10, size_unit: 'bytes' },
  's-length': { require_content_length: true },
};
const TERMINATION: Record<string, Document> = {
  't-plain': {},
  ...Object.fromEntries(
    [401, 404, 405, 418, 500, 502, 503].map((code) => [`t-${code}`, { status_code: code }]),
  ),
  't-message': { status_code: 403, message: 'So long' },
  't-body': { status_code: 200, body: '<b>bye</b>', content_type: 'text/html' },
  't-body-only': { body: '{"a":1}' },
  't-echo': { echo: true, status_code: 404 },
  't-trigger': { trigger: 'x-stop' },
};
const IP: Record<string, Document> = {
  'i-allow': { allow: ['10.0.0.0/8', '2001:db8::/32'] },
  'i-deny': { deny: ['10.1.2.3'] },
  'i-both': { allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] },
  'i-status': { deny: ['10.0.0.0/8'], status: 404, message: 'Not here' },
};
const BOTS: Record<string, Document> = {
  'b-plain': {},
  'b-allow': { allow: ['^Googlebot'] },
  'b-deny': { deny: ['curl/\\d'] },
  'b-both': { allow: ['friendly'], deny: ['curl'] },
};

let world: World;
beforeAll(async () => {
  world = await World.start({ TRUSTED_IPS: '127.0.0.1' });
  const routes = [
    ...routesWith('request-size-limiting', SIZE),
    ...routesWith('request-termination', TERMINATION),
    ...routesWith('ip-restriction', IP),
    ...routesWith('bot-detection', BOTS),
  ];
  await world.load({ services: [world.service('echo', routes)] });
});
afterAll(() => world[Symbol.asyncDispose]());

const OK = 200;
type Row = [field: string, given: string, path: string, ask: CallOptions, status: number, message?: string];
const expectAnswer = async ([, , path, ask, status, message]: Row): Promise<void> => {
  const answer = await world.ask(path, ask);
  if (message === undefined) expect({ status: answer.status }).toEqual({ status });
  else expectError(answer, status, message);
};

const TOO_LARGE = 'Request size limit exceeded';
const post = (bytes: number, headers = {}): CallOptions => ({
  method: 'POST',
  body: 'x'.repeat(bytes),
  headers,
});
/** A connection that stays open: one that closes may be cut before the answer is read. */
const kept = { connection: 'keep-alive' };
const chunked = { 'transfer-encoding': 'chunked' };

test.each<Row>([
  ['allowed_payload_size', '10 bytes and 10', '/s-bytes', post(10), OK],
  ['allowed_payload_size', '10 bytes and 11', '/s-bytes', post(11), 413, TOO_LARGE],
  ['allowed_payload_size', '10 bytes and no body', '/s-bytes', {}, OK],
  ['allowed_payload_size', '128 megabytes by default', '/s-plain', post(2_000_000), OK],
  ['size_unit', '1 kilobyte and 1024 bytes', '/s-kilobytes', post(1024), OK],
  ['size_unit', '1 kilobyte and 1025 bytes', '/s-kilobytes', post(1025), 413, TOO_LARGE],
  ['size_unit', '1 megabyte and 1048576 bytes', '/s-megabytes', post(1_048_576), OK],
  ['size_unit', '1 megabyte and 1048577 bytes', '/s-megabytes', post(1_048_577, kept), 413, TOO_LARGE],
  ['(chunked)', '10 bytes and 11 without a length', '/s-bytes', post(11, chunked), 413, TOO_LARGE],
  ['(chunked)', '10 bytes and 9 without a length', '/s-bytes', post(9, chunked), OK],
  ['(expect)', 'Expect: 100-continue', '/s-bytes', post(11, { expect: '100-continue' }), 417, TOO_LARGE],
  ['require_content_length', 'a length', '/s-length', post(1), OK],
  ['require_content_length', 'a chunked body', '/s-length', post(1, chunked), OK],
  ['require_content_length', 'none', '/s-length', {}, 411, 'A valid Content-Length header is required'],
  ['require_content_length', 'false and none', '/s-plain', {}, OK],
])('request-size-limiting %s: given %s, then it is answered as in Kong', async (...row) => {
  await expectAnswer(row);
});

test.each([
  { path: '/t-plain', status: 503, body: { message: 'Service unavailable' } },
  { path: '/t-401', status: 401, body: { message: 'Unauthorized' } },
  { path: '/t-404', status: 404, body: { message: 'Not found' } },
  { path: '/t-405', status: 405, body: { message: 'Method not allowed' } },
  { path: '/t-500', status: 500, body: { message: 'An unexpected error occurred' } },
  { path: '/t-502', status: 502, body: { message: 'Bad Gateway' } },
  { path: '/t-503', status: 503, body: { message: 'Service unavailable' } },
  { path: '/t-message', status: 403, body: { message: 'So long' } },
])(
  'request-termination status_code, message: $path answers $status with $body',
  async ({ path, status, body }) => {
    expectExit(await world.ask(path, header('accept', 'text/html')), status, body);
  },
);

test('request-termination status_code: given one without a message of its own, then the body is empty', async () => {
  const answer = await world.ask('/t-418');
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 418, text: '' });
});

test.each([
  { field: 'body, content_type', path: '/t-body', status: 200, type: 'text/html', text: '<b>bye</b>' },
  {
    field: 'body',
    path: '/t-body-only',
    status: 503,
    type: 'application/json; charset=utf-8',
    text: '{"a":1}',
  },
])('request-termination $field: then $text is sent as it is', async ({ path, status, type, text }) => {
  const answer = await world.ask(path);
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text });
  expect(answer.headers['content-type']).toBe(type);
});

test('request-termination echo: then the answer shows the request', async () => {
  const answer = await world.ask('/t-echo/x?a=1&a=2&flag', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-a': ['1', '2'] },
    body: '{"b":1}',
  });
  expect(answer.status).toBe(404);
  expect(answer.json()).toMatchObject({
    message: 'Not found',
    kong: { node_id: expect.stringMatching(/^[0-9a-f-]{36}$/), hostname: expect.stringMatching(/./) },
    request: {
      scheme: 'http',
      host: '127.0.0.1',
      port: Number(new URL(world.gateway.ready.proxy).port),
      headers: { 'content-type': 'application/json', 'x-a': ['1', '2'] },
      query: { a: ['1', '2'], flag: true },
      body: { b: 1 },
      raw_body: '{"b":1}',
      method: 'POST',
      path: '/t-echo/x',
      uri_captures: {},
    },
    matched_route: { name: 't-echo' },
    matched_service: { name: 'echo' },
  });
});

test.each<Row>([
  ['trigger', 'the header', '/t-trigger', header('x-stop', '1'), 503],
  ['trigger', 'the query argument', '/t-trigger?x-stop', {}, 503],
  ['trigger', 'neither', '/t-trigger', {}, OK],
])('request-termination %s: given %s, then only it triggers', async (...row) => {
  await expectAnswer(row);
});

const ip = (address: string): CallOptions => header('x-real-ip', address);
const refused = (address: string) => `IP address not allowed: ${address}`;
test.each<Row>([
  ['allow', 'an address of the network', '/i-allow', ip('10.9.8.7'), OK],
  ['allow', 'an IPv6 address of the network', '/i-allow', ip('2001:db8::1'), OK],
  ['allow', 'another address', '/i-allow', ip('11.0.0.1'), 403, refused('11.0.0.1')],
  ['deny', 'the address', '/i-deny', ip('10.1.2.3'), 403, refused('10.1.2.3')],
  ['deny', 'another address', '/i-deny', ip('10.1.2.4'), OK],
  ['allow, deny', 'allowed and not denied', '/i-both', ip('10.2.0.1'), OK],
  ['allow, deny', 'allowed and denied', '/i-both', ip('10.1.0.1'), 403, refused('10.1.0.1')],
  ['status, message', 'both set', '/i-status', ip('10.0.0.1'), 404, 'Not here'],
])('ip-restriction %s: given %s, then it is answered as in Kong', async (...row) => {
  await expectAnswer(row);
});

const agent = (name: string): CallOptions => header('user-agent', name);
const FORBIDDEN = 'Forbidden';
const LIBRARIES = ['axios/1.0', 'okhttp/4', 'Go-http-client/1.1', 'Apache-HttpClient/4', 'Python-urllib/3.9'];
test.each<Row>([
  [
    '(list)',
    'a crawler',
    '/b-plain',
    agent('Googlebot/2.1 (+http://www.google.com/bot.html)'),
    403,
    FORBIDDEN,
  ],
  ...[...LIBRARIES, 'aihttp', 'reqwest/0.11', 'Boto3/1.26', 'aws-cli/2.0'].map(
    (name): Row => ['(list)', name, '/b-plain', agent(name), 403, FORBIDDEN],
  ),
  ...['curl/8.0', 'python-requests/2.31', 'node', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0'].map(
    (name): Row => ['(list)', name, '/b-plain', agent(name), OK],
  ),
  ['(list)', 'no User-Agent', '/b-plain', {}, OK],
  [
    '(list)',
    'two of them',
    '/b-plain',
    { headers: { 'user-agent': ['a', 'b'] } },
    400,
    'Only one User-Agent header allowed',
  ],
  ['allow', 'a known bot that is allowed', '/b-allow', agent('Googlebot/2.1'), OK],
  ['deny', 'a denied agent', '/b-deny', agent('curl/8.0'), 403, FORBIDDEN],
  ['deny', 'another agent', '/b-deny', agent('wget'), OK],
  ['allow, deny', 'both match', '/b-both', agent('curl, but friendly'), OK],
])('bot-detection %s: given %s, then it is answered as in Kong', async (...row) => {
  await expectAnswer(row);
});
