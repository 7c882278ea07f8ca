import { expect, test } from 'vitest';
import { ignoredTree } from '../../src/shadow/ignored.ts';
import { JsonSum } from '../../src/shadow/json-sum.ts';

/** The sum over a text that comes in pieces of so many bytes. */
const sumOf = (text: string, ignore: readonly string[] = [], pieceBytes = 1000): string | undefined => {
  const sum = new JsonSum(ignoredTree(ignore.map((path) => path.split('.'))));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) sum.update(bytes.subarray(at, at + pieceBytes));
  return sum.end();
};

const ORDER = '{"id":7,"lines":[{"sku":"a/b","at":"now"},{"sku":"ü","at":"then"}],"total":1.5,"note":null}';

test.each([
  [
    'blanks',
    ' { "id" : 7,\n"lines":[ {"sku":"a/b","at":"now"},{"sku":"ü","at":"then"} ],"total":1.5,"note":null}\n',
  ],
  [
    'the order of members',
    '{"note":null,"total":1.5,"lines":[{"at":"now","sku":"a/b"},{"sku":"ü","at":"then"}],"id":7}',
  ],
  ['escapes', ORDER.replace('a/b', String.raw`\u0061\/b`).replace('ü', String.raw`\u00fc`)],
  ['the spelling of numbers', ORDER.replace('7', '7.0').replace('1.5', '15e-1')],
])('%s do not matter', (_, text) => {
  expect(sumOf(text)).toBe(sumOf(ORDER));
  expect(sumOf(text, [], 1), 'byte by byte').toBe(sumOf(ORDER));
});

test.each([
  ['another number', '7', '8'],
  ['a text in place of a number', '7', '"7"'],
  ['another text', 'now', 'noW'],
  ['another name', 'total', 'sum'],
  ['another order in a list', '"sku":"a/b","at":"now"},{"sku":"ü"', '"sku":"ü","at":"now"},{"sku":"a/b"'],
  ['a member less', ',"note":null', ''],
  ['an empty list in place of nothing', 'null', '[]'],
  ['an empty object in place of an empty list', 'null', '{}'],
  ['a list in place of its only element', '1.5', '[1.5]'],
])('%s makes another sum', (_, from, to) => {
  expect(ORDER).toContain(from);
  expect(sumOf(ORDER.replace(from, to))).toEqual(expect.any(String));
  expect(sumOf(ORDER.replace(from, to))).not.toBe(sumOf(ORDER));
});

test('members change places only inside their own object', () => {
  expect(sumOf('{"a":{"x":1},"b":{"x":2}}')).not.toBe(sumOf('{"a":{"x":2},"b":{"x":1}}'));
  expect(sumOf('{"a":{"b":1}}')).not.toBe(sumOf('{"a":1,"b":1}'));
  expect(sumOf('[[],[1]]')).not.toBe(sumOf('[[1],[]]'));
});

test('numbers that a double cannot hold are compared as they are written', () => {
  expect(sumOf('[9007199254740993]')).not.toBe(sumOf('[9007199254740992]'));
});

test('what is to be left out is left out, with all that is in it, and nothing else', () => {
  const later = ORDER.replace('now', 'later').replace('then', 'afterwards').replace('null', '{"by":["me"]}');
  const ignore = ['lines.*.at', 'note'];
  expect(sumOf(later, ignore)).toBe(sumOf(ORDER, ignore));
  expect(sumOf(ORDER.replace(',"note":null', ''), ignore), 'also where it is absent').toBe(
    sumOf(ORDER, ignore),
  );
  expect(sumOf(ORDER.replace('now', 'x'), ['lines.0.at'])).toBe(sumOf(ORDER, ['lines.0.at']));
  expect(sumOf(ORDER.replace('then', 'x'), ['lines.0.at'])).not.toBe(sumOf(ORDER, ['lines.0.at']));
  expect(sumOf(ORDER.replace('a/b', 'x'), ignore)).not.toBe(sumOf(ORDER, ignore));
  expect(sumOf('{"at":1}', ['lines.*.at'])).not.toBe(sumOf('{"at":2}', ['lines.*.at']));
});

test.each([
  '',
  ' ',
  '{',
  '{"a":1',
  '{"a" 1}',
  '{"a":1,}',
  '[1,]',
  '[1 2]',
  '{a:1}',
  '"a',
  '01',
  '1 2',
  'nul',
  '{"a":1}}',
  '[1}',
  String.raw`"\x"`,
  String.raw`"\u00g0"`,
  '<p>',
  '['.repeat(100) + ']'.repeat(100),
])('%s has no sum', (text) => {
  expect(sumOf(text)).toBeUndefined();
});

test.each(['0', '-1.5e3', 'true', '""', '[]', '{}', ' [ ] '])('%s has one', (text) => {
  expect(sumOf(text)).toEqual(expect.any(String));
});
