import type { Revocation } from '@sluice/contracts';
import { OidcIssuer } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { hs256, inSeconds, issuerEntity, plugin, startWorld, stored } from './fixtures.ts';

const REVOKED = {
  outcome: 'deny',
  cacheMs: 1000,
  body: { message: 'Token revoked' },
  reason: 'token_revoked',
};
const later = () => inSeconds(60) * 1000;
const revoked = (by: Revocation['by'], value: string, over: Partial<Revocation> = {}): Revocation => ({
  ...{ by, value, notBeforeMs: later() },
  ...over,
});

test.each([
  ['subject', 'user-456'],
  ['jti', 'token-1'],
  ['tenant', 'tenant-123'],
] as const)('given the %s of an issuer’s token is revoked, then it is refused', async (by, value) => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({ issuers: [issuerEntity(issuer.url)] });
  const token = await issuer.token({ jti: 'token-1' });
  const other = await issuer.token({ sub: 'user-7', jti: 'token-2', tenant_id: 'tenant-7' });
  expect(await world.verify(token)).toMatchObject({ outcome: 'allow' });

  world.revocations.add(revoked(by, value));

  expect(await world.verify(token)).toEqual(REVOKED);
  expect(await world.verify(other)).toMatchObject({ outcome: 'allow' });
});

test('given the key that signed is revoked, then its tokens are refused and those of the next key are not', async () => {
  await using issuer = await OidcIssuer.start();
  const token = await issuer.token();
  await issuer.rotate({ keepOld: true });
  await using world = await startWorld({ issuers: [issuerEntity(issuer.url)] });

  world.revocations.add(revoked('kid', issuer.published[0]?.kid ?? ''));

  expect(await world.verify(token)).toEqual(REVOKED);
  expect(await world.verify(await issuer.token())).toMatchObject({ outcome: 'allow' });
});

test('given a subject was revoked, then a token issued at the instant or after it passes', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({ issuers: [issuerEntity(issuer.url)] });
  const notBefore = inSeconds(-100);
  world.revocations.add(revoked('subject', 'user-456', { notBeforeMs: notBefore * 1000 }));

  expect(await world.verify(await issuer.token({ iat: notBefore - 1 }))).toEqual(REVOKED);
  expect(await world.verify(await issuer.token({ iat: notBefore }))).toMatchObject({ outcome: 'allow' });
});

test('given the revocation is for one issuer, then the same subject of another passes', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({ issuers: [issuerEntity(issuer.url)] });
  const token = await issuer.token();
  world.revocations.add(revoked('subject', 'user-456', { issuer: 'https://other.test' }));
  expect(await world.verify(token)).toMatchObject({ outcome: 'allow' });
  world.revocations.add(revoked('subject', 'user-456', { issuer: issuer.url }));
  expect(await world.verify(token)).toEqual(REVOKED);
});

test.each(['now', '1767323045', true, null])(
  'given a token whose iat is %j, then it counts as issued before',
  async (iat) => {
    await using world = await startWorld({});
    const token = hs256({ iss: 'alice-key', sub: 'u-1', iat });
    expect(await world.verify(token)).toMatchObject({ outcome: 'allow' });
    world.revocations.add(revoked('subject', 'u-1', { notBeforeMs: 1 }));
    expect(await world.verify(token)).toEqual(REVOKED);
  },
);

test('given a consumer is revoked, then its tokens are refused, and its API key is not', async () => {
  await using world = await startWorld({
    plugins: [plugin(), plugin({}, { id: 'keys', name: 'key-auth' })],
    keyauth_credentials: [{ ...stored, id: 'k', consumer: { id: 'consumer-1' }, key: 'the-key', ttl: null }],
  });
  world.revocations.add(revoked('consumer', 'consumer-1'));
  expect(await world.verify(hs256({ iss: 'alice-key' }))).toEqual(REVOKED);
  expect(await world.check({ scheme: 'key', token: 'the-key' }, 'keys')).toMatchObject({ outcome: 'allow' });
});

test('given a forged token of a revoked subject, then nothing is said of the revocation', async () => {
  await using world = await startWorld({});
  world.revocations.add(revoked('subject', 'u-1'));
  expect(await world.verify(hs256({ iss: 'alice-key', sub: 'u-1' }, 'wrong'))).toMatchObject({
    reason: 'invalid_signature',
  });
});

test('given a revocation that comes while the signature is verified, then it counts', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({ issuers: [issuerEntity(issuer.url)] });
  const verdict = world.verify(await issuer.token());
  world.revocations.add(revoked('subject', 'user-456'));
  expect(await verdict).toEqual(REVOKED);
});
