import { RevocationList } from '@sluice/config-log';
import type { AuthVerdict, Identity } from '@sluice/plugins';
import { expect, test, vi } from 'vitest';
import { VerdictCache, verdictKey } from '../../src/decide/verdict-cache.ts';

const MIB = 1024 * 1024;
const allow = (tenantId = 'tenant-1'): AuthVerdict => ({
  outcome: 'allow',
  identity: { tenantId } as Identity,
});
const deny: AuthVerdict = { outcome: 'deny', body: { message: 'Unauthorized' }, reason: 'no' };

const given = (options: { maxBytes?: number; maxMs?: number } = {}) => {
  const revocations = new RevocationList();
  const compared = vi.spyOn(revocations, 'refuses');
  let now = 1000;
  const cache = new VerdictCache({
    ...{ maxBytes: MIB, maxMs: 60_000, revocations, clock: () => now },
    ...options,
  });
  const passMs = (ms: number) => {
    now += ms;
  };
  return { cache, revocations, compared, passMs };
};

test('the same text under another scheme or plugin is another credential', () => {
  const { cache } = given();
  cache.put(verdictKey('key', 'p1', 't'), allow(), 1000);
  expect(cache.get(verdictKey('key', 'p1', 't'))).toEqual(allow());
  expect(cache.get(verdictKey('jwt', 'p1', 't'))).toBeUndefined();
  expect(cache.get(verdictKey('key', 'p2', 't'))).toBeUndefined();
});

test.each([
  { what: 'the word of auth', ttlMs: 5000, maxMs: 60_000, lives: 5000 },
  { what: 'the setting of the edge', ttlMs: 50_000, maxMs: 2000, lives: 2000 },
])('a verdict ends by $what, whichever is sooner', ({ ttlMs, maxMs, lives }) => {
  const { cache, passMs } = given({ maxMs });
  cache.put('k', allow(), ttlMs);
  passMs(lives - 10);
  expect(cache.get('k')).toEqual(allow());
  passMs(20);
  expect(cache.get('k')).toBeUndefined();
});

test('a denial ends after a second, whatever auth says', () => {
  const { cache, passMs } = given();
  cache.put('k', deny, 60_000);
  passMs(990);
  expect(cache.get('k')).toEqual(deny);
  passMs(20);
  expect(cache.get('k')).toBeUndefined();
});

test.each([0, -5, 0.4])('given %d ms are left, then the verdict is not kept', (ttlMs) => {
  const { cache } = given();
  cache.put('k', allow(), ttlMs);
  expect(cache.size).toBe(0);
});

test('given more credentials than there is room for, then the least recently used go, and the bound holds', () => {
  const { cache } = given({ maxBytes: 100_000 });
  for (let index = 0; index < 2000; index++) {
    cache.put(`key-${index}`, allow('t'.repeat(index % 300)), 60_000);
    cache.get('key-0');
  }
  expect(cache.bytes).toBeLessThanOrEqual(100_000);
  expect(cache.size).toBeGreaterThan(10);
  expect(cache.get('key-0')).toBeDefined();
  expect(cache.get('key-1')).toBeUndefined();
  expect(cache.get('key-1999')).toBeDefined();
});

test('long texts of a token and of its identity count, not only entries', () => {
  const { cache } = given({ maxBytes: MIB });
  for (let index = 0; index < 200; index++)
    cache.put(`${index}`, allow(), 60_000, { subject: 's'.repeat(20_000) });
  expect(cache.size).toBeLessThan(30);
});

test('given a flood of forged tokens, then no good one is pushed out', () => {
  const { cache } = given({ maxBytes: 200_000 });
  cache.put('good', allow(), 60_000);
  for (let index = 0; index < 5000; index++) cache.put(`forged-${index}`, deny, 1000);
  expect(cache.get('good')).toEqual(allow());
  expect(cache.bytes).toBeLessThanOrEqual(200_000);
});

test('given a revocation, then the verdict is gone at its next use, and others stay', () => {
  const { cache, revocations } = given();
  cache.put('one', allow(), 60_000, { subject: 'user-1', issuedAtMs: 1000 });
  cache.put('two', allow(), 60_000, { subject: 'user-2', issuedAtMs: 1000 });
  cache.put('key', allow(), 60_000);

  revocations.add({ by: 'subject', value: 'user-1', notBeforeMs: 2000 });

  expect(cache.get('one')).toMatchObject({ outcome: 'deny', reason: 'token_revoked' });
  expect(cache.get('one')).toBeUndefined();
  expect(cache.get('two')).toEqual(allow());
  expect(cache.get('key')).toEqual(allow());
  cache.put('one again', allow(), 60_000, { subject: 'user-1', issuedAtMs: 2000 });
  expect(cache.get('one again')).toEqual(allow());
});

test('a hit is compared with the list only after the list has changed', () => {
  const { cache, revocations, compared } = given();
  cache.put('k', allow(), 60_000, { subject: 'user-1', issuedAtMs: 1000 });
  for (let hit = 0; hit < 100; hit++) cache.get('k');
  expect(compared).not.toHaveBeenCalled();

  revocations.add({ by: 'subject', value: 'user-2', notBeforeMs: 2000 });
  for (let hit = 0; hit < 100; hit++) expect(cache.get('k')).toEqual(allow());
  expect(compared).toHaveBeenCalledTimes(1);
});

test('given it is cleared, then nothing is known', () => {
  const { cache } = given();
  cache.put('good', allow(), 60_000);
  cache.put('bad', deny, 1000);
  cache.clear();
  expect([cache.get('good'), cache.get('bad'), cache.size]).toEqual([undefined, undefined, 0]);
});

test('given an identity that is remembered, then no plugin can change it for the next request', () => {
  const { cache } = given();
  const identity = {
    ...{ consumer: { id: 'c-1', username: 'alice' }, credential: { id: 'k-1', identifier: 'key' } },
    ...{
      tenantId: 't-1',
      platformId: undefined,
      userId: 'u-1',
      claims: { scope: 'read' },
      groups: ['staff'],
    },
  };
  cache.put('key', { outcome: 'allow', identity }, 60_000);

  const known = cache.get('key');
  if (known?.outcome !== 'allow') throw new Error('it is not remembered');
  const { claims = {}, groups = [] } = known.identity;
  expect(() => Object.assign(known.identity, { tenantId: 'other' })).toThrow(TypeError);
  expect(() => Object.assign(claims, { scope: 'write' })).toThrow(TypeError);
  expect(() => (groups as string[]).push('admins')).toThrow(TypeError);
});
