import { OidcIssuer } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  hs256,
  inSeconds,
  issuerEntity,
  jwtSecret,
  keyPairFor,
  plugin,
  signed,
  startWorld,
} from './fixtures.ts';

const worldOf = (issuer: OidcIssuer, over: object = {}, options: Parameters<typeof startWorld>[1] = {}) =>
  startWorld(
    { issuers: [issuerEntity(issuer.url, over)], plugins: [plugin({ claims_to_verify: ['exp', 'nbf'] })] },
    options,
  );

test('given a token of a trusted issuer, when it is verified, then tenant, platform and user come from its claims', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer);
  const token = await issuer.token({
    platform_id: 'dcoder',
    client_id: 'app',
    scope: 'read',
    email: 'a@example.com',
    jti: 'token-1',
    iat: 1_767_323_045,
  });
  expect(await world.verify(token)).toEqual({
    outcome: 'allow',
    cacheMs: 60_000,
    credential: { id: 'logto', identifier: issuer.url },
    tenantId: 'tenant-123',
    platformId: 'dcoder',
    userId: 'user-456',
    claims: { sub: 'user-456', iss: issuer.url, client_id: 'app', scope: 'read', tenant: 'tenant-123' },
    token: {
      subject: 'user-456',
      issuer: issuer.url,
      tenant: 'tenant-123',
      jti: 'token-1',
      kid: issuer.published[0]?.kid,
      issuedAtMs: 1_767_323_045_000,
    },
  });
});

test('identities come from the claims that the issuer entry names, and only when a header could carry them', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer, { tenant_claim: 'https://example.com/org', user_claim: 'uid' });
  const identityOf = async (claims: object) => {
    const { tenantId, userId } = await world.verify(await issuer.token({ ...claims }));
    return { tenantId, userId };
  };
  expect(await identityOf({ 'https://example.com/org': 'acme', uid: 7 })).toEqual({
    tenantId: 'acme',
    userId: '7',
  });
  for (const unusable of ['', 'a\r\nx-admin: 1', 'ä', 'x'.repeat(257), ['acme'], { id: 'acme' }, true, null])
    expect(await identityOf({ 'https://example.com/org': unusable })).toEqual({});
});

describe('what is refused, with its exact body', () => {
  const refused: [name: string, claims: object, body: object][] = [
    ['no exp', { exp: undefined }, { exp: 'must be a number' }],
    ['an exp that is text', { exp: '9999999999' }, { exp: 'must be a number' }],
    ['an expired token', { exp: inSeconds(-30) }, { exp: 'token expired' }],
    ['a token of the future', { nbf: inSeconds(60) }, { nbf: 'token not valid yet' }],
    ['an nbf that is text', { nbf: 'now' }, { nbf: 'must be a number' }],
    ['no audience', { aud: undefined }, { message: "Invalid 'aud' in claims" }],
    ['another audience', { aud: ['https://other.example.com'] }, { message: "Invalid 'aud' in claims" }],
    ['an audience that is an object', { aud: { a: 1 } }, { message: "Invalid 'aud' in claims" }],
    [
      'another issuer',
      { iss: 'https://evil.example.com' },
      { message: "No credentials found for given 'iss'" },
    ],
  ];
  test.each(refused)('given %s, then the token is denied', async (_name, claims, body) => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer, { audiences: ['https://api.dcoder.test', 'urn:other'] });
    expect(await world.verify(await issuer.token())).toMatchObject({ outcome: 'allow' });
    const verdict = await world.verify(await issuer.token({ ...claims }));
    expect(verdict).toMatchObject({ outcome: 'deny', cacheMs: 1000 });
    expect(verdict.body).toEqual(body);
  });

  test('an issuer that is the configured one but for a slash is another one', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer);
    expect(await world.verify(await issuer.token({ iss: `${issuer.url}/` }))).toMatchObject({
      body: { message: "No credentials found for given 'iss'" },
    });
  });
});

test('the skew setting is leeway for exp and nbf, and a verdict is never kept past exp', async () => {
  await using issuer = await OidcIssuer.start();
  const now = inSeconds(0);
  await using world = await worldOf(issuer, {}, { clock: () => now * 1000 });
  const cacheMs = async (claims: object) => (await world.verify(await issuer.token({ ...claims }))).cacheMs;
  expect(await cacheMs({ exp: now + 10 })).toBe(10_000);
  expect(await cacheMs({ exp: now - 4, nbf: now + 5 })).toBe(0);
  expect(await world.verify(await issuer.token({ exp: now - 5 }))).toMatchObject({
    body: { exp: 'token expired' },
  });
  expect(await world.verify(await issuer.token({ nbf: now + 6 }))).toMatchObject({
    body: { nbf: 'token not valid yet' },
  });
});

test("the plugin's maximum_expiration holds for issuers, too", async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({
    issuers: [issuerEntity(issuer.url)],
    plugins: [plugin({ maximum_expiration: 3000 })],
  });
  expect(await world.verify(await issuer.token())).toMatchObject({
    body: { exp: 'exceeds maximum allowed expiration' },
  });
  expect(await world.verify(await issuer.token({ exp: inSeconds(2000) }))).toMatchObject({
    outcome: 'allow',
  });
});

describe('forgeries', () => {
  test('only the algorithms of the issuer entry are taken, and never a shared secret', async () => {
    await using issuer = await OidcIssuer.start('RS256');
    const claims = { iss: issuer.url, sub: 'admin', exp: inSeconds(60) };
    const jwk = JSON.stringify(issuer.published[0]?.jwk);
    await using onlyEs = await worldOf(issuer, { algorithms: ['ES384'] });
    expect(await onlyEs.verify(await issuer.token())).toMatchObject({
      body: { message: 'Invalid algorithm' },
    });
    await using careless = await worldOf(issuer, { algorithms: ['RS256', 'HS256', 'none'] });
    expect(await careless.verify(await issuer.token())).toMatchObject({ outcome: 'allow' });
    expect(await careless.verify(hs256(claims, jwk))).toMatchObject({
      body: { message: 'Invalid algorithm' },
    });
    expect(await careless.verify(`${base64url({ alg: 'none' })}.${base64url(claims)}.`)).toMatchObject({
      body: { message: 'Bad token; invalid alg' },
    });
  });

  test("another issuer's key does not sign for this one, also when both are trusted", async () => {
    await using issuer = await OidcIssuer.start();
    await using other = await OidcIssuer.start();
    await using world = await startWorld({
      issuers: [issuerEntity(issuer.url), issuerEntity(other.url, { id: 'other', name: 'other' })],
    });
    const [kid] = issuer.published.map((key) => key.kid);
    expect(await world.verify(await other.token())).toMatchObject({ credential: { id: 'other' } });
    for (const header of [{}, { kid: kid ?? '' }])
      expect(await world.verify(await other.token({ iss: issuer.url }, header))).toMatchObject({
        outcome: 'deny',
        body: { message: 'Invalid signature' },
      });
  });

  test('keys in the token itself are not used', async () => {
    await using issuer = await OidcIssuer.start('RS256');
    await using world = await worldOf(issuer);
    const { privateKey } = keyPairFor('RS256');
    const claims = { iss: issuer.url, exp: inSeconds(60) };
    const header = { kid: 'mine', jwk: { kty: 'RSA' }, jku: `${issuer.url}/jwks` };
    expect(await world.verify(signed('RS256', privateKey, claims, header))).toMatchObject({
      body: { message: 'Invalid signature' },
    });
  });

  test('a kid that is no text, and no kid at all, name no key of their own', async () => {
    await using issuer = await OidcIssuer.start('RS256');
    await using world = await worldOf(issuer);
    const { privateKey } = keyPairFor('RS256');
    const claims = { iss: issuer.url, exp: inSeconds(60) };
    for (const header of [{ kid: 7 }, { kid: null }, {}])
      expect(await world.verify(signed('RS256', privateKey, claims, header))).toMatchObject({
        body: { message: 'Invalid signature' },
      });
  });
});

test('an issuer entry goes before a consumer key of the same name', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({
    issuers: [issuerEntity(issuer.url)],
    jwt_secrets: [jwtSecret({ key: issuer.url })],
  });
  expect(await world.verify(await issuer.token())).toMatchObject({
    outcome: 'allow',
    tenantId: 'tenant-123',
  });
  expect(await world.verify(hs256({ iss: issuer.url }))).toMatchObject({
    body: { message: 'Invalid algorithm' },
  });
});

test('a plugin with another key claim takes issuer tokens by iss and consumer tokens by its claim', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await startWorld({
    issuers: [issuerEntity(issuer.url)],
    plugins: [plugin({ key_claim_name: 'kid' })],
  });
  expect(await world.verify(await issuer.token())).toMatchObject({ credential: { id: 'logto' } });
  expect(await world.verify(hs256({ kid: 'alice-key' }))).toMatchObject({ credential: { id: 'secret-1' } });
});
