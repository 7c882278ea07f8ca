import { describe, expect, test } from 'vitest';
import { escapePath, normalisePath } from '../src/normalise-path.ts';

describe('the path for matching', () => {
  test.each([
    ['/', '/'],
    ['/foo/bar', '/foo/bar'],
    ['/a/../bar', '/bar'],
    ['/foo/a/../bar', '/foo/bar'],
    ['/foo//bar', '/foo/bar'],
    ['/foo///bar//', '/foo/bar/'],
    ['/foo/./bar', '/foo/bar'],
    ['/foo/.', '/foo/'],
    ['/foo/..', '/'],
    ['/foo/bar/..', '/foo/'],
    ['/foo/%2e%2E/hello', '/hello'],
    ['/a/%2e%2e//b/%41', '/b/A'],
    ['/h%65llo', '/hello'],
    ['/%7Euser/%2D%5F', '/~user/-_'],
    ['/endel%2Fst', '/endel%2Fst'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%3fb%23c%25d', '/a%3Fb%23c%25d'],
    ['/a%252e%252e/b', '/a%252e%252e/b'],
    ['/cat%20and%20dog', '/cat and dog'],
    ['/caf%C3%A9', '/café'],
    ['/caf\u00c3\u00a9', '/café'],
    ['/..hidden/a.b...', '/..hidden/a.b...'],
    ['/a;v=1/b', '/a;v=1/b'],
    ['/%5C..%5Cx', '/\\..\\x'],
    ['/a%0Ab', '/a\nb'],
  ])('given %s, when it is read, then the path is %s', (target, path) => {
    expect(normalisePath(target)).toMatchObject({ path, rawPath: target });
  });

  test.each([
    '',
    '*',
    'example.com:443',
    'foo',
    '/%',
    '/%4',
    '/%zz',
    '/a%2',
    '/%00',
    '/a\u0000',
    '/a b',
    '/a\tb',
    '/a\nb',
    '/a\u007f',
    '/?a\u0001',
    '/a#b',
    '/%FF',
    '/%C0%AE%C0%AE/x',
    '/\u00e9',
    '/caf\u0119',
    '/../x',
    '/a/../../x',
    '/a/..%2f..%2fx',
    'http:///x',
    'ftp://h/x',
  ])('given %j, when it is read, then it is refused', (target) => {
    expect(normalisePath(target)).toBeUndefined();
  });
});

test.each([
  ['/a', undefined],
  ['/a?', ''],
  ['/a?b', 'b'],
  ['/a?b=%zz&c=%41', 'b=%zz&c=%41'],
  ['/a?next=/x/../y//z', 'next=/x/../y//z'],
  ['/a?b?c', 'b?c'],
])('given %s, when it is read, then the query is kept as %s', (target, query) => {
  expect(normalisePath(target)).toMatchObject({ path: '/a', query, rawPath: '/a' });
});

test.each([
  ['http://both.test/abs', { path: '/abs', authority: 'both.test', rawPath: '/abs', query: undefined }],
  ['HTTPS://h:8443?x', { path: '/', authority: 'h:8443', rawPath: '/', query: 'x' }],
  ['http://u@h/%61', { path: '/a', authority: 'u@h', rawPath: '/%61', query: undefined }],
])('given the absolute form %s, when it is read, then the authority is split off', (target, parts) => {
  expect(normalisePath(target)).toMatchObject(parts);
});

test.each([
  ['/b/A', '/b/A'],
  ["/!#$&'()*+,/:;=?@[]-_.~%2F", "/!#$&'()*+,/:;=?@[]-_.~%2F"],
  ['/cat and dog', '/cat%20and%20dog'],
  ['/café/😀', '/caf%C3%A9/%F0%9F%98%80'],
  ['/\\"<>^`{|}\n', '/%5C%22%3C%3E%5E%60%7B%7C%7D%0A'],
])('given the path %j, when it goes upstream, then it is written %s', (path, escaped) => {
  expect(escapePath(path)).toBe(escaped);
});
