import type { TokenMarks } from '@sluice/contracts';
import type { AuthVerdict, Identity } from '@sluice/plugins';
import { expect, test } from 'vitest';
import { SharedParts } from '../../src/decide/shared-parts.ts';

const identity: Identity = {
  consumer: { id: 'c1', username: 'anna', customId: '42' },
  credential: { id: 'logto', identifier: 'https://auth.example.com/oidc' },
  tenantId: 'tenant-1',
  platformId: 'platform-1',
  userId: 'user-1',
  claims: { sub: 'user-1', iss: 'https://auth.example.com/oidc', level: 3, isAdmin: false },
  groups: ['readers'],
  authenticatedGroups: ['guests'],
};
const allow = (change: Partial<Identity> = {}): AuthVerdict =>
  structuredClone({ outcome: 'allow', identity: { ...identity, ...change } });
const share = (parts: SharedParts, verdict: AuthVerdict): AuthVerdict =>
  parts.verdict(verdict, JSON.stringify(verdict));

test('a verdict with shared parts says what it said', () => {
  const parts = new SharedParts();
  expect(share(parts, allow())).toStrictEqual(allow());
  expect(share(parts, allow())).toStrictEqual(allow());
  const nobody: Partial<Identity> = { consumer: undefined, credential: undefined, claims: undefined };
  expect(share(parts, allow(nobody))).toStrictEqual(allow(nobody));
  const denial: AuthVerdict = { outcome: 'deny', body: { message: 'Unauthorized' }, reason: 'no' };
  expect(share(parts, denial)).toBe(denial);
});

test("two tokens of one caller have one verdict between them; after a clear there is nobody's", () => {
  const parts = new SharedParts();
  const first = share(parts, allow());
  expect(share(parts, allow())).toBe(first);
  parts.clear();
  expect(share(parts, allow())).not.toBe(first);
});

test.each<{ what: string; change: Partial<Identity> }>([
  {
    what: 'credential',
    change: { credential: { id: 'other', identifier: 'https://auth.example.com/oidc' } },
  },
  { what: 'identifier', change: { credential: { id: 'logto', identifier: 'https://other.example.com' } } },
  { what: 'username', change: { consumer: { id: 'c1', username: 'bob', customId: '42' } } },
  { what: 'custom id', change: { consumer: { id: 'c1', username: 'anna', customId: '43' } } },
  { what: 'missing username', change: { consumer: { id: 'c1', customId: '42' } } },
  { what: 'tenant', change: { tenantId: 'tenant-2' } },
  { what: 'claim', change: { claims: { ...identity.claims, level: 4 } } },
  { what: 'claim of another type', change: { claims: { ...identity.claims, level: '3' } } },
  { what: 'group', change: { groups: ['readers', 'writers'] } },
  { what: 'signed identity', change: { signed: 'eyJ.e30.c2ln' } },
])('another $what is another verdict, with no object of the first', ({ change }) => {
  const parts = new SharedParts();
  const first = share(parts, allow());
  const other = share(parts, allow(change));
  expect(other).toStrictEqual(allow(change));
  const objectsOf = (verdict: AuthVerdict): readonly unknown[] =>
    verdict.outcome === 'allow'
      ? Object.values(verdict.identity).filter((part) => part instanceof Object)
      : [];
  for (const object of objectsOf(other)) expect(objectsOf(first)).not.toContain(object);
});

test('verdicts of any length say what they said', () => {
  const parts = new SharedParts();
  const long = { signed: 's'.repeat(6000), claims: { note: 'n'.repeat(500), sub: 'user-1' } };
  expect(share(parts, allow(long))).toStrictEqual(allow(long));
  expect(share(parts, allow(long))).toStrictEqual(allow(long));
});

test('what a contract adds to a verdict later stays in it, wherever it is', () => {
  const verdict = {
    outcome: 'allow',
    obligation: 'step-up',
    identity: {
      ...identity,
      actor: 'agent-7',
      consumer: { ...identity.consumer, plan: 'gold' },
      credential: { ...identity.credential, grant: 'refresh' },
    },
  } as unknown as AuthVerdict;
  expect(share(new SharedParts(), structuredClone(verdict))).toStrictEqual(verdict);
});

test('marks say what they said, each of them', () => {
  const parts = new SharedParts();
  const marks: Required<TokenMarks> = {
    subject: 'user-1',
    jti: 'b1f7',
    tenant: 'tenant-1',
    kid: 'key-1',
    consumer: 'c1',
    issuer: 'https://auth.example.com/oidc',
    issuedAtMs: 1_767_323_045_000,
  };
  expect(parts.marks(structuredClone(marks))).toStrictEqual(marks);
  expect(parts.marks({})).toEqual({});
});
