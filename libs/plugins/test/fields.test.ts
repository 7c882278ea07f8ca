import { expect, test } from 'vitest';
import type { z } from 'zod';
import { checked, choice, decimal, needs, pattern, record, WHOLE } from '../src/fields.ts';

const problemsOf = (schema: z.ZodType, config: unknown): Record<string, string> => {
  const { error } = schema.safeParse(config) as z.ZodSafeParseResult<unknown>;
  return Object.fromEntries((error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]));
};
const limits = checked(
  record({
    low: decimal().positive('value must be greater than 0').default(1),
    high: decimal().positive('value must be greater than 0').default(1),
    other: decimal().positive('value must be greater than 0').default(1),
  }),
  function* ({ low, high }) {
    if (high < low) yield { path: WHOLE, message: 'high is below low', of: ['low', 'high'] };
    if (high === 7) yield* needs('high', ['other'], 'never with 7');
    if (low === 7) yield { path: WHOLE, message: 'of all fields' };
  },
);

test.each([
  ['both fields are right', { low: 2 }, { '': 'high is below low' }],
  ['one of them is wrong in itself', { low: 2, high: 0 }, { high: 'value must be greater than 0' }],
  [
    'a field that was not looked at is wrong',
    { low: 2, other: 0 },
    { other: 'value must be greater than 0', '': 'high is below low' },
  ],
  ['the other field of a pair is wrong', { high: 7, other: -1 }, { other: 'value must be greater than 0' }],
  [
    'any field is wrong, for a check of all',
    { low: 7, high: 8, other: 0 },
    { other: 'value must be greater than 0' },
  ],
])(
  'given a check over fields, when %s, then it speaks only of what is right in itself',
  (_when, config, problems) => {
    expect(problemsOf(limits, config)).toEqual(problems);
  },
);

test.each([
  [7, 'expected a string'],
  ['c', 'expected one of: a, b'],
  [undefined, 'required field missing'],
])('given a choice of a and b, when it is %s, then "%s"', (value, message) => {
  expect(problemsOf(record({ letter: choice(['a', 'b']) }), { letter: value })).toEqual({ letter: message });
});

test('given a pattern that cannot be used, then it is named with the reason', () => {
  expect(problemsOf(record({ p: pattern() }), { p: 'a(?=b)' }).p).toMatch(
    /^not a valid regex: a\(\?=b\) \(it uses look-around/,
  );
});
