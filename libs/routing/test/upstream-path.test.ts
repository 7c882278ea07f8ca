import { describe, expect, test } from 'vitest';
import { normalisePath } from '../src/normalise-path.ts';
import { upstreamPath, withQuery } from '../src/upstream-path.ts';

describe("Kong's table for path_handling v0", () => {
  test.each<[string | null, string | undefined, boolean, string, string]>([
    [null, '/foo', true, '/foo', '/'],
    [null, '/foo', true, '/foo/', '/'],
    ['/', '/foo', true, '/foo', '/'],
    ['/', '/foo', true, '/foo/', '/'],
    ['/', '/foo', true, '/foo/bar', '/bar'],
    [null, '/foo', true, '/foobar', '/bar'],
    ['/base', '/foo', true, '/foo', '/base'],
    ['/base', '/foo', true, '/foo/', '/base/'],
    ['/base', '/foo', true, '/foo/bar', '/base/bar'],
    ['/base', '/foo', true, '/foobar', '/base/bar'],
    ['/base/', '/foo', true, '/foo', '/base'],
    ['/base/', '/foo', true, '/foo/', '/base/'],
    ['/base/', '/foo', true, '/foo/bar', '/base/bar'],
    ['/base/', '/foo', true, '/foobar', '/base/bar'],
    ['/base', '/foo', false, '/foo/bar', '/base/foo/bar'],
    ['/base/', '/foo', false, '/foo/bar', '/base/foo/bar'],
    ['/base', '/', false, '/', '/base'],
    ['/base', '/', true, '/', '/base'],
    ['/base/', '/', false, '/', '/base/'],
    [null, '/', true, '/any', '/any'],
    [null, '/', false, '/any', '/any'],
    ['/base', undefined, true, '/', '/base'],
    ['/base/', undefined, true, '/', '/base/'],
    ['/base', undefined, true, '/x/y', '/base/x/y'],
    ['/base', undefined, false, '/x/y', '/base/x/y'],
    ['/base', '/users/12/profile', true, '/users/12/profile/hello', '/base/hello'],
  ])(
    'service %s, route path %s, strip %s: %s becomes %s',
    (servicePath, matchedPath, stripPath, path, upstream) => {
      expect(upstreamPath({ servicePath, matchedPath, stripPath, path }).path).toBe(upstream);
    },
  );
});

test.each([
  ['/foo../bar', '/base/bar'],
  ['/foo./bar', '/base/bar'],
  ['/foo..', '/base'],
  ['/foo.', '/base'],
  ['/foo..%2Fadmin', '/base/admin'],
  ['/foo..bar', '/base/..bar'],
  ['/foo.well-known', '/base/.well-known'],
])('given the prefix /foo is stripped from %s, then nothing is left that climbs', (path, upstream) => {
  const input = { servicePath: '/base', matchedPath: '/foo', stripPath: true, path };
  expect(upstreamPath(input).path).toBe(upstream);
});

test.each([
  [true, '/foo', '/foo'],
  [true, '/', undefined],
  [true, undefined, undefined],
  [false, '/foo', undefined],
  [true, '/café', '/caf%C3%A9'],
])('strip %s of %s: X-Forwarded-Prefix is %s', (stripPath, matchedPath, strippedPrefix) => {
  const path = `${matchedPath ?? ''}/x`;
  expect(upstreamPath({ servicePath: null, stripPath, matchedPath, path }).strippedPrefix).toBe(
    strippedPrefix,
  );
});

test('what was decoded for matching is encoded again on the way up', () => {
  const { path } = normalisePath('/anything/world/cat%20and%20dog/caf%C3%A9%2Fx') ?? { path: '' };
  const input = { servicePath: '/world', matchedPath: '/anything', stripPath: false, path };
  expect(upstreamPath(input).path).toBe('/world/anything/world/cat%20and%20dog/caf%C3%A9%2Fx');
});

test.each([
  [undefined, '/a'],
  ['', '/a?'],
  ['limit=25&where=%7B%22or%22', '/a?limit=25&where=%7B%22or%22'],
])('given the query %j, when it is appended, then the target is %s', (query, target) => {
  expect(withQuery('/a', query)).toBe(target);
});
