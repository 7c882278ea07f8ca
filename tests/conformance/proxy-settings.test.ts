import { freePort } from '@sluice/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EchoUpstream } from './echo-upstream.ts';
import { exchangeRaw, splitRaw } from './raw.ts';
import { type Document, World } from './world.ts';

/* Kong's settings of the proxy, by Kong's own names (kong-compat 3.1, 3.2, 3.4, 6.4). */

const LINES = /^(?:x-kong-.*|via|server|kong-(?:route|service)-.*)$/;
const linesOf = (headers: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(headers)
    .filter((name) => LINES.test(name))
    .sort();
const services = (world: World): Document[] => [
  world.service('echo', [{ name: 'echo', paths: ['/echo'] }]),
  world.service('away', [{ name: 'away', paths: ['/away'] }], { port: 1 }),
];

describe.each<[given: string, env: Record<string, string>, proxied: string[], own: string[]]>([
  ['off', { KONG_HEADERS: 'off' }, [], []],
  ['server_tokens', { KONG_HEADERS: 'server_tokens' }, ['server', 'via'], ['server']],
  [
    'latency_tokens, X-Kong-Upstream-Status',
    { KONG_HEADERS: 'latency_tokens, X-Kong-Upstream-Status' },
    ['x-kong-proxy-latency', 'x-kong-upstream-latency', 'x-kong-upstream-status'],
    ['x-kong-response-latency'],
  ],
  [
    'single names',
    { KONG_HEADERS: 'Via,X-Kong-Proxy-Latency,X-Kong-Request-Id' },
    ['via', 'x-kong-proxy-latency', 'x-kong-request-id'],
    ['x-kong-request-id'],
  ],
])('KONG_HEADERS %s', (_given, env, proxied, own) => {
  let world: World;
  beforeAll(async () => {
    world = await World.start(env);
    await world.load({ services: services(world) });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('given an upstream’s answer, then it has those lines alone', async () => {
    world.upstream.answerWith('teapot', { status: 418 });
    const { headers } = await world.ask('/echo?script=teapot');
    expect(linesOf(headers)).toEqual(proxied);
    if (proxied.includes('x-kong-upstream-status')) expect(headers['x-kong-upstream-status']).toBe('418');
  });

  test('given an answer of the gateway, then it has those lines alone', async () => {
    expect(linesOf((await world.ask('/nowhere')).headers)).toEqual(own);
    const raw = await exchangeRaw(world.gateway.ready.proxy, 'nonsense\r\n\r\n');
    const names = splitRaw(raw).head.map((line) => line.split(':')[0]?.toLowerCase() ?? '');
    expect(names.filter((name) => LINES.test(name)).sort()).toEqual(
      own.filter((name) => name !== 'x-kong-response-latency'),
    );
  });

  test('given an upstream that is away, then the 502 counts as proxied', async () => {
    const { status, headers } = await world.ask('/away');
    expect(status).toBe(502);
    expect(linesOf(headers)).toEqual(proxied);
    if (proxied.includes('x-kong-upstream-status')) expect(headers['x-kong-upstream-status']).toBe('502');
  });
});

describe('other settings', () => {
  let world: World;
  let upstream: EchoUpstream;
  let secret: string;
  beforeAll(async () => {
    upstream = await EchoUpstream.start();
    world = await World.start({
      KONG_HEADERS_UPSTREAM: 'off',
      KONG_ALLOW_DEBUG_HEADER: 'on',
      KONG_ERROR_DEFAULT_TYPE: 'text/html',
      KONG_TRUSTED_IPS: '127.0.0.1,10.0.0.0/8',
      KONG_REAL_IP_HEADER: 'X-Forwarded-For',
      KONG_REAL_IP_RECURSIVE: 'on',
      CONNECT_TO: ['api.test:80', 'api.test:443'].map((at) => `${at}=127.0.0.1:${upstream.port}`).join(','),
    });
    const to = (name: string, over: Document) =>
      world.service(name, [{ name, paths: [`/${name}`] }], { host: 'api.test', ...over });
    await world.load({
      services: [...services(world), to('eighty', { port: 80 }), to('other', { port: 443 })],
    });
    const [route, service] = await Promise.all(
      ['/routes/echo', '/services/echo'].map(async (path) =>
        (await world.admin(path)).json<{ id: string }>(),
      ),
    );
    secret = `${route?.id} ${service?.id}`;
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  test('headers_upstream off: given a request, then the upstream is not told its id', async () => {
    const { seen, answer } = await world.through('/echo');
    expect(seen.headers['x-kong-request-id']).toBeUndefined();
    expect(answer.headers['x-kong-request-id']).toMatch(/^\w{32}$/);
  });

  test('allow_debug_header on: given Kong-Debug: 1, then route and service are named', async () => {
    const { headers } = await world.ask('/echo', { headers: { 'kong-debug': '1' } });
    expect(headers).toMatchObject({ 'kong-route-name': 'echo', 'kong-service-name': 'echo' });
    expect(`${headers['kong-route-id']} ${headers['kong-service-id']}`).toBe(secret);
    for (const ask of [{}, { headers: { 'kong-debug': '0' } }])
      expect(
        linesOf((await world.ask('/echo', ask)).headers).filter((name) => name.startsWith('kong-')),
      ).toEqual([]);
  });

  test('error_default_type text/html: given neither Accept nor Content-Type, then an error page is HTML', async () => {
    const page = await world.ask('/away');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.text).toContain('<p>An invalid response was received from the upstream server.</p>');
    expect(await exchangeRaw(world.gateway.ready.proxy, 'nonsense\r\n\r\n')).toContain('<p>Bad request.</p>');
    expect((await world.ask('/nowhere')).headers['content-type']).toBe('application/json; charset=utf-8');
    const typed = await world.ask('/away', { headers: { 'content-type': 'application/json' } });
    expect(typed.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test.each([
    { sent: '1.1.1.1, 2.2.2.2', client: '2.2.2.2' },
    { sent: '1.1.1.1, 10.0.0.1', client: '1.1.1.1' },
    { sent: '1.1.1.1, 10.0.0.1, 10.0.0.2', client: '1.1.1.1' },
    { sent: '10.0.0.3, 10.0.0.2', client: '10.0.0.3' },
    { sent: '1.1.1.1, nonsense, 10.0.0.2', client: '10.0.0.2' },
    { sent: 'nonsense', client: '127.0.0.1' },
  ])('real_ip_recursive on: given "$sent" from a trusted peer, then the client is $client', async (row) => {
    const { seen } = await world.through('/echo', { headers: { 'x-forwarded-for': row.sent } });
    expect(seen.headers['x-real-ip']).toBe(row.client);
    expect(seen.headers['x-forwarded-for']).toBe(`${row.sent}, 127.0.0.1`);
  });

  test.each([
    { path: '/eighty', host: 'api.test' },
    { path: '/other', host: 'api.test:443' },
  ])('given a service by http at $path, then Host is $host', async ({ path, host }) => {
    const before = upstream.seen.length;
    expect((await world.ask(path)).status).toBe(200);
    expect(upstream.seen[before]?.headers.host).toBe(host);
  });
});

test('port_maps: given the port that is listened on stands for 80, then upstreams and routes go by 80', async () => {
  const port = await freePort();
  await using world = await World.start({ KONG_PORT_MAPS: `80:${port},443:8443` }, [
    '--proxy-port',
    `${port}`,
  ]);
  await world.load({
    services: [
      world.service('mapped', [{ name: 'mapped', hosts: ['mapped.test:80'] }]),
      world.service('listened', [{ name: 'listened', hosts: [`listened.test:${port}`] }]),
    ],
  });
  const { seen } = await world.through('/', { headers: { host: 'mapped.test' } });
  expect(seen.headers['x-forwarded-port']).toBe('80');
  expect((await world.ask('/', { headers: { host: 'listened.test' } })).status).toBe(404);
});
