import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeNamed, routesNamed, takenBy } from './routes.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
  const { services } = routesNamed(world, {
    integrations: { paths: ['/v1/integrations'] },
    jira: { paths: ['/v1/integrations/jira'] },
    foo: { paths: ['/foo'] },
    list: { paths: ['/first', '/second'] },
    long: { paths: ['/len', '/len/bar/baz'] },
    middle: { paths: ['/len/bar'] },
    decoded: { paths: ['/dec/bar'] },
    reserved: { paths: ['/res%2Fbar'] },
    beyond: { paths: ['/caf%C3%A9'] },
    dotted: { paths: ['/do.ted'] },
    digits: { paths: ['~/digits/\\d+'] },
    ended: { paths: ['~/ended/\\d+$'] },
    either: { paths: ['~/(one|two)/x'] },
    mixed: { paths: ['~/mixed/[a-c]', '/mixed-plain'] },
    low: { paths: ['~/prio/.*'], regex_priority: 1 },
    high: { paths: ['~/prio/x'], regex_priority: 7 },
    negative: { paths: ['~/minus/.*'], regex_priority: -1 },
    zero: { paths: ['~/minus/x'] },
    regex: { paths: ['~/a/(?<id>\\d+)$'], regex_priority: 5 },
    prefix: { paths: ['/a/'] },
    ignored: { paths: ['/ign'], regex_priority: 100 },
    longer: { paths: ['/ignored'] },
    normalised: { paths: ['~/norm/[a-z]+$'] },
  }) as { services: object[] };
  const captured = routeNamed(world, 'captured', { paths: ['~/users/(?<user>[^/]+)/(\\d+)'] });
  const add = { headers: ['X-User:$(uri_captures.user)', 'X-Second:$(uri_captures[2])'] };
  const plugins = [{ name: 'request-transformer', route: 'captured', config: { add } }];
  await world.load({ services: [...services, captured], plugins });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  { path: '/v1/integrations/jira/x', route: 'jira', vector: 10 },
  { path: '/v1/integrations/jir', route: 'integrations', vector: 10 },
  { path: '/a/12', route: 'regex', vector: 12 },
  { path: '/a/12x', route: 'prefix', vector: 12 },
  { path: '/foo', route: 'foo' },
  { path: '/foo/', route: 'foo' },
  { path: '/foobar', route: 'foo' },
  { path: '/foo/bar?x=/first', route: 'foo' },
  { path: '/foo?x', route: 'foo' },
  { path: '/fo', route: 404 },
  { path: '/Foo', route: 404 },
  { path: '/x/foo', route: 404 },
  { path: '/?/foo', route: 404 },
  { path: '/first/x', route: 'list' },
  { path: '/second/x', route: 'list' },
  { path: '/len/ba', route: 'long' },
  { path: '/len/bar/b', route: 'middle' },
  { path: '/len/bar/baz', route: 'long' },
  { path: '/ignored', route: 'longer' },
  { path: '/ignore', route: 'ignored' },
  { path: '/do.ted', route: 'dotted' },
  { path: '/doXted', route: 404 },
])('given plain paths, when asked for $path, then $route (vector: $vector)', async ({ path, route }) => {
  expect(await takenBy(world, path)).toBe(route);
});

test.each([
  { path: '/digits/1', route: 'digits' },
  { path: '/digits/12x/y', route: 'digits' },
  { path: '/digits/x', route: 404 },
  { path: '/x/digits/1', route: 404 },
  { path: '/ended/12', route: 'ended' },
  { path: '/ended/12/x', route: 404 },
  { path: '/ended/12?x=1', route: 'ended' },
  { path: '/one/x', route: 'either' },
  { path: '/two/xyz', route: 'either' },
  { path: '/three/x', route: 404 },
  { path: '/mixed/b', route: 'mixed' },
  { path: '/mixed/d', route: 404 },
  { path: '/mixed-plain/d', route: 'mixed' },
  { path: '/prio/x', route: 'high' },
  { path: '/prio/y', route: 'low' },
  { path: '/minus/x', route: 'zero' },
  { path: '/minus/y', route: 'negative' },
])('given regex paths, when asked for $path, then $route', async ({ path, route }) => {
  expect(await takenBy(world, path)).toBe(route);
});

test.each([
  { path: '/dec//bar', route: 'decoded' },
  { path: '/dec/./bar', route: 'decoded' },
  { path: '/dec/x/../bar', route: 'decoded' },
  { path: '/dec/x/%2e%2E/bar', route: 'decoded' },
  { path: '//dec///bar', route: 'decoded' },
  { path: '/dec/%62%61r', route: 'decoded' },
  { path: '/%64ec/bar', route: 'decoded' },
  { path: '/dec%2Fbar', route: 404 },
  { path: '/dec%252Fbar', route: 404 },
  { path: '/res%2fbar', route: 'reserved' },
  { path: '/res%2Fbar', route: 'reserved' },
  { path: '/res/bar', route: 404 },
  { path: '/caf%c3%a9', route: 'beyond' },
  { path: '/caf%C3%A9/x', route: 'beyond' },
  { path: '/norm/%61bc', route: 'normalised' },
  { path: '/norm/abc/.', route: 404 },
  { path: '/norm/./abc', route: 'normalised' },
  { path: '/norm/abc/../..', route: 404 },
])('given %-triplets, dots and slashes, when asked for $path, then $route', async ({ path, route }) => {
  expect(await takenBy(world, path)).toBe(route);
});

test.each(['/../dec/bar', '/dec/%2e%2e/%2e%2e/x', '/dec/%zz', '/dec/%', '/dec/%00', '/dec/..%2f..%2fx'])(
  'given %s, which has no meaning, then 400',
  async (path) => {
    const answer = await world.ask(path);
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringMatching(/^Bad request\nrequest_id: \w{32}\n$/),
    ]);
  },
);

test('given captures in a regex path, then plugins read them by name and number', async () => {
  const { seen } = await world.through('/users/ann%20b/42/x');
  expect(seen.headers['x-user']).toBe('ann b');
  expect(seen.headers['x-second']).toBe('42');
});
