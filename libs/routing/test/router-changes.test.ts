import type { Route } from '@sluice/gateway-config';
import { describe, expect, test } from 'vitest';
import { type MatchRequest, Router } from '../src/router.ts';
import { fill, requestOf, routeOf } from './routes.ts';

describe('what was matched', () => {
  const router = new Router<string>();
  fill(router, {
    plain: { paths: ['/foo', '/x/y/z'] },
    host: { hosts: ['h.test'] },
    captured: { paths: ['~/people/(?<fullname>[a-z ]+)/(\\d+)?(?<__proto__>x)?'] },
    bare: { paths: ['~/bare/\\d+'] },
    two: { paths: ['~/two/\\d', '~/two/\\d+'] },
  });
  const matched = (asked: Partial<MatchRequest>) => router.match(requestOf(asked));

  test('a plain path gives its prefix', () => {
    expect(matched({ path: '/foobar' })).toMatchObject({ matchedPath: '/foo', captures: undefined });
    expect(matched({ path: '/x/y/z/get' })).toMatchObject({ matchedPath: '/x/y/z' });
  });

  test('a route without paths gives none', () => {
    expect(matched({ host: 'h.test' })).toMatchObject({ value: 'host', matchedPath: undefined });
  });

  test('a regex gives its text, and its captures by name and number', () => {
    const found = matched({ path: '/people/john doe/12/rest' });
    expect(found?.matchedPath).toBe('/people/john doe/12');
    expect({ ...found?.captures }).toEqual({ 1: 'john doe', 2: '12', fullname: 'john doe' });
    expect(Object.keys(matched({ path: '/people/a/x' })?.captures ?? {})).toContain('__proto__');
  });

  test('a regex without groups has no captures', () => {
    expect(matched({ path: '/bare/12/x' })).toEqual({
      value: 'bare',
      matchedPath: '/bare/12',
      captures: undefined,
    });
  });

  test('of several regexes of a route the first that matches is taken', () => {
    expect(matched({ path: '/two/34' })?.matchedPath).toBe('/two/3');
  });
});

describe('changes', () => {
  const bad: [string, Partial<Route>, RegExp][] = [
    [
      'look-around',
      { paths: ['~/a(?=b)'] },
      /^route 'bad': paths: '~\/a\(\?=b\)' cannot be used: .*look-around/,
    ],
    ['broken regex', { paths: ['~/a('] }, /paths: '~\/a\('.*Unterminated group/],
    ['header regex', { headers: { 'x-a': ['~*(a)\\1'] } }, /headers\.x-a: '~\*\(a\)\\1'.*back-reference/],
    ['wildcard inside', { hosts: ['a.*.test'] }, /hosts: 'a\.\*\.test'.*whole first or the whole last label/],
    ['part of a label', { hosts: ['*a.test'] }, /whole first or the whole last label/],
    ['two wildcards', { hosts: ['*.a.*'] }, /whole first or the whole last label/],
    ['bad port', { hosts: ['a.test:x'] }, /hosts: 'a\.test:x'.*host name/],
  ];
  test.each(bad)(
    'given %s, when it is prepared, then it is refused and nothing changed',
    (_title, fields, message) => {
      const router = new Router<string>();
      router.upsert(routeOf(1, { paths: ['/a'] }), 'before');
      const before = router.census();
      expect(() => router.upsert(routeOf(1, { name: 'bad', ...fields }), 'after')).toThrow(message);
      expect(router.census()).toEqual(before);
      expect(router.match(requestOf({ path: '/a' }))?.value).toBe('before');
    },
  );

  test('given a prepared route, when it is not committed, then requests do not see it', () => {
    const router = new Router<string>();
    const prepared = router.prepareUpsert(routeOf(1, { paths: ['/a'] }), 'a');
    expect(router.match(requestOf({ path: '/a' }))).toBeUndefined();
    router.commitUpsert(prepared);
    expect(router.match(requestOf({ path: '/a' }))?.value).toBe('a');
  });

  test('given a route, when it is upserted again, then only its new form matches', () => {
    const router = new Router<string>();
    router.upsert(routeOf(1, { hosts: ['a.test'], paths: ['/a', '~/r\\d'] }), 'before');
    router.upsert(routeOf(1, { hosts: ['b.test'], paths: ['/b'] }), 'after');
    expect(router.match(requestOf({ host: 'a.test', path: '/a' }))).toBeUndefined();
    expect(router.match(requestOf({ host: 'a.test', path: '/r1' }))).toBeUndefined();
    expect(router.match(requestOf({ host: 'b.test', path: '/b' }))?.value).toBe('after');
    expect(router.size).toBe(1);
  });

  test('given routes, when they are removed, then nothing of them is left', () => {
    const router = new Router<string>();
    const table = {
      a: { paths: ['/abc/def', '/abc/dxy', '/abc', '~/abc/d(.)'] },
      b: { hosts: ['h.test', '*.h.test', 'h.*', 'h.test:1'], paths: ['/abc/d', '/q'] },
      c: { methods: ['GET'] },
    };
    const empty = router.census();
    const kept = routeOf(99, { paths: ['/abc/de'] });
    router.upsert(kept, 'kept');
    const before = router.census();
    fill(router, table);
    expect(router.census().nodes).toBeGreaterThan(before.nodes + 5);
    for (const n of [2, 1, 3]) router.remove(routeOf(n, {}).id);
    expect(router.census()).toEqual(before);
    expect(router.match(requestOf({ path: '/abc/def' }))?.value).toBe('kept');
    router.remove(kept.id);
    router.remove(kept.id);
    expect(router.census()).toEqual(empty);
  });

  test('given a look-up that threw, when the next one comes, then it starts anew', () => {
    const router = new Router<string>();
    router.upsert(routeOf(1, { paths: ['/a'] }), 'a');
    router.upsert(routeOf(2, { paths: ['/a/b'], headers: { x: ['1'] } }), 'b');
    const throwing = () => {
      throw new Error('header list is gone');
    };
    expect(() => router.match({ ...requestOf({ path: '/a/b' }), headers: throwing })).toThrow('gone');
    expect(router.match(requestOf({ path: '/nothing' }))).toBeUndefined();
  });
});

test('given routes that match by headers, then the router names these headers as long as one of them is filed', () => {
  const router = new Router<string>();
  router.upsert(routeOf(1, { paths: ['/a', '/b'], headers: { 'X-Version': ['2'] } }), 'a');
  router.upsert(routeOf(2, { paths: ['/c'], headers: { 'x-version': ['3'], 'x-beta': ['on'] } }), 'c');
  expect([...router.headerNames].sort()).toEqual(['x-beta', 'x-version']);

  router.upsert(routeOf(2, { paths: ['/c'] }), 'c');
  expect(router.headerNames).toEqual(['x-version']);
  router.remove(routeOf(1, {}).id);
  expect(router.headerNames).toEqual([]);
});
