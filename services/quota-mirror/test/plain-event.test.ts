import { envelopeOf, quotaSnapshot, quotaUsage } from '@sluice/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { microsOf } from '../src/instant.ts';
import { isPlainEnvelope, isPlainSnapshot, isPlainUsage } from '../src/plain-event.ts';

const text = fc.oneof(
  fc.constantFrom('', 'a', 'tenant-123', 'x'.repeat(32), 'x'.repeat(33), 'x'.repeat(64), 'x'.repeat(65)),
  fc.constantFrom('x'.repeat(128), 'x'.repeat(129), 'x'.repeat(256), 'x'.repeat(257)),
);
const odd = fc.constantFrom<unknown>(null, undefined, true, [], {}, [1], '1', Number.NaN, Infinity, -1, 0);
const amount = fc.oneof({ weight: 3, arbitrary: fc.double({ noNaN: true }) }, odd);
const value = fc.oneof({ weight: 4, arbitrary: text }, odd);
const record = (names: readonly string[], of: fc.Arbitrary<unknown>) =>
  fc.record(Object.fromEntries(names.map((name) => [name, of])), { requiredKeys: [] });

const envelope = envelopeOf(z.unknown().optional()).extend({ occurredAt: z.unknown().optional() });
const envelopes = record(['eventId', 'tenantId', 'platformId', 'correlationId', 'actor'], value);
const snapshots = fc
  .tuple(record(['limit', 'used', 'remaining'], amount), record(['period', 'resetAt'], value))
  .map(([numbers, words]) => ({ ...numbers, ...words }));
const usages = fc
  .tuple(
    record(['prompt_tokens', 'completion_tokens', 'total_tokens', 'cost_usd'], amount),
    record(['model', 'provider', 'cached'], value),
  )
  .map(([usage, words]) => ({ usage, ...words }));

test.each([
  ['envelope', isPlainEnvelope, envelope, envelopes],
  ['state', isPlainSnapshot, quotaSnapshot, snapshots],
  ['usage', isPlainUsage, quotaUsage, usages],
] as const)('what is taken for a plain %s is one by the contract, too', (_what, isPlain, schema, given) => {
  let taken = 0;
  fc.assert(
    fc.property(given as fc.Arbitrary<Record<string, unknown>>, (one) => {
      if (!isPlain(one)) return;
      taken += 1;
      expect(one).toMatchObject(schema.parse(one));
    }),
    { numRuns: 3000, seed: 7 },
  );
  expect(taken).toBeGreaterThan(0);
});

test('given any instant, written with or without zone and fraction, then it is read to the microsecond', () => {
  const days = fc.date({ min: new Date(0), max: new Date('2250-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(days, fc.integer({ min: 0, max: 999 }), fc.boolean(), (date, micros, isNaive) => {
      const written = `${date.toISOString().slice(0, -1)}${`${micros}`.padStart(3, '0')}${isNaive ? '' : 'Z'}`;
      expect(microsOf(written)).toBe(date.getTime() * 1000 + micros);
      expect(microsOf(written.replace('T', ' '))).toBe(date.getTime() * 1000 + micros);
    }),
    { numRuns: 500, seed: 7 },
  );
});

test.each([
  '2026-02-30T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-01T24:00:01Z',
  '2026-01-01T00:60:00Z',
  '',
])('given %j, which is no instant, then nothing is read', (given) => {
  const parsed = Date.parse(given);
  expect(microsOf(given)).toBe(Number.isNaN(parsed) ? undefined : parsed * 1000);
});
