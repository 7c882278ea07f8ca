import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { IdentityKeys } from '../src/identity-keys.ts';
import { withSignedIdentity } from '../src/sign-identity.ts';
import type { Verdict } from '../src/verdict.ts';
import { hs256, PLUGIN_ID, plugin, startWorld } from './fixtures.ts';

const BINDING_ID = 'a1c2e3f4-5b6d-5e7f-8a9b-0c1d2e3f4a5b';
const binding = (config: Record<string, unknown> = {}) => ({
  ...plugin({}, { id: BINDING_ID, name: 'tenant-binding' }),
  config: {
    tenant_claim: null,
    platform_claim: null,
    user_claim: null,
    identity_audience: 'echo',
    ...config,
  },
});

const pemOf = (namedCurve = 'P-256', type: 'pkcs8' | 'sec1' = 'pkcs8'): string =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type, format: 'pem' }).toString();

const NOW_MS = 1_767_323_045_678;
const NOW = Math.floor(NOW_MS / 1000);
const signer = { keys: IdentityKeys.of(pemOf()), issuer: 'sluice' };
const published = createLocalJWKSet({ keys: [...signer.keys.published] });

/** What the process answers to a check of this token that asks for a signature. */
const answerTo = async (
  token: string,
  config: Record<string, unknown> = {},
  by: { readonly signer?: typeof signer } = { signer },
): Promise<Verdict> => {
  await using world = await startWorld(
    { plugins: [plugin(), binding(config)] },
    { clock: () => NOW_MS, verdictCacheMs: 40_500 },
  );
  const check = { pluginId: PLUGIN_ID, epoch: 'e1', version: 1, scheme: 'jwt' as const, token };
  return withSignedIdentity(
    world.verifier,
    { ...check, signedBy: BINDING_ID },
    await world.verify(token),
    by.signer,
  );
};
const expectations = { currentDate: new Date(NOW_MS), issuer: 'sluice', typ: 'gateway-identity+jwt' };
const alice = hs256({ iss: 'alice-key', sub: 'u-1', tenant_id: 'acme', org: 'other' });

test('an upstream can check who is calling with the published key alone', async () => {
  const { signedIdentity = '' } = await answerTo(alice);
  const { payload, protectedHeader } = await jwtVerify(signedIdentity, published, {
    ...expectations,
    audience: 'echo',
  });
  expect(protectedHeader).toEqual({
    alg: 'ES256',
    typ: 'gateway-identity+jwt',
    kid: signer.keys.published[0]?.kid,
  });
  expect(payload).toEqual({
    ...{ iss: 'sluice', aud: 'echo', iat: NOW, sub: 'u-1', tenant_id: 'acme', user_id: 'u-1' },
    exp: NOW + 41 + 30, // the edge may send it for 40.5 s
    consumer: { id: 'consumer-1', username: 'alice', custom_id: 'a-1' },
    credential: 'alice-key',
  });
});

test('it names whom the route’s tenant-binding names, and is for whom that says', async () => {
  const { signedIdentity = '' } = await answerTo(alice, {
    tenant_claim: 'org',
    identity_audience: 'billing',
  });
  expect(decodeJwt(signedIdentity)).toMatchObject({ aud: 'billing', tenant_id: 'other' });
  await expect(jwtVerify(signedIdentity, published, { ...expectations, audience: 'echo' })).rejects.toThrow(
    'aud',
  );
});

test('a caller without a user is its consumer, and says nothing of a tenant', async () => {
  const { signedIdentity = '' } = await answerTo(hs256({ iss: 'alice-key' }));
  const claims = decodeJwt(signedIdentity);
  expect(claims).toMatchObject({ sub: 'consumer-1' });
  for (const name of ['tenant_id', 'user_id', 'platform_id', 'groups'])
    expect(claims).not.toHaveProperty(name);
});

test('nothing is signed for a credential that was refused, nor where nobody asked', async () => {
  const denied = await answerTo(hs256({ iss: 'alice-key' }, 'guessed'));
  expect(denied).toMatchObject({ outcome: 'deny' });
  expect(denied).not.toHaveProperty('signedIdentity');
  await using world = await startWorld({});
  const check = { pluginId: PLUGIN_ID, epoch: 'e1', version: 1, scheme: 'jwt' as const, token: alice };
  const verdict = await world.verify(alice);
  expect(withSignedIdentity(world.verifier, check, verdict, signer)).toBe(verdict);
});

test('without keys, or in the name of a plugin that is none, the check fails instead of passing unsigned', async () => {
  await expect(answerTo(alice, {}, {})).rejects.toMatchObject({ code: 'no_identity_keys' });
  await using world = await startWorld({ plugins: [plugin(), binding()] });
  const check = { pluginId: PLUGIN_ID, epoch: 'e1', version: 1, scheme: 'jwt' as const, token: alice };
  const verdict = await world.verify(alice);
  for (const signedBy of [PLUGIN_ID, 'nobody'])
    expect(() => withSignedIdentity(world.verifier, { ...check, signedBy }, verdict, signer)).toThrow(
      signedBy,
    );
});

test('every key of the file is published under its thumbprint, and the first one signs', async () => {
  const [old, next] = [pemOf(), pemOf('P-256', 'sec1')];
  const before = IdentityKeys.of(old);
  const both = IdentityKeys.of(`${old}${next}`);
  const after = IdentityKeys.of(`# the newer first\n${next}${old}`);
  expect(both.published).toHaveLength(2);
  expect(both.published.map(({ kid }) => kid).reverse()).toEqual(after.published.map(({ kid }) => kid));
  expect(Object.keys(both.published[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  const keys = createLocalJWKSet({ keys: [...both.published] });
  for (const signing of [before, both, after])
    expect((await jwtVerify(signing.sign({ sub: 'a' }), keys)).payload).toEqual({ sub: 'a' });
});

test('a file without a key for ES256 is refused, and not quoted', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const pem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
  const broken = pemOf().replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  for (const text of ['', 'no key', pem, pemOf('P-384'), `${pemOf()}${pem}`, broken]) {
    const problem = (() => {
      try {
        return IdentityKeys.of(text) && 'none';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(problem).toMatch(/^(no private key in PEM|private key \d is not one for ES256)/);
    expect(problem).not.toContain(text.split('\n')[1] || 'no key');
  }
});
