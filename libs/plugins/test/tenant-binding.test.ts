import { expect, test } from 'vitest';
import { tenantBinding } from '../src/tenant-binding.ts';
import { type Given, seen, testExchange } from './exchange.ts';
import { instance, problemsOf, refusalOf } from './run.ts';

const KNOWN = {
  credential: { id: 'logto', identifier: 'https://issuer.test' },
  tenantId: 'acme',
  platformId: 'platform-1',
  userId: 'user-1',
};
const bound = instance(tenantBinding);
const mismatchOf = (header: string) => ({
  code: 'GW_TENANT_MISMATCH',
  status: 403,
  body: {
    message: `tenant_mismatch: ${header} is not what the credential says; leave the header out, or send the verified value`,
  },
  headers: {},
});

/** Runs one request; what upstream sees of it, or the refusal. */
const outcomeOf = (given: Given, config?: object) => {
  const exchange = testExchange(given);
  const step = (config === undefined ? bound : instance(tenantBinding, config)).access(exchange);
  return step === undefined ? seen(exchange.toUpstream) : refusalOf(step);
};

const VERIFIED = { 'x-tenant-id': 'acme', 'x-platform-id': 'platform-1', 'x-user-id': 'user-1' };

test.each([
  ['nothing', {}],
  ['the same values', VERIFIED],
  ['the same value twice', { 'X-Tenant-Id': ['acme', 'acme'] }],
  ['empty values', { 'X-Tenant-Id': '', 'X-User-Id': ['', ''] }],
  ['the same value under a name with underscores', { X_Tenant_Id: 'acme', 'x_user-id': 'user-1' }],
])('given a client that sends %s, then upstreams get one line with each verified value', (_what, headers) => {
  expect(outcomeOf({ identity: KNOWN, headers })).toEqual(VERIFIED);
});

test.each([
  ['X-Tenant-Id', { 'x-tenant-id': 'other' }],
  ['X-Tenant-Id', { 'X-TENANT-ID': 'ACME' }],
  ['X-Tenant-Id', { 'X-Tenant-Id': ['acme', 'other'] }],
  ['X-Tenant-Id', { 'X-Tenant-Id': ['other', 'acme'] }],
  ['X-Tenant-Id', { 'X-Tenant-Id': 'acme, other' }],
  ['X-Tenant-Id', { 'X-Tenant-Id': 'acme,' }],
  ['X-Tenant-Id', { 'X-Tenant-Id': ' acme' }],
  ['X-Tenant-Id', { x_tenant_id: 'other' }],
  ['X-Tenant-Id', { 'X_Tenant-Id': 'other', 'X-Tenant-Id': 'acme' }],
  ['X-Tenant-Id', { 'X-Tenant_Id': ['acme', 'other'] }],
  ['X-Platform-Id', { 'X-Platform-Id': 'other' }],
  ['X-User-Id', { 'X-User-Id': 'other' }],
  ['X-User-Id', { x_user_id: 'other' }],
])('given a client that claims another %s with %j, then 403', (header, headers) => {
  expect(outcomeOf({ identity: KNOWN, headers })).toEqual(mismatchOf(header));
});

const CLAIMED = { 'x-tenant-id': 'any', 'x-platform-id': 'any', 'x-user-id': 'any' };

test('given nobody, or a credential without a tenant, then the headers are as the client sent them', () => {
  expect(outcomeOf({ headers: CLAIMED })).toEqual(CLAIMED);
  expect(outcomeOf({ headers: CLAIMED, identity: { ...KNOWN, tenantId: undefined } })).toEqual(CLAIMED);
});

test('given a tenant but no verified platform and user, then a claimed platform passes and a claimed user does not', () => {
  const identity = { ...KNOWN, platformId: undefined, userId: undefined };
  const headers = { ...CLAIMED, 'x-tenant-id': 'acme', x_user_id: 'any' };
  expect(outcomeOf({ identity, headers })).toEqual({ 'x-tenant-id': 'acme', 'x-platform-id': 'any' });
  expect(outcomeOf({ identity, headers }, { pass_unverified: [] })).toEqual({ 'x-tenant-id': 'acme' });
  expect(outcomeOf({ identity, headers }, { pass_unverified: ['user'] })).toEqual({
    'x-tenant-id': 'acme',
    'x-user-id': 'any',
    x_user_id: 'any',
  });
});

test('given a claimed user that is taken away, then no template reads it either', () => {
  const exchange = testExchange({
    identity: { ...KNOWN, userId: undefined },
    headers: { 'x-user-id': 'root' },
  });
  expect(bound.access(exchange)).toBeUndefined();
  expect(exchange.fromClient.has('x-user-id')).toBe(false);
});

test('given other claims and headers, then those are bound, and the tenant is whose limits count', () => {
  const config = { tenant_claim: 'org', user_claim: 'uid', tenant_header: 'X-Org' };
  const exchange = testExchange({ identity: { ...KNOWN, claims: { org: 7, uid: 'u-9' } } });
  expect(instance(tenantBinding, config).access(exchange)).toBeUndefined();
  expect(seen(exchange.toUpstream)).toEqual({
    'x-org': '7',
    'x-platform-id': 'platform-1',
    'x-user-id': 'u-9',
  });
  expect(exchange.identity?.tenantId).toBe('7');
  expect(
    outcomeOf({ identity: { ...KNOWN, claims: { org: 'a' } }, headers: { x_org: 'b' } }, config),
  ).toEqual(mismatchOf('X-Org'));
});

test('given trust-header, then the header is the tenant, for limits too, and nothing is refused or added', () => {
  const exchange = testExchange({ identity: KNOWN, headers: { 'X-Tenant-Id': 'other' } });
  expect(instance(tenantBinding, { mode: 'trust-header' }).access(exchange)).toBeUndefined();
  expect(seen(exchange.toUpstream)).toEqual({ 'x-tenant-id': 'other' });
  expect(exchange.identity?.tenantId).toBe('other');
  expect(outcomeOf({ identity: KNOWN }, { mode: 'trust-header' })).toEqual({});
});

test('a configuration that cannot be meant is refused by its field', () => {
  expect(problemsOf(tenantBinding, { mode: 'off', tenant_header: 'a b', tenant_claim: '', typo: 1 })).toEqual(
    {
      mode: 'expected one of: enforce, trust-header',
      tenant_header: "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
      tenant_claim: 'length must be at least 1',
      '': 'unknown field',
    },
  );
});

const signedBy = instance(tenantBinding, { identity_audience: 'echo' });
const identityHeaderOf = (identity: object) => {
  const exchange = testExchange({ identity: { ...KNOWN, ...identity }, headers: {} });
  expect(signedBy.access(exchange)).toBeUndefined();
  return exchange.toUpstream.get('X-Gateway-Identity');
};

test('given an audience, then upstreams get what auth signed, and nothing where it signed nothing', () => {
  expect(identityHeaderOf({ signed: 'a.b.c' })).toBe('a.b.c');
  expect(identityHeaderOf({ signed: 'a.b.c', tenantId: undefined })).toBe('a.b.c');
  expect(identityHeaderOf({})).toBeUndefined();
  expect(outcomeOf({ identity: { ...KNOWN, signed: 'a.b.c' }, headers: {} })).toEqual(VERIFIED);
});

test('an identity is not signed for what a header claims, nor for one consumer', () => {
  expect(problemsOf(tenantBinding, { mode: 'trust-header', identity_audience: 'echo' })).toEqual({
    identity_audience: 'what a header says is not verified, and not signed: mode must be enforce',
  });
  const scope = { pluginId: 'p', routeId: null, serviceId: null, consumerId: 'alice' };
  const config = tenantBinding.config.parse({ identity_audience: 'echo' });
  expect(() => tenantBinding.prepare(config, scope)).toThrow('not for one consumer');
});
