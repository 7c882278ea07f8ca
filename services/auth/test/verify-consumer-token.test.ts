import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { OidcIssuer } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import { ALGORITHMS } from '../src/jwt-format.ts';
import {
  base64url,
  consumer,
  hs256,
  inSeconds,
  jwtSecret,
  keyPairFor,
  plugin,
  signed,
  startWorld,
} from './fixtures.ts';

const claims = (over: object = {}) => ({ iss: 'alice-key', ...over });
const verifiesTimes = { plugins: [plugin({ claims_to_verify: ['exp', 'nbf'] })] };
const oneHour = { exp: inSeconds(3600), nbf: inSeconds(-60) };

test('given a token of a consumer, when it is verified, then the verdict names consumer and credential', async () => {
  await using world = await startWorld(verifiesTimes);
  const verdict = await world.verify(hs256(claims({ ...oneHour, sub: 'u-1', email: 'a@example.com' })));
  expect(verdict).toEqual({
    outcome: 'allow',
    cacheMs: 60_000,
    consumer: { id: 'consumer-1', username: 'alice', customId: 'a-1' },
    credential: { id: 'secret-1', identifier: 'alice-key' },
    claims: { sub: 'u-1', iss: 'alice-key' },
    token: { subject: 'u-1', issuer: 'alice-key', consumer: 'consumer-1' },
  });
});

describe('the steps of kong-compat 4.1, with their exact bodies', () => {
  const header = base64url({ alg: 'HS256' });
  const body = base64url(claims());
  const refused: [name: string, token: string, body: object][] = [
    ['no dots', 'gibberish', { message: 'Bad token; invalid JSON' }],
    ['two parts', `${header}.${body}`, { message: 'Bad token; invalid JSON' }],
    ['a header that is no JSON', `${base64url('{')}.${body}.`, { message: 'Bad token; invalid JSON' }],
    ['a header that is a list', `${base64url('[]')}.${body}.`, { message: 'Bad token; invalid JSON' }],
    ['claims that are no JSON', `${header}.${base64url('nope')}.`, { message: 'Bad token; invalid JSON' }],
    ['claims that are not UTF-8', `${header}._w.`, { message: 'Bad token; invalid JSON' }],
    ['no alg', hs256(claims(), 'hush', {}), { message: 'Bad token; invalid alg' }],
    ['an unknown alg', hs256(claims(), 'hush', { alg: 'HS1' }), { message: 'Bad token; invalid alg' }],
    ['claims that are a number', hs256(7), { message: 'Bad token; invalid claims' }],
    ['claims that are null', hs256(null), { message: 'Bad token; invalid claims' }],
    [
      'a signature that is no base64url',
      `${header}.${body}.a+b=`,
      { message: 'Bad token; invalid signature' },
    ],
    ['a fourth part', `${hs256(claims())}.x`, { message: 'Bad token; invalid signature' }],
    ['no key claim', hs256({}), { message: "No mandatory 'iss' in claims" }],
    ['an inherited key claim', hs256({ sub: 'x' }), { message: "No mandatory 'iss' in claims" }],
    ['an empty key claim', hs256({ iss: '' }), { message: "Invalid 'iss' in claims" }],
    [
      'an empty key claim beside one in the header',
      hs256({ iss: '' }, 'hush', { alg: 'HS256', iss: 'alice-key' }),
      { message: "Invalid 'iss' in claims" },
    ],
    ['a key claim that is a number', hs256({ iss: 7 }), { message: "Invalid 'iss' in claims" }],
    ['an unknown key', hs256({ iss: 'nobody' }), { message: "No credentials found for given 'iss'" }],
    [
      'another algorithm than the credential',
      signed('HS512', 'hush', claims()),
      { message: 'Invalid algorithm' },
    ],
    ['another secret', hs256(claims(), 'wrong'), { message: 'Invalid signature' }],
    ['an empty signature', `${header}.${body}.`, { message: 'Invalid signature' }],
    ['no times', hs256(claims()), { exp: 'must be a number', nbf: 'must be a number' }],
    ['times as text', hs256(claims({ exp: '9999999999', nbf: 1 })), { exp: 'must be a number' }],
    ['an expired token', hs256(claims({ ...oneHour, exp: inSeconds(-1) })), { exp: 'token expired' }],
    [
      'a token of the future',
      hs256(claims({ ...oneHour, nbf: inSeconds(60) })),
      { nbf: 'token not valid yet' },
    ],
    [
      'both',
      hs256(claims({ exp: 1, nbf: inSeconds(60) })),
      { exp: 'token expired', nbf: 'token not valid yet' },
    ],
  ];

  test.each(refused)('given %s, then the token is denied', async (_name, token, expected) => {
    await using world = await startWorld(verifiesTimes);
    const verdict = await world.verify(token);
    expect(verdict).toMatchObject({ outcome: 'deny', body: expected });
    expect(verdict.body).toEqual(expected);
    expect(verdict.cacheMs).toBeLessThanOrEqual(1000);
    expect(verdict.reason).toMatch(/^[a-z_]+$/);
  });

  test('a key claim may stand in the header, under the name the plugin gives', async () => {
    await using world = await startWorld({ plugins: [plugin({ key_claim_name: 'kid' })] });
    const inHeader = hs256({}, 'hush', { alg: 'HS256', kid: 'alice-key' });
    expect(await world.verify(inHeader)).toMatchObject({ outcome: 'allow' });
    expect(await world.verify(hs256({ iss: 'alice-key' }))).toMatchObject({
      body: { message: "No mandatory 'kid' in claims" },
    });
    expect(await world.verify(hs256({ kid: 'nobody' }))).toMatchObject({
      body: { message: "No credentials found for given 'kid'" },
    });
  });

  test('a claim named like an inherited property is absent', async () => {
    await using world = await startWorld({ plugins: [plugin({ key_claim_name: 'constructor' })] });
    expect(await world.verify(hs256({}))).toMatchObject({
      body: { message: "No mandatory 'constructor' in claims" },
    });
  });

  test('there is no leeway: a token that expires this second is expired', async () => {
    const at = inSeconds(0);
    await using world = await startWorld(verifiesTimes, { clock: () => at * 1000 + 999 });
    const token = (exp: number) => hs256(claims({ exp, nbf: at }));
    expect(await world.verify(token(at))).toMatchObject({ body: { exp: 'token expired' } });
    expect(await world.verify(token(at + 1))).toMatchObject({ outcome: 'allow', cacheMs: 1 });
  });

  test('without claims to verify an expired token passes, but is never kept past its end', async () => {
    await using world = await startWorld({});
    expect(await world.verify(hs256(claims({ exp: 1 })))).toMatchObject({ outcome: 'allow', cacheMs: 0 });
    expect(await world.verify(hs256(claims()))).toMatchObject({ outcome: 'allow', cacheMs: 60_000 });
  });

  test.each([
    [{ exp: inSeconds(100) }, 'exceeds maximum allowed expiration'],
    [{}, 'exceeds maximum allowed expiration'],
    [{ exp: 'soon' }, 'must be a number'],
  ])('given maximum_expiration 60 and %j, then: %s', async (times, problem) => {
    await using world = await startWorld({ plugins: [plugin({ maximum_expiration: 60 })] });
    expect(await world.verify(hs256(claims(times)))).toMatchObject({ body: { exp: problem } });
    expect(await world.verify(hs256(claims({ exp: inSeconds(50) })))).toMatchObject({ outcome: 'allow' });
  });

  test('secret_is_base64 reads the secret as base64, in either alphabet', async () => {
    const bytes = Buffer.from([0xfb, 0xff, 0xfe, 1]);
    await using world = await startWorld({
      plugins: [plugin({ secret_is_base64: true }), plugin({}, { id: 'plain' })],
      jwt_secrets: [
        jwtSecret({ secret: bytes.toString('base64') }),
        jwtSecret({ id: 's2', key: 'bob', secret: bytes.toString('base64url') }),
      ],
    });
    expect(await world.verify(hs256(claims(), bytes))).toMatchObject({ outcome: 'allow' });
    expect(await world.verify(hs256({ iss: 'bob' }, bytes))).toMatchObject({ outcome: 'allow' });
    expect(await world.verify(hs256(claims(), bytes), 'plain')).toMatchObject({ outcome: 'deny' });
    const asText = hs256(claims(), bytes.toString('base64'));
    expect(await world.verify(asText, 'plain')).toMatchObject({ outcome: 'allow' });
    expect(await world.verify(asText)).toMatchObject({ outcome: 'deny' });
  });

  test.each([null, 'not a PEM'])('given rsa_public_key %j, then: Invalid key/secret', async (pem) => {
    await using world = await startWorld({
      jwt_secrets: [jwtSecret({ algorithm: 'RS256', rsa_public_key: pem })],
    });
    const token = signed('RS256', keyPairFor('RS256').privateKey, claims());
    expect(await world.verify(token)).toMatchObject({ body: { message: 'Invalid key/secret' } });
  });

  test('given a credential whose consumer is gone, then the answer names key claim and key', async () => {
    await using world = await startWorld({ consumers: [] });
    expect(await world.verify(hs256(claims()))).toMatchObject({
      body: { message: "Could not find consumer for 'iss=alice-key'" },
    });
  });

  test('what a consumer does not have is absent from the verdict', async () => {
    await using world = await startWorld({ consumers: [{ ...consumer, custom_id: null }] });
    const verdict = await world.verify(hs256(claims()));
    expect(verdict.consumer).toEqual({ id: 'consumer-1', username: 'alice' });
  });
});

describe('algorithms', () => {
  test.each(ALGORITHMS)(
    '%s: its own key verifies, another key and a changed signature do not',
    async (alg) => {
      const own = alg.startsWith('HS') ? undefined : keyPairFor(alg);
      const other = alg.startsWith('HS') ? undefined : keyPairFor(alg);
      await using world = await startWorld({
        jwt_secrets: [jwtSecret({ algorithm: alg, rsa_public_key: own?.publicPem ?? null })],
      });
      const good = signed(alg, own?.privateKey ?? 'hush', claims());
      const foreign = signed(alg, other?.privateKey ?? 'other', claims());
      const [header, body, signature = ''] = good.split('.');
      const bytes = Buffer.from(signature, 'base64url');
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      const changed = `${header}.${body}.${bytes.toString('base64url')}`;
      const short = `${header}.${body}.${bytes.subarray(0, -1).toString('base64url')}`;
      expect(await world.verify(good)).toMatchObject({ outcome: 'allow' });
      for (const bad of [foreign, changed, short, `${header}.${body}.`])
        expect(await world.verify(bad)).toMatchObject({
          outcome: 'deny',
          body: { message: 'Invalid signature' },
        });
    },
  );

  test('an RSA-PSS signature with another salt length than its hash is refused', async () => {
    const { privateKey, publicPem } = keyPairFor('PS256');
    await using world = await startWorld({
      jwt_secrets: [jwtSecret({ algorithm: 'PS256', rsa_public_key: publicPem })],
    });
    const input = `${base64url({ alg: 'PS256' })}.${base64url(claims())}`;
    const withSalt = (saltLength: number) =>
      `${input}.${signBytes('sha256', Buffer.from(input), { key: privateKey, padding: 6, saltLength }).toString('base64url')}`;
    expect(await world.verify(withSalt(32))).toMatchObject({ outcome: 'allow' });
    for (const length of [0, 20, 64])
      expect(await world.verify(withSalt(length))).toMatchObject({ body: { message: 'Invalid signature' } });
  });

  test('an RSA key of less than 2048 bits, or a key of another curve, is no key', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const p256 = keyPairFor('ES256');
    const pem = weak.publicKey.export({ type: 'spki', format: 'pem' });
    await using world = await startWorld({
      jwt_secrets: [
        jwtSecret({ algorithm: 'RS256', rsa_public_key: pem }),
        jwtSecret({ id: 's2', key: 'bob', algorithm: 'ES384', rsa_public_key: p256.publicPem }),
      ],
    });
    const expected = { body: { message: 'Invalid key/secret' } };
    expect(await world.verify(signed('RS256', weak.privateKey, claims()))).toMatchObject(expected);
    expect(await world.verify(signed('ES384', p256.privateKey, { iss: 'bob' }))).toMatchObject(expected);
  });
});

test('given a secret with jwks_uri, then its keys come from there and the algorithm must still be its own', async () => {
  await using issuer = await OidcIssuer.start('RS256');
  await using world = await startWorld({
    jwt_secrets: [jwtSecret({ algorithm: 'RS256', jwks_uri: `${issuer.url}/jwks` })],
  });
  const token = await issuer.token({ iss: 'alice-key' });
  expect(await world.verify(token)).toMatchObject({ outcome: 'allow', consumer: { username: 'alice' } });
  expect(await world.verify(hs256(claims()))).toMatchObject({ body: { message: 'Invalid algorithm' } });
  await issuer.rotate({ keepOld: false });
  expect(await world.verify(await issuer.token({ iss: 'alice-key' }))).toMatchObject({ outcome: 'allow' });
  expect(await world.verify(token)).toMatchObject({ body: { message: 'Invalid signature' } });
});
