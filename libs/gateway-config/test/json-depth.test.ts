import { expect, test } from 'vitest';
import { isDeeperThan } from '../src/json-depth.ts';

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
  expect(isDeeperThan(json, depth)).toBe(false);
  if (depth > 0) expect(isDeeperThan(json, depth - 1)).toBe(true);
});

test('a text that never ends hides nothing that JSON.parse would read', () => {
  expect(isDeeperThan(`["a\\"${'['.repeat(100)}`, 5)).toBe(false);
  expect(() => JSON.parse(`["a\\"${'['.repeat(100)}`)).toThrow(SyntaxError);
});
