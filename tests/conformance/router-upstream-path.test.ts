import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Document, World } from './world.ts';

interface Row {
  readonly service: string | null;
  readonly route: string | undefined;
  readonly strip: boolean;
  readonly asked: string;
  readonly upstream: string;
}

/** The table of path_handling v0, which is also what v1 does. */
const TABLE: readonly Row[] = [
  ...[null, '/'].flatMap((service) => [
    { service, route: '/foo', strip: true, asked: '/foo', upstream: '/' },
    { service, route: '/foo', strip: true, asked: '/foo/', upstream: '/' },
    { service, route: '/foo', strip: true, asked: '/foo/bar', upstream: '/bar' },
    { service, route: '/foo', strip: true, asked: '/foobar', upstream: '/bar' },
    { service, route: '/foo', strip: false, asked: '/foo/bar', upstream: '/foo/bar' },
    { service, route: '/', strip: true, asked: '/any/', upstream: '/any/' },
  ]),
  { service: '/base', route: '/foo', strip: true, asked: '/foo', upstream: '/base' },
  { service: '/base', route: '/foo', strip: true, asked: '/foo/', upstream: '/base/' },
  { service: '/base', route: '/foo', strip: true, asked: '/foo/bar', upstream: '/base/bar' },
  { service: '/base', route: '/foo', strip: true, asked: '/foobar', upstream: '/base/bar' },
  { service: '/base/', route: '/foo', strip: true, asked: '/foo', upstream: '/base' },
  { service: '/base/', route: '/foo', strip: true, asked: '/foo/', upstream: '/base/' },
  { service: '/base/', route: '/foo', strip: true, asked: '/foo/bar', upstream: '/base/bar' },
  { service: '/base/', route: '/foo', strip: true, asked: '/foobar', upstream: '/base/bar' },
  { service: '/base', route: '/foo', strip: false, asked: '/foo/bar', upstream: '/base/foo/bar' },
  { service: '/base/', route: '/foo', strip: false, asked: '/foo/bar', upstream: '/base/foo/bar' },
  { service: '/base', route: '/', strip: false, asked: '/', upstream: '/base' },
  { service: '/base', route: '/', strip: true, asked: '/', upstream: '/base' },
  { service: '/base/', route: '/', strip: false, asked: '/', upstream: '/base/' },
  // Stripping removes the matched text: of a regex the whole match.
  {
    service: '/base',
    route: '~/u/\\d+/profile',
    strip: true,
    asked: '/u/12/profile/hello',
    upstream: '/base/hello',
  },
  { service: null, route: '~/u/\\d+', strip: true, asked: '/u/12x', upstream: '/x' },
  { service: null, route: '~/u/\\d+', strip: false, asked: '/u/12x', upstream: '/u/12x' },
  // A leftover that starts with ./ or ../ loses that part.
  { service: '/base', route: '/foo', strip: true, asked: '/foo../bar', upstream: '/base/bar' },
  { service: '/base', route: '/foo', strip: true, asked: '/foo./bar', upstream: '/base/bar' },
  { service: '/base', route: undefined, strip: true, asked: '/x/y', upstream: '/base/x/y' },
  { service: '/base', route: undefined, strip: false, asked: '/x/y', upstream: '/base/x/y' },
];
const HANDLINGS = ['v0', 'v1'] as const;
const hostOf = (at: number, handling: string): string => `r${at}.${handling}.test`;

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const table = HANDLINGS.flatMap((handling) =>
    TABLE.map(({ service, route, strip }, at) => {
      const paths = route === undefined ? {} : { paths: [route] };
      const of = { hosts: [hostOf(at, handling)], strip_path: strip, path_handling: handling };
      return world.service(`r${at}${handling}`, [{ name: `r${at}${handling}`, ...of, ...paths }], {
        path: service,
      });
    }),
  );
  const on = (name: string, route: Document, over: Document = {}) =>
    world.service(name, [{ name, hosts: [`${name}.test`], ...route }], over);
  await world.load({
    services: [
      ...table,
      on('strip', { paths: ['/foo'] }),
      on('keep', { paths: ['/foo'], strip_path: false }),
      on('all', { paths: ['/'], strip_path: false }),
      on('preserve', { paths: ['/'], preserve_host: true }),
    ],
  });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each(HANDLINGS)('path_handling %s', (handling) => {
  test.each(TABLE.map((row, at) => ({ ...row, at })))(
    'given service path $service, route path $route, strip_path $strip, when asked for $asked, then $upstream',
    async ({ asked, upstream, at }) => {
      const { seen } = await world.through(asked, { headers: { host: hostOf(at, handling) } });
      expect(seen.url).toBe(upstream);
    },
  );
});

test.each([
  { asked: '/foo/bar?x=', host: 'strip.test', url: '/bar?x=', prefix: '/foo', path: '/foo/bar', vector: 13 },
  { asked: '/foo', host: 'strip.test', url: '/', prefix: '/foo', path: '/foo' },
  { asked: '/foo?', host: 'strip.test', url: '/?', prefix: '/foo', path: '/foo' },
  {
    asked: '/foo/b?a=b&a=%zz?/..',
    host: 'strip.test',
    url: '/b?a=b&a=%zz?/..',
    prefix: '/foo',
    path: '/foo/b',
  },
  { asked: '/foo//b/%41', host: 'strip.test', url: '/b/A', prefix: '/foo', path: '/foo//b/%41' },
  { asked: '/foo/b', host: 'keep.test', url: '/foo/b', prefix: undefined, path: '/foo/b' },
  {
    asked: '/a/%2e%2e//b/%41',
    host: 'all.test',
    url: '/b/A',
    prefix: undefined,
    path: '/a/%2e%2e//b/%41',
    vector: 14,
  },
  { asked: '/any', host: 'preserve.test', url: '/any', prefix: undefined, path: '/any' },
])(
  'given $host, when asked for $asked, then the upstream sees $url, prefix $prefix (vector: $vector)',
  async ({ asked, host, url, prefix, path }) => {
    const { seen } = await world.through(asked, { headers: { host } });
    expect(seen.url).toBe(url);
    expect(seen.headers['x-forwarded-prefix']).toBe(prefix);
    expect(seen.headers['x-forwarded-path']).toBe(path);
  },
);

test.each([
  { asked: "/!$&'()*+,/:;=@[]-_.~", url: "/!$&'()*+,/:;=@[]-_.~" },
  { asked: '/cat%20and%20dog', url: '/cat%20and%20dog' },
  { asked: '/caf%c3%a9', url: '/caf%C3%A9' },
  { asked: '/a%2fb%3Fc%23d%25e', url: '/a%2Fb%3Fc%23d%25e' },
  { asked: '/%7Euser/%2D', url: '/~user/-' },
  { asked: '/%22%3C%3E%5C%5E%60%7B%7C%7D', url: '/%22%3C%3E%5C%5E%60%7B%7C%7D' },
  { asked: '/a%0Ab', url: '/a%0Ab' },
  { asked: '/a/b/..', url: '/a/' },
  { asked: '/a/.', url: '/a/' },
  { asked: '/a///b//', url: '/a/b/' },
])('given a catch-all, when asked for $asked, then the upstream sees $url', async ({ asked, url }) => {
  const { seen } = await world.through(asked, { headers: { host: 'all.test' } });
  expect(seen.url).toBe(url);
});

test.each(['preserve.test', 'preserve.test:8765', 'PREServe.test'])(
  'given preserve_host, when asked with Host %s, then the upstream sees it as it came',
  async (host) => {
    const { seen } = await world.through('/x', { headers: { host } });
    expect(seen.headers.host).toBe(host);
  },
);

test('given no preserve_host, then the upstream sees its own host with its port', async () => {
  const { seen } = await world.through('/x', { headers: { host: 'all.test' } });
  expect(seen.headers.host).toBe(`127.0.0.1:${world.upstream.port}`);
});
