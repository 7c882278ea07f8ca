import type { Revocation, TokenMarks } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { RevocationList } from '../src/index.ts';

const AT = 1_767_323_045_000;
const token: TokenMarks = {
  subject: 'user-1',
  jti: 'token-1',
  tenant: 'tenant-1',
  kid: 'key-1',
  consumer: 'consumer-1',
  issuer: 'https://issuer.test',
  issuedAtMs: AT,
};
const listOf = (...revocations: Revocation[]): RevocationList => {
  const list = new RevocationList();
  for (const revocation of revocations) list.add(revocation);
  return list;
};
const subject = (notBeforeMs: number, over: Partial<Revocation> = {}): Revocation => ({
  by: 'subject',
  value: 'user-1',
  notBeforeMs,
  ...over,
});

describe('a token', () => {
  test.each(['subject', 'jti', 'tenant', 'kid', 'consumer'] as const)(
    'given its %s is revoked, then it is refused, and one with another is not',
    (by) => {
      const list = listOf({ by, value: token[by] ?? '', notBeforeMs: AT + 1 });

      expect(list.refuses(token)).toBe(true);
      expect(list.refuses({ ...token, [by]: 'another' })).toBe(false);
      expect(list.refuses({ issuedAtMs: AT })).toBe(false);
    },
  );

  test('given it was issued at the instant or after it, then it passes', () => {
    const list = listOf(subject(AT));

    expect(list.refuses({ ...token, issuedAtMs: AT - 1 })).toBe(true);
    expect(list.refuses(token)).toBe(false);
    expect(list.refuses({ ...token, issuedAtMs: AT + 1 })).toBe(false);
  });

  test('given it does not say when it was issued, then it is refused', () => {
    const { issuedAtMs, ...silent } = token;

    expect(issuedAtMs).toBe(AT);
    expect(listOf(subject(1)).refuses(silent)).toBe(true);
  });

  test('given its jti is revoked, then it does not matter when it was issued', () => {
    const list = listOf({ by: 'jti', value: 'token-1', notBeforeMs: 0 });

    expect(list.refuses({ ...token, issuedAtMs: AT * 2 })).toBe(true);
  });

  test('given the revocation names an issuer, then only tokens of that one are refused', () => {
    const list = listOf(subject(AT + 1, { issuer: 'https://issuer.test' }));

    expect(list.refuses(token)).toBe(true);
    expect(list.refuses({ ...token, issuer: 'https://other.test' })).toBe(false);
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'given it calls itself %s, then it is as any other',
    (value) => {
      expect(listOf(subject(AT + 1)).refuses({ ...token, subject: value })).toBe(false);
      expect(listOf(subject(AT + 1, { value })).refuses({ ...token, subject: value })).toBe(true);
    },
  );
});

test('given two revocations of one value in any order, then the later instant holds', () => {
  for (const instants of [
    [AT + 1, AT - 5],
    [AT - 5, AT + 1],
  ]) {
    const list = listOf(...instants.map((at) => subject(at)));

    expect(list.refuses(token)).toBe(true);
    expect(list.size).toBe(1);
  }
});

test('what says nothing new is no change', () => {
  const list = listOf(subject(AT), subject(AT), subject(AT - 1));
  expect(list.changes).toBe(1);
  list.add(subject(AT, { issuer: 'https://issuer.test' }));
  list.add(subject(AT + 1));
  expect(list.changes).toBe(3);
  expect(list.size).toBe(2);
});

test('it knows what it holds', () => {
  const list = listOf(subject(AT));
  expect(list.holds(subject(AT - 1))).toBe(true);
  expect(list.holds(subject(AT + 1))).toBe(false);
  expect(list.holds(subject(AT, { issuer: 'https://issuer.test' }))).toBe(false);
});
