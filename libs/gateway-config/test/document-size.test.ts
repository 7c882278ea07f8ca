import { expect, test } from 'vitest';
import { limitJson, MAX_FIELDS, MAX_ITEMS, MAX_LINES, MAX_NAMES, MAX_VALUES } from '../src/document-size.ts';
import { parseText } from '../src/parse.ts';

test.each([
  ['[[[1]]]', 3],
  ['{"a":{"b":[1]}}', 3],
  ['[[],[],[],[[1]]]', 3],
  ['["[[[[[[","]"]', 1],
  ['{"a":"\\"[[[[","b":"\\\\"}', 1],
  ['[{"[":["{"]}]', 3],
  ['"[[[["', 0],
  ['7', 0],
])('%s is %i levels deep', (json, depth) => {
  expect(() => limitJson(json, depth)).not.toThrow();
  if (depth > 0) expect(() => limitJson(json, depth - 1)).toThrow(`nested deeper than ${depth - 1} levels`);
});

test('a text that never ends hides nothing that JSON.parse would read', () => {
  expect(() => limitJson(`["a\\"${'['.repeat(100)}`, 5)).not.toThrow();
  expect(() => JSON.parse(`["a\\"${'['.repeat(100)}`)).toThrow(SyntaxError);
});

const listOf = (count: number, item = '1') => `[${Array(count).fill(item).join(',')}]`;
const mapOf = (count: number, from = 0) =>
  `{${Array.from({ length: count }, (_, i) => `"k${from + i}": 1`).join(', ')}}`;
const blockOf = (flow: string) =>
  flow
    .slice(1, -1)
    .split(/, ?/)
    .map((field) => field.replaceAll('"', ''))
    .join('\n');

/** As JSON, and as YAML in both styles; `b` and `f` so that the texts are YAML and nothing else. */
const styles = (json: string): [style: string, text: string][] => [
  ['JSON', `{"a":${json}}`],
  ['flow', `b: c\nf: ${json}\n`],
];

const listCase = (count: number) => [listOf(count), `a:\n${'- 1\n'.repeat(count)}`] as const;
const mapCase = (count: number) => [mapOf(count), blockOf(mapOf(count))] as const;

test.each([
  ['a list that is full', ...listCase(MAX_ITEMS), undefined],
  ['a list with one more', ...listCase(MAX_ITEMS + 1), `more than ${MAX_ITEMS} items in one list`],
  ['a map that is full', ...mapCase(MAX_FIELDS), undefined],
  ['a map with one more', ...mapCase(MAX_FIELDS + 1), `more than ${MAX_FIELDS} fields in one map`],
])('given %s, then it is read, or refused in words, whatever it is written in', (_, json, block, message) => {
  for (const [style, text] of [...styles(json), ['block', block] as const]) {
    const read = parseText(text);
    expect(read.ok ? undefined : read.message, style).toBe(message);
  }
});

test('given more names than any configuration has, then it is refused, in any style', () => {
  const maps = (count: number) => Array.from({ length: count }, (_, i) => mapOf(10, i * 10));
  const enough = MAX_NAMES / 10 - 1;
  for (const [style, text] of styles(`[${maps(enough).join(',')}]`))
    expect(parseText(text).ok, style).toBe(true);
  for (const [style, text] of styles(`[${maps(enough + 2).join(',')}]`))
    expect(parseText(text), style).toMatchObject({ message: `more than ${MAX_NAMES} different names` });
  const block = maps(enough + 2).map((map) => `- ${blockOf(map).replaceAll('\n', '\n  ')}\n`);
  expect(parseText(block.join(''))).toMatchObject({ message: `more than ${MAX_NAMES} different names` });
});

test('given more values than any configuration has, then it is refused, in any style', () => {
  const lists = listOf(MAX_VALUES / MAX_ITEMS + 1, listOf(MAX_ITEMS, '[]'));
  for (const [style, text] of styles(lists))
    expect(parseText(text), style).toMatchObject({ message: `more than ${MAX_VALUES} values` });
  const blocks = `a:\n${'- b\n'.repeat(MAX_ITEMS)}`.repeat(MAX_VALUES / MAX_ITEMS + 1);
  let key = 0;
  expect(parseText(blocks.replaceAll('a:', () => `a${++key}:`))).toMatchObject({
    message: `more than ${MAX_VALUES} values`,
  });
});

test('given more lines than any configuration has, then it is refused before it is read', () => {
  expect(parseText('\n'.repeat(MAX_LINES))).toMatchObject({ message: `more than ${MAX_LINES} lines` });
  expect(parseText(`a: '${"''".repeat(MAX_VALUES)}'\n`)).toMatchObject({
    message: `more than ${MAX_VALUES} values`,
  });
});
