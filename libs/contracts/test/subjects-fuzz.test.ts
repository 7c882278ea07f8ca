import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contracts, subjectFor, subjectPattern, subjectToken } from '../src/index.ts';

/** `npm run fuzz` sets it; without, a run is short. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 2);
const BOUNDS = {
  numRuns: 100_000_000,
  interruptAfterTimeLimit: SECONDS * 50,
  markInterruptAsFailure: false,
};
const TIMEOUT = { timeout: SECONDS * 1000 + 30_000 };

/** What a subject means something by, what ends a line of the protocol, and what looks like a letter. */
const PIECES = [
  '.',
  '*',
  '>',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\nPUB config.committed 2\r\nhi\r\n',
  '\0',
  '$',
  '$&',
  "$'",
  '$1',
];
const LETTERS = [
  'a',
  'A',
  '0',
  '-',
  '_',
  '~',
  '{',
  '}',
  '{id}',
  '\u2028',
  'ä',
  'а',
  '\ud800',
  '__proto__',
  'x'.repeat(64),
];
const anyText = fc
  .array(fc.oneof(fc.constantFrom(...PIECES, ...LETTERS), fc.string({ unit: 'binary', maxLength: 4 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

const withToken = contracts.filter(({ subject }) => subject.includes('{'));

test('given any text, then it is one token of a subject, and no other text is the same one', TIMEOUT, () => {
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(anyText, (text) => {
      const token = subjectToken(text);
      expect(token).toMatch(/^(?:[A-Za-z0-9_-]{1,64}|~[A-Za-z0-9_-]{43})$/);
      expect(subjectToken(text)).toBe(token);
      const sound = text.toWellFormed(); // what lone halves of characters become on the wire
      expect(seen.get(token) ?? sound).toBe(sound);
      if (seen.size < 100_000) seen.set(token, sound);
    }),
    BOUNDS,
  );
});

test('given any text as the end of any subject, then it stays within that subject', TIMEOUT, () => {
  expect(withToken.length).toBeGreaterThan(5);
  fc.assert(
    fc.property(fc.constantFrom(...withToken), anyText, (contract, text) => {
      const subject = subjectFor(contract, text);
      const pattern = subjectPattern(contract).split('.');
      const tokens = subject.split('.');
      expect(tokens).toHaveLength(pattern.length);
      for (const [i, token] of tokens.entries()) {
        expect(token).toMatch(/^[A-Za-z0-9_~-]+$/);
        if (pattern[i] !== '*') expect(token).toBe(pattern[i]);
      }
    }),
    BOUNDS,
  );
});
