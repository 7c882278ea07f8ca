import { expect, test } from 'vitest';
import { redact } from '../src/prompt-guard/redact.ts';

const cases: [string, string][] = [
  ['write to ann.lee+x@mail.example.org now', 'write to [EMAIL] now'],
  ['card 4111-1111-1111-1111', 'card [CARD]'],
  ['number 4111-1111-1111-1112', 'number 4111-1111-1111-1112'],
  ['IBAN DE89 3704 0044 0532 0130 00.', 'IBAN [IBAN].'],
  ['IBAN GB82 WEST 1234 5698 7654 33.', 'IBAN GB82 WEST 1234 5698 7654 33.'],
  ['call +44 20 7946 0958', 'call [PHONE]'],
  ['call (030) 123 4567', 'call [PHONE]'],
  ['in 2024-11-23 we sold 1200 units', 'in 2024-11-23 we sold 1200 units'],
  [`key sk-${'a1'.repeat(12)}`, 'key [KEY]'],
  [`AKIA${'A1'.repeat(8)} and ghp_${'a'.repeat(36)}`, '[KEY] and [KEY]'],
  ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abcdef.c2ln', 'token [KEY]'],
];
test.each(cases)('%j becomes %j', (text, expected) => {
  expect(redact(text).text).toBe(expected);
});

test('only the kinds that are asked for are taken out, and each is counted', () => {
  const { text, counts } = redact('a@b.example and +44 20 7946 0958 and c@d.example', ['email']);
  expect(text).toBe('[EMAIL] and +44 20 7946 0958 and [EMAIL]');
  expect([...counts]).toEqual([['email', 2]]);
});
