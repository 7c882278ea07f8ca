import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchangeRaw } from './raw.ts';
import { World } from './world.ts';

let world: World;
let listening: string;
beforeAll(async () => {
  world = await World.shared();
  listening = new URL(world.gateway.ready.proxy).port;
  const { port } = world.upstream;
  const on = (name: string, over: Record<string, unknown> = {}) =>
    world.service(name, [{ name, paths: [`/${name}`], strip_path: false }], over);
  await world.load({
    services: [
      on('plain'),
      on('name', { host: 'localhost' }),
      on('entity', { host: 'entity.upstream', port: 1 }),
      on('other-host', { host: 'other.upstream', port: 1 }),
      world.service('strip', [{ paths: ['/strip/me'] }]),
      world.service('root', [{ paths: ['/'] }]),
    ],
    upstreams: [
      { name: 'entity.upstream', targets: [{ target: `127.0.0.1:${port}` }] },
      {
        name: 'other.upstream',
        host_header: 'other.test:8443',
        targets: [{ target: `127.0.0.1:${port}` }],
      },
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const ID = /^[0-9a-f]{32}$/;

describe('what the gateway says of the request', () => {
  const host = 'Front.Test:8765';
  test.each([
    { sent: {}, header: 'x-forwarded-for', seen: '127.0.0.1' },
    {
      sent: { 'x-forwarded-for': '1.1.1.1' },
      header: 'x-forwarded-for',
      seen: '1.1.1.1, 127.0.0.1',
      vector: 15,
    },
    { sent: { 'x-forwarded-for': '1.1.1.1' }, header: 'x-real-ip', seen: '127.0.0.1', vector: 15 },
    { sent: { 'x-forwarded-proto': 'https' }, header: 'x-forwarded-proto', seen: 'http', vector: 15 },
    {
      sent: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' },
      header: 'x-forwarded-for',
      seen: '1.1.1.1, 2.2.2.2, 127.0.0.1',
    },
    {
      sent: { 'x-forwarded-for': ['1.1.1.1', '2.2.2.2'] },
      header: 'x-forwarded-for',
      seen: '1.1.1.1, 2.2.2.2, 127.0.0.1',
    },
    { sent: { 'x-real-ip': '9.9.9.9' }, header: 'x-real-ip', seen: '127.0.0.1' },
    { sent: { 'x-forwarded-host': 'evil.test' }, header: 'x-forwarded-host', seen: 'front.test' },
    { sent: {}, header: 'x-forwarded-port', seen: 'LISTENING' },
    { sent: { 'x-forwarded-port': '1' }, header: 'x-forwarded-port', seen: 'LISTENING' },
    { sent: {}, header: 'x-forwarded-path', seen: '/plain//a/%41' },
    { sent: { 'x-forwarded-path': '/evil' }, header: 'x-forwarded-path', seen: '/plain//a/%41' },
    { sent: {}, header: 'x-forwarded-prefix', seen: undefined },
    { sent: { 'x-forwarded-prefix': '/evil' }, header: 'x-forwarded-prefix', seen: undefined },
    { sent: {}, header: 'via', seen: '1.1 kong/3.9.1' },
    { sent: { via: '1.0 fred' }, header: 'via', seen: '1.0 fred, 1.1 kong/3.9.1' },
    { sent: { connection: 'close' }, header: 'connection', seen: 'keep-alive' },
    { sent: { te: 'gzip, trailers' }, header: 'te', seen: 'trailers' },
    { sent: { te: 'gzip' }, header: 'te', seen: undefined },
  ])(
    'given $sent from an untrusted peer, then $header is $seen (vector: $vector)',
    async ({ sent, header, seen }) => {
      const headers = { host, ...sent } as Record<string, string | string[]>;
      const { seen: request } = await world.through('/plain//a/%41?q=1', { headers });
      expect(request.headers[header]).toBe(seen === 'LISTENING' ? listening : seen);
      expect(request.httpVersion).toBe('1.1');
    },
  );

  test.each([undefined, 'my-own-id'])(
    'given X-Kong-Request-Id %s, then both sides see a new one',
    async (own) => {
      const { seen, answer } = await world.through('/plain', {
        headers: own === undefined ? {} : { 'x-kong-request-id': own },
      });
      expect(seen.headers['x-kong-request-id']).toMatch(ID);
      expect(answer.headers['x-kong-request-id']).toBe(seen.headers['x-kong-request-id']);
    },
  );

  test('given a stripped prefix, then it is named, and not when it is only /', async () => {
    expect((await world.through('/strip/me/x')).seen.headers['x-forwarded-prefix']).toBe('/strip/me');
    expect((await world.through('/any')).seen.headers['x-forwarded-prefix']).toBeUndefined();
  });
});

test.each([
  { path: '/plain', host: '127.0.0.1:PORT' },
  { path: '/name', host: 'localhost:PORT' },
  { path: '/entity', host: '127.0.0.1:PORT' },
  { path: '/other-host', host: 'other.test:8443' },
])('given no preserve_host, when asked for $path, then Host is $host', async ({ path, host }) => {
  const { seen } = await world.through(path, { headers: { host: 'front.test' } });
  expect(seen.headers.host).toBe(host.replace('PORT', `${world.upstream.port}`));
});

test.each([
  { line: 'Keep-Alive: timeout=5', reaches: false },
  { line: 'Proxy: http://evil', reaches: false },
  { line: 'Proxy-Connection: keep-alive', reaches: false },
  { line: 'Expect: nonsense', reaches: false },
  { line: 'Upgrade: h2c', reaches: false },
  { line: 'Trailer: X-Late', reaches: false },
  { line: 'X-Named: 1', reaches: false },
  { line: 'X-Consumer-ID: forged', reaches: false },
  { line: 'X-Consumer-Username: forged', reaches: false },
  { line: 'X-Consumer-Custom-ID: forged', reaches: false },
  { line: 'X-Credential-Identifier: forged', reaches: false },
  { line: 'X-Anonymous-Consumer: true', reaches: false },
  { line: 'Proxy-Authorization: Basic eDp5', reaches: true },
  { line: 'Proxy-Authenticate: Basic', reaches: true },
  { line: 'Authorization: Bearer x', reaches: true },
  { line: 'Cookie: a=1; b=2', reaches: true },
  { line: 'Close: 1', reaches: true },
  { line: 'under_score: 1', reaches: true },
  { line: 'Accept-Encoding: gzip', reaches: true },
  { line: 'X-Empty:', reaches: true },
])('given "$line", then it reaches the upstream: $reaches', async ({ line, reaches }) => {
  const [name = '', value = ''] = line.split(/:\s*/);
  const before = world.upstream.seen.length;
  const head = `GET /plain HTTP/1.1\r\nHost: h\r\nConnection: close, X-Named\r\n${line}\r\n\r\n`;
  expect(await exchangeRaw(world.gateway.ready.proxy, head)).toMatch(/^HTTP\/1\.1 200 /);
  const seen = world.upstream.seen[before]?.headers;
  expect(seen?.[name.toLowerCase()]).toBe(reaches ? value : undefined);
});

test('given a header that comes several times, then each line reaches the upstream', async () => {
  const { seen } = await world.through('/plain', { headers: { 'x-many': ['1', '2'] } });
  expect(seen.rawHeaders.filter(([name]) => name.toLowerCase() === 'x-many').map(([, v]) => v)).toEqual([
    '1',
    '2',
  ]);
});

test('given the names of headers as the client writes them, then the upstream sees them so', async () => {
  const { seen } = await world.through('/plain', { headers: { SOAPAction: 'x', 'x-lower': 'y' } });
  const names = seen.rawHeaders.map(([name]) => name);
  expect(names).toEqual(expect.arrayContaining(['SOAPAction', 'x-lower', 'Host', 'X-Forwarded-For', 'Via']));
});

test('given an HTTP/1.0 client, then the upstream is spoken to in HTTP/1.1 and Via tells', async () => {
  const before = world.upstream.seen.length;
  const answer = await exchangeRaw(
    world.gateway.ready.proxy,
    'GET /plain HTTP/1.0\r\nHost: old.test\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).not.toMatch(/^transfer-encoding/im);
  const seen = world.upstream.seen[before];
  expect(seen?.httpVersion).toBe('1.1');
  expect(seen?.headers).toMatchObject({ via: '1.0 kong/3.9.1', 'x-forwarded-host': 'old.test' });
});
