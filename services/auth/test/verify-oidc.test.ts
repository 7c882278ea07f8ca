import { OidcIssuer } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { hs256, inSeconds, issuerEntity, plugin, startWorld } from './fixtures.ts';

const worldOf = (issuer: OidcIssuer, config: Record<string, unknown> = {}, others: object[] = []) =>
  startWorld({
    issuers: [issuerEntity(issuer.url), ...others] as never,
    plugins: [{ ...plugin(), name: 'oidc', config }],
  });
const refused = (message: string) => ({ outcome: 'deny', body: { message } });

test('given oidc, then an issuer’s token counts and a consumer’s does not', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer);
  expect(await world.verify(await issuer.token())).toMatchObject({
    outcome: 'allow',
    tenantId: 'tenant-123',
  });
  expect(await world.verify(hs256({ iss: 'alice-key' }))).toMatchObject(
    refused("No credentials found for given 'iss'"),
  );
});

test('given two issuers, when a route names one, then only its tokens count there', async () => {
  await using issuer = await OidcIssuer.start();
  await using other = await OidcIssuer.start();
  const second = issuerEntity(other.url, { id: 'other', name: 'other' });
  await using any = await worldOf(issuer, {}, [second]);
  await using one = await worldOf(issuer, { issuers: ['other'] }, [second]);
  for (const token of [await issuer.token(), await other.token()])
    expect(await any.verify(token)).toMatchObject({ outcome: 'allow' });
  expect(await one.verify(await other.token())).toMatchObject({ credential: { id: 'other' } });
  expect(await one.verify(await issuer.token())).toMatchObject(
    refused("No credentials found for given 'iss'"),
  );
});

test('given audiences, then one of them must be in aud', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer, { audiences: ['https://b.test', 'https://c.test'] });
  for (const aud of ['https://b.test', ['https://a.test', 'https://c.test']])
    expect(await world.verify(await issuer.token({ aud }))).toMatchObject({ outcome: 'allow' });
  for (const aud of ['https://a.test', [], undefined, ['https://b.test/']])
    expect(await world.verify(await issuer.token({ aud } as never))).toMatchObject(
      refused("Invalid 'aud' in claims"),
    );
});

test('given algorithms, then what both the route and the issuer list is taken', async () => {
  await using issuer = await OidcIssuer.start('ES384');
  await using narrow = await worldOf(issuer, { algorithms: ['RS256'] });
  expect(await narrow.verify(await issuer.token())).toMatchObject(refused('Invalid algorithm'));
  await using wide = await worldOf(issuer, { algorithms: ['ES256', 'ES384'] });
  expect(await wide.verify(await issuer.token())).toMatchObject({ outcome: 'allow' });
  await issuer.rotate({ keepOld: true, alg: 'ES256' });
  // The route would take it, the issuer's entry does not.
  expect(await wide.verify(await issuer.token())).toMatchObject(refused('Invalid algorithm'));
});

test('given a leeway, then it holds for exp and nbf; without one it is 5 s', async () => {
  await using issuer = await OidcIssuer.start();
  await using usual = await worldOf(issuer);
  await using none = await worldOf(issuer, { leeway_seconds: 0 });
  await using wide = await worldOf(issuer, { leeway_seconds: 60 });
  const outcomes = async (claims: Record<string, number>) => {
    const token = await issuer.token(claims);
    return Promise.all([none, usual, wide].map(async (world) => (await world.verify(token)).outcome));
  };
  expect(await outcomes({ exp: inSeconds(-2) })).toEqual(['deny', 'allow', 'allow']);
  expect(await outcomes({ exp: inSeconds(-20) })).toEqual(['deny', 'deny', 'allow']);
  expect(await outcomes({ nbf: inSeconds(4) })).toEqual(['deny', 'allow', 'allow']);
  expect(await outcomes({ nbf: inSeconds(40) })).toEqual(['deny', 'deny', 'allow']);
});

test('given required scopes, then all of them must be granted, word by word', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer, { required_scopes: ['read', 'write'] });
  for (const claims of [{ scope: 'write x read' }, { scp: ['read', 'write'] }])
    expect(await world.verify(await issuer.token(claims))).toMatchObject({ outcome: 'allow' });
  for (const claims of [
    {},
    { scope: 'read' },
    { scope: 'read writer' },
    { scope: 7 },
    { scope: { read: 1 } },
  ])
    expect(await world.verify(await issuer.token(claims))).toMatchObject({
      outcome: 'deny',
      reason: 'insufficient_scope',
    });
});

test('given a longest life, then a token that ends later is refused', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer, { maximum_expiration: 60 });
  expect(await world.verify(await issuer.token({ exp: inSeconds(50) }))).toMatchObject({ outcome: 'allow' });
  expect(await world.verify(await issuer.token())).toMatchObject({ reason: 'expiration_too_far' });
});
