import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeRaw, splitRaw } from './raw.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const replace = { headers: ['X-Kong-Request-Id:mine', 'Via:mine', 'Server:mine'] };
  await world.load({
    services: [
      world.service('plain', [
        { name: 'plain', paths: ['/plain'] },
        { name: 'changed', paths: ['/changed'] },
      ]),
    ],
    plugins: [{ name: 'response-transformer', route: 'changed', config: { replace } }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const NUMBER = /^\d+$/;
const ID = /^[0-9a-f]{32}$/;

describe('lines of the gateway', () => {
  test('given a proxied answer, then it has both latencies, Via and the id, and not what own answers have', async () => {
    const { headers } = await world.ask('/plain');
    expect(headers['x-kong-upstream-latency']).toMatch(NUMBER);
    expect(headers['x-kong-proxy-latency']).toMatch(NUMBER);
    expect(headers['x-kong-request-id']).toMatch(ID);
    expect(headers).toMatchObject({ via: '1.1 kong/3.9.1', server: 'kong/3.9.1' });
    for (const absent of ['x-kong-response-latency', 'x-kong-upstream-status', 'kong-route-id'])
      expect(headers[absent]).toBeUndefined();
  });

  test('given an answer of its own, then it has the response latency, Server and the id, and no Via', async () => {
    const { headers } = await world.ask('/nowhere');
    expect(headers['x-kong-response-latency']).toMatch(NUMBER);
    expect(headers['x-kong-request-id']).toMatch(ID);
    expect(headers.server).toBe('kong/3.9.1');
    for (const absent of ['via', 'x-kong-upstream-latency', 'x-kong-proxy-latency'])
      expect(headers[absent]).toBeUndefined();
  });

  test('given Kong-Debug, then nothing is told of routes and services', async () => {
    const { headers } = await world.ask('/plain', { headers: { 'kong-debug': '1' } });
    expect(Object.keys(headers).filter((name) => /^kong-(route|service)/.test(name))).toEqual([]);
  });

  test('given a plugin that sets the id, then the id of the gateway stands', async () => {
    const { headers } = await world.ask('/changed');
    expect(headers['x-kong-request-id']).toMatch(ID);
  });

  test.each([
    { header: 'Via', upstream: '1.1 vinyl', client: '1.1 vinyl, 1.1 kong/3.9.1' },
    { header: 'Server', upstream: 'nginx/1.2', client: 'nginx/1.2' },
    { header: 'Date', upstream: 'Thu, 01 Jan 1970 00:00:00 GMT', client: 'Thu, 01 Jan 1970 00:00:00 GMT' },
  ])('given $header of the upstream, then the client sees $client', async ({ header, upstream, client }) => {
    world.upstream.answerWith('lines', { headers: { [header]: upstream } });
    const { headers } = await world.ask('/plain?script=lines');
    expect(headers[header.toLowerCase()]).toBe(client);
  });

  test('given X-Kong-Request-Id of the upstream, then the client sees the gateway’s', async () => {
    world.upstream.answerWith('id', { headers: { 'X-Kong-Request-Id': 'theirs' } });
    expect((await world.ask('/plain?script=id')).headers['x-kong-request-id']).toMatch(ID);
  });
});

test.each([
  { name: 'Keep-Alive', value: 'timeout=9', passes: false },
  { name: 'X-Named', value: '1', passes: false },
  { name: 'Proxy-Connection', value: 'keep-alive', passes: false },
  { name: 'Upgrade', value: 'h2', passes: false },
  { name: 'Trailer', value: 'X-Late', passes: false },
  { name: 'X-Accel-Buffering', value: 'no', passes: false },
  { name: 'X-Accel-Redirect', value: '/evil', passes: false },
  { name: 'X-Accel-Expires', value: '5', passes: false },
  { name: 'WWW-Authenticate', value: 'Basic realm="x"', passes: true },
  { name: 'Proxy-Authenticate', value: 'Basic', passes: true },
  { name: 'Content-Encoding', value: 'identity', passes: true },
  { name: 'Cache-Control', value: 'no-store', passes: true },
  { name: 'ETag', value: '"x"', passes: true },
  { name: 'Location', value: 'http://other.test/x', passes: true },
  { name: 'under_score', value: '1', passes: true },
])('given "$name" of the upstream, then the client sees it: $passes', async ({ name, value, passes }) => {
  world.upstream.answerWith('hop', { headers: { Connection: 'keep-alive, X-Named', [name]: value } });
  const { headers, status } = await world.ask('/plain?script=hop');
  expect(status).toBe(200);
  expect(headers[name.toLowerCase()]).toBe(passes ? value : undefined);
});

test('given names and repeated lines of the upstream, then the client sees them as they were written', async () => {
  world.upstream.answerWith('many', { headers: { 'X-MiXed': '1', 'Set-Cookie': ['a=1', 'b=2'] } });
  const head = 'GET /plain?script=many HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const lines = splitRaw(await exchangeRaw(world.gateway.ready.proxy, head)).head;
  expect(lines).toEqual(expect.arrayContaining(['X-MiXed: 1', 'Set-Cookie: a=1', 'Set-Cookie: b=2']));
  expect(lines.filter((line) => /^connection:/i.test(line))).toEqual(['Connection: close']);
});

test.each([200, 201, 302, 400, 401, 404, 408, 413, 429, 500, 502, 503, 504, 599])(
  'given an upstream that answers %i, then status and body pass untouched',
  async (status) => {
    world.upstream.answerWith('status', { status, body: 'theirs', headers: { 'Content-Type': 'x/y' } });
    const answer = await world.ask('/plain?script=status');
    expect(answer).toMatchObject({ status, text: 'theirs' });
    expect(answer.headers['content-type']).toBe('x/y');
    expect(answer.headers.via).toBe('1.1 kong/3.9.1');
  },
);

test.each([
  { status: 204, method: 'GET', length: undefined },
  { status: 304, method: 'GET', length: undefined },
  { status: 200, method: 'HEAD', length: '1234' },
])('given $status to $method, then there is no body', async ({ status, method, length }) => {
  const headers: Record<string, string> = length === undefined ? {} : { 'Content-Length': length };
  world.upstream.answerWith('empty', { status, body: '', headers });
  const answer = await world.ask('/plain?script=empty', { method });
  expect(answer).toMatchObject({ status, text: '' });
  expect(answer.headers['content-length']).toBe(length);
});
