import { describe, expect, test } from 'vitest';
import { compileHeaderRegex, compilePathRegex } from '../src/linear-regex.ts';

describe('a path regex', () => {
  test.each<[pattern: string, path: string, matched: string | undefined]>([
    ['/users/\\d+/profile', '/users/123/profile/x', '/users/123/profile'],
    ['/users/\\d+/profile', '/users/foo/profile', undefined],
    ['/prefix/[0-9]+', '/extra/prefix/123', undefined],
    ['/strict/[a-z]+$', '/strict/abc/more', undefined],
    ['/a|/b', '/b/x', '/b'],
    ['/a|/b', '/x/b', undefined],
    ['/(?<n>[^/]+)/x', '/y/x', '/y/x'],
    ['/(?P<n>[^/]+)/x', '/y/x', '/y/x'],
    ['/(?i)abc/x', '/ABC/X', '/ABC/X'],
    ['/(?i:ab)c', '/ABc', '/ABc'],
    ['/(?i:ab)c', '/ABC', undefined],
    ['/(?i)[a-f]+[^x]$', '/ABY', '/ABY'],
    ['/(?i)[a-f]+[^x]$', '/ABX', undefined],
    ['/a((?i)b|c)d', '/aCd', '/aCd'],
    ['/a((?i)b|c)d', '/aCD', undefined],
    ['/a.c', '/a\nc', undefined],
    ['/(?s)a.c', '/a\nc', '/a\nc'],
    ['/[[:alpha:]]+\\z', '/abc', '/abc'],
    ['/[]x]+', '/]x]', '/]x]'],
    ['/[a[]+', '/a[', '/a['],
    ['/\\x41\\x{42}\\u0043', '/ABC', '/ABC'],
    ['/😀+/', '/😀😀/', '/😀😀/'],
    ['/a{2,3}', '/aaaa', '/aaa'],
    ['/{id}', '/{id}', '/{id}'],
    ['/people/(?<fullname>[a-zA-Z\\s\\d%]+)/profile', '/people/john doe/profile', '/people/john doe/profile'],
    ['/api/v\\d/(?:agents|flows)/[\\w\\-\\.]+', '/api/v1/flows/a-b.c', '/api/v1/flows/a-b.c'],
    ['/', '/anything', '/'],
  ])('%s on %s matches %s', (pattern, path, matched) => {
    expect(compilePathRegex(pattern).regex.exec(path)?.[0]).toBe(matched);
  });

  test.each([
    ['/v2/items/\\d+', '/v2/items/'],
    ['/v2\\.0/x', '/v2.0/x'],
    ['/ab?c', '/a'],
    ['/ab*', '/a'],
    ['/ab+c', '/ab'],
    ['/ab{2}', '/a'],
    ['/fixture/(one)', '/fixture/'],
    ['/one|/two', ''],
    ['/(one|two)', '/'],
    ['/x(?i)ab', '/x'],
    ['/a$', '/a'],
    ['/[ab]', '/'],
  ])('%s is filed under %j', (pattern, prefix) => {
    expect(compilePathRegex(pattern).literalPrefix).toBe(prefix);
  });

  test.each([
    ['/(?=a)', 'look-around'],
    ['/(?!a)', 'look-around'],
    ['/(?<=a)b', 'look-around'],
    ['/(?<!a)b', 'look-around'],
    ['/(a)\\1', 'back-reference'],
    ['/(?<n>a)\\k<n>', 'back-reference'],
    ['/(?P=n)', 'kind of group'],
    ['/(?>a)', 'kind of group'],
    ['/(?x)a', 'flag "x"'],
    ['/\\p{L}', 'escape "\\p"'],
    ['/[\\pL]', 'escape "\\p"'],
    ['/[a', 'not closed'],
    ['/a)', 'no opening'],
    ['/(a', 'Unterminated group'],
    ['/a**', 'Nothing to repeat'],
    ['/a\\', 'lone "\\"'],
    ['/[[:nope:]]', 'no class'],
  ])('%s is refused: %s', (pattern, problem) => {
    expect(() => compilePathRegex(pattern)).toThrow(problem);
  });

  test('case is ignored without the flag i, which the linear-time engine of V8 refuses', () => {
    for (const pattern of ['/(?i)(a+)+$', '/(?<n>[a-z]|[0-9])*/x', '/(?i:[a-z]+)+', '/a{1,16}'])
      expect(compilePathRegex(pattern).regex.flags).toBe('');
  });
});

test.each([
  ['windows|linux|os\\s+x\\s*[\\d\\._]+|solaris|bsd', 'mozilla on linux x86', true],
  ['windows|linux|os\\s+x\\s*[\\d\\._]+|solaris|bsd', 'plan9', false],
  ['^V[0-9]\\D$', 'v1b', true],
  ['^V[0-9]\\D$', 'v12', false],
  ['[A-C]+\\d', 'xab1', true],
])('header regex %s on %s: %s', (pattern, value, matches) => {
  expect(compileHeaderRegex(pattern).test(value)).toBe(matches);
});
