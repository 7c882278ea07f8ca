import { eventually } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeWith } from './plugin-cases.ts';
import { exchangeRaw, splitRaw } from './raw.ts';
import { type Document, World } from './world.ts';

/* Header lines byte by byte, in the letters of kong-compat 3 and 4: some clients and proxies look for them so. */

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const plugin = (name: string, config: Document = {}) => routeWith(name, [{ name, config }]);
  await world.load({
    services: [
      world.service('echo', [
        routeWith('plain', []),
        plugin('jwt'),
        plugin('key-auth'),
        plugin('basic-auth'),
        plugin('hmac-auth'),
        plugin('rate-limiting', { hour: 1 }),
        plugin('response-ratelimiting', { limits: { videos: { hour: 5 } } }),
        plugin('cors', { credentials: true, max_age: 5, exposed_headers: ['X-A'], private_network: true }),
        plugin('proxy-cache', { strategy: 'memory' }),
        plugin('quota-mirror'),
        plugin('correlation-id', { echo_downstream: true }),
      ]),
    ],
    consumers: [{ username: 'ann', custom_id: 'a-1', keyauth_credentials: [{ key: 'sesame' }] }],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** The lines of an answer's head. */
const headOf = async (path: string, lines: readonly string[] = [], method = 'GET'): Promise<string[]> => {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: h', 'Connection: close', ...lines];
  return splitRaw(await exchangeRaw(world.gateway.ready.proxy, `${head.join('\r\n')}\r\n\r\n`)).head;
};
const PREFLIGHT = [
  'Origin: http://o.test',
  'Access-Control-Request-Method: GET',
  'Access-Control-Request-Headers: X-B',
  'Access-Control-Request-Private-Network: true',
];
const METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';

test.each<[given: string, path: string, lines: string[], method: string, wanted: (string | RegExp)[]]>([
  [
    'an upstream’s answer',
    '/plain',
    [],
    'GET',
    [
      'Via: 1.1 kong/3.9.1',
      'Server: kong/3.9.1',
      /^X-Kong-Upstream-Latency: \d+$/,
      /^X-Kong-Proxy-Latency: \d+$/,
      /^X-Kong-Request-Id: [0-9a-f]{32}$/,
    ],
  ],
  [
    'no route',
    '/nowhere',
    [],
    'GET',
    [
      'Server: kong/3.9.1',
      'Content-Type: application/json; charset=utf-8',
      /^X-Kong-Response-Latency: \d+$/,
      /^X-Kong-Request-Id: [0-9a-f]{32}$/,
    ],
  ],
  ['jwt', '/jwt', [], 'GET', ['WWW-Authenticate: Bearer']],
  ['key-auth', '/key-auth', [], 'GET', ['WWW-Authenticate: Key']],
  ['basic-auth', '/basic-auth', [], 'GET', ['WWW-Authenticate: Basic realm="service"']],
  ['hmac-auth', '/hmac-auth', [], 'GET', ['WWW-Authenticate: hmac']],
  [
    'cors and a preflight',
    '/cors',
    PREFLIGHT,
    'OPTIONS',
    [
      'Access-Control-Allow-Origin: http://o.test',
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Allow-Headers: X-B',
      `Access-Control-Allow-Methods: ${METHODS}`,
      'Access-Control-Max-Age: 5',
      'Access-Control-Allow-Private-Network: true',
      'Vary: Origin',
      'Content-Length: 0',
    ],
  ],
  ['cors', '/cors', [], 'GET', ['Access-Control-Expose-Headers: X-A']],
  ['proxy-cache', '/proxy-cache', [], 'GET', ['X-Cache-Status: Miss', /^X-Cache-Key: [0-9a-f]{64}$/]],
  ['proxy-cache again', '/proxy-cache', [], 'GET', ['X-Cache-Status: Hit', /^[Aa]ge: \d+$/]],
  ['correlation-id', '/correlation-id', ['Kong-Request-ID: mine'], 'GET', ['Kong-Request-ID: mine']],
  [
    'response-ratelimiting',
    '/response-ratelimiting',
    [],
    'GET',
    [/^x-ratelimit-limit-videos-hour: 5$/i, /^x-ratelimit-remaining-videos-hour: 5$/i],
  ],
  [
    'quota-mirror',
    '/quota-mirror',
    ['X-Tenant-Id: nobody'],
    'GET',
    [
      'X-Quota-Limit: unknown',
      'X-Quota-Used: unknown',
      'X-Quota-Remaining: 0',
      'X-Quota-Usage-Percentage: 0.00',
    ],
  ],
])(
  'given %s, then its lines are written as Kong writes them',
  async (_given, path, lines, method, wanted) => {
    await eventually(async () => {
      const head = await headOf(path, lines, method);
      for (const line of wanted)
        expect(head).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line));
    });
  },
);

test('given a limit that is used up, then its lines are written as Kong writes them', async () => {
  await eventually(async () => {
    const head = await headOf('/rate-limiting');
    expect(head[0]).toMatch(/^HTTP\/1\.1 429 /);
    expect(head).toEqual(
      expect.arrayContaining([
        'X-RateLimit-Limit-Hour: 1',
        'X-RateLimit-Remaining-Hour: 0',
        'RateLimit-Limit: 1',
        'RateLimit-Remaining: 0',
        expect.stringMatching(/^RateLimit-Reset: \d+$/),
        expect.stringMatching(/^Retry-After: \d+$/),
      ]),
    );
  });
});

test('given a caller who is known, then the upstream’s lines are written as Kong writes them', async () => {
  const { seen } = await world.through('/key-auth/x', { headers: { apikey: 'sesame' } });
  const names = seen.rawHeaders.map(([name]) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      ...['Host', 'Via', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host'],
      ...['X-Forwarded-Port', 'X-Forwarded-Path', 'X-Forwarded-Prefix', 'X-Real-IP', 'X-Kong-Request-Id'],
      ...['X-Consumer-ID', 'X-Consumer-Custom-ID', 'X-Consumer-Username', 'X-Credential-Identifier'],
    ]),
  );
});
