import { quotaUpdated } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { type Decoded, decodeEvent, type SnapshotEvent } from '../src/decode-event.ts';
import { eventOf, quota } from './given.ts';

/** 2026-01-02T03:04:05.678901Z */
const STORED = 1_767_323_045_678_901;
const place = { seq: 7, timeMicros: STORED, streamCreatedMs: 1_700_000_000_000 };
const bytes = (body: unknown): Uint8Array =>
  new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const decode = (body: unknown): Decoded => decodeEvent(bytes(body), place);
const snapshot = (body: unknown): SnapshotEvent => {
  const decoded = decode(body);
  if (decoded.outcome !== 'event' || decoded.event.kind !== 'snapshot')
    throw new Error(JSON.stringify(decoded));
  return decoded.event;
};
const occ = (micros: number): string => `${micros}`.padStart(20, '0');

test('the contract’s examples decode, one of each form', () => {
  const kinds = quotaUpdated.examples.map(({ payload }) => {
    const decoded = decode(payload);
    return decoded.outcome === 'event' ? decoded.event.kind : decoded.reason;
  });

  expect(kinds).toEqual(['snapshot', 'usage']);
});

test('a snapshot becomes the original’s hash, all text', () => {
  const event = snapshot(
    eventOf(
      'tenant-123',
      { limit: 1e4, used: 4532, remaining: 5468, period: 'monthly', resetAt: '2025-11-01T00:00:00Z' },
      { occurredAt: '2025-10-27T20:00:00Z', eventId: 'e-1' },
    ),
  );

  expect(event).toMatchObject({ tenantId: 'tenant-123', eventId: 'e-1' });
  expect(event.fields).toEqual({
    limit: '10000',
    used: '4532',
    remaining: '5468',
    period: 'monthly',
    reset_at: '2025-11-01T00:00:00Z',
    last_updated: '2025-10-27T20:00:00Z',
  });
});

test.each([
  ['2026-01-02T03:04:05.678900', STORED - 1, 'naive, so UTC'],
  ['2026-01-02T03:04:05', 1_767_323_045_000_000, 'naive without a fraction'],
  ['2026-01-02T04:04:05.5+01:00', 1_767_323_045_500_000, 'an offset'],
  ['2026-01-02T02:34:05.5-00:30', 1_767_323_045_500_000, 'a negative offset'],
  ['2026-01-02 03:04:05z', 1_767_323_045_000_000, 'a space, a small z'],
  ['2026-01-02T03:04:05.1234567891', STORED, 'too many digits: the stream’s time'],
  ['2026-01-02T04:04:05Z', STORED, 'an hour ahead: the stream’s time'],
  ['yesterday', STORED, 'no timestamp: the stream’s time'],
  ['2026-13-01T00:00:00Z', STORED, 'no such month: the stream’s time'],
  ['1969-12-31T23:59:59Z', STORED, 'before 1970: the stream’s time'],
  [undefined, STORED, 'missing: the stream’s time'],
  [null, STORED, 'null: the stream’s time'],
])(
  'given occurredAt %s, then the event happened at %s (%s)',
  (occurredAt: unknown, expected: number, _why: string) => {
    const event = snapshot(eventOf('t', quota(1), { occurredAt }));

    expect(event.version).toEqual({ occ: occ(expected), epoch: '00000001700000000000', seq: occ(7) });
  },
);

test.each([
  [{ resetAt: '2026-02-01T00:00:00Z' }, Date.UTC(2026, 1, 1) / 1000 + 86_400],
  [{ resetAt: '2026-02-01T00:00:00' }, Date.UTC(2026, 1, 1) / 1000 + 86_400],
  [{ resetAt: null, period: 'hourly' }, 1_767_323_045 + 3600 + 86_400],
  [{ resetAt: null, period: 'daily' }, 1_767_323_045 + 2 * 86_400],
  [{ resetAt: null, period: 'weekly' }, 1_767_323_045 + 8 * 86_400],
  [{ resetAt: '', period: 'monthly' }, 1_767_323_045 + 32 * 86_400],
  [{ resetAt: 'soon', period: 'yearly' }, 1_767_323_045 + 367 * 86_400],
  [{ resetAt: null, period: 'lifetime' }, 0],
])('given %o, then the key lives until %d', (more, expected) => {
  const event = snapshot(eventOf('t', quota(1, more), { occurredAt: '2026-01-02T03:04:05Z' }));

  expect(event.expiresAt).toBe(expected);
});

test.each([
  [
    { limit: 100, used: 30 },
    { remaining: '70', period: 'monthly', reset_at: '' },
  ],
  [
    { limit: 100, used: 130, remaining: null, period: null },
    { remaining: '-30', period: 'monthly' },
  ],
  [
    { limit: 0.3, used: 0.1 },
    { limit: '0.3', remaining: '0.2' },
  ],
  [
    { limit: 1e21, used: 1e-7 },
    { limit: '1000000000000000000000', used: '0.0000001' },
  ],
  [
    { limit: 0, used: -0 },
    { limit: '0', used: '0', remaining: '0' },
  ],
])('given the payload %o, then what is missing is derived: %o', (payload, expected) => {
  expect(snapshot(eventOf('t', payload)).fields).toMatchObject(expected);
});

test('usage becomes integers to add, money in nano-dollars', () => {
  const usage = { prompt_tokens: 120, completion_tokens: 30, total_tokens: null, cost_usd: 0.0021 };
  const decoded = decode(
    eventOf('t', { usage, model: 'gpt-4o', provider: 'openai', cached: false }, { eventId: 'u' }),
  );

  expect(decoded).toEqual({
    outcome: 'event',
    event: {
      kind: 'usage',
      tenantId: 't',
      eventId: 'u',
      storedMs: Math.floor(STORED / 1000),
      amounts: { prompt_tokens: '120', completion_tokens: '30', cost_nano_usd: '2100000' },
    },
  });
});

test.each([
  ['', 'invalid_json', 'empty'],
  ['{bad', 'invalid_json', 'JSON'],
  ['null', 'invalid_envelope', 'object'],
  ['[]', 'invalid_envelope', 'object'],
  ['7', 'invalid_envelope', 'object'],
  [{ eventId: 'e', payload: quota(1) }, 'missing_tenant', 'tenantId'],
  [eventOf('', quota(1)), 'missing_tenant', 'tenantId'],
  [{ ...eventOf('t', quota(1)), tenantId: 7 }, 'missing_tenant', 'tenantId'],
  [eventOf('t', quota(1), { eventId: null }), 'invalid_envelope', 'eventId'],
  [eventOf('t', quota(1), { eventId: '' }), 'invalid_envelope', 'eventId'],
  [eventOf('t'.repeat(257), quota(1)), 'invalid_envelope', 'tenantId'],
  [eventOf('t', undefined), 'invalid_payload', 'payload'],
  [eventOf('t', 'limit'), 'invalid_payload', 'payload'],
  [eventOf('t', {}), 'invalid_payload', 'limit'],
  [eventOf('t', { used: 1 }), 'invalid_payload', 'limit'],
  [eventOf('t', { limit: 1 }), 'invalid_payload', 'used'],
  [eventOf('t', quota(1, { limit: 'x' })), 'invalid_payload', 'limit'],
  [eventOf('t', quota(1, { limit: -1 })), 'invalid_payload', 'limit'],
  [eventOf('t', quota(1, { used: '5' })), 'invalid_payload', 'used'],
  [eventOf('t', quota(1, { resetAt: 5 })), 'invalid_payload', 'resetAt'],
  [eventOf('t', { usage: {} }), 'invalid_payload', 'usage'],
  [eventOf('t', { usage: { total_tokens: 'many' } }), 'invalid_payload', 'total_tokens'],
  [eventOf('t', { usage: { cost_usd: 1e9 } }), 'invalid_payload', 'cost_usd'],
])('given %o, then it is poison: %s, naming %s', (body, reason, named) => {
  const decoded = decode(body);

  expect(decoded).toMatchObject({ outcome: 'poison', reason });
  expect(decoded.outcome === 'poison' && decoded.message).toContain(named);
});

test('bytes that are no UTF-8 are poison, not text with holes', () => {
  const data = bytes(eventOf('tXt', quota(1)));
  data[data.indexOf(0x58)] = 0xff;

  expect(decodeEvent(data, place)).toMatchObject({ outcome: 'poison', reason: 'invalid_json' });
});
