import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { base64url, hs256, jwtSecret, keyPairFor, signed, startWorld } from './fixtures.ts';

const claims = (over: object = {}) => ({ iss: 'alice-key', ...over });

test('alg none is refused in every spelling, with and without a signature', async () => {
  await using world = await startWorld({});
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 0, ['HS256']])
    for (const signature of ['', 'AAAA'])
      expect(await world.verify(`${base64url({ alg })}.${base64url(claims())}.${signature}`)).toMatchObject({
        body: { message: 'Bad token; invalid alg' },
      });
});

test('a public key is not taken for a shared secret', async () => {
  const { publicPem } = keyPairFor('RS256');
  await using world = await startWorld({
    jwt_secrets: [jwtSecret({ algorithm: 'RS256', secret: publicPem, rsa_public_key: publicPem })],
  });
  expect(await world.verify(hs256(claims(), publicPem))).toMatchObject({
    body: { message: 'Invalid algorithm' },
  });
});

test('an embedded or referenced key of the token is not used', async () => {
  const attacker = keyPairFor('RS256');
  await using world = await startWorld({
    jwt_secrets: [jwtSecret({ algorithm: 'RS256', rsa_public_key: keyPairFor('RS256').publicPem })],
  });
  const jwk = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };
  const token = signed('RS256', attacker.privateKey, claims(), {
    jwk,
    jku: 'http://127.0.0.1:1/',
    x5u: 'x',
  });
  expect(await world.verify(token)).toMatchObject({ body: { message: 'Invalid signature' } });
});

test('one token has one spelling', async () => {
  await using world = await startWorld({});
  const token = hs256(claims());
  const [header = '', body = '', signature = ''] = token.split('.');
  // The last character of 32 bytes carries two spare bits: its neighbour decodes to the same bytes.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = `${signature.slice(0, -1)}${last[last.indexOf(signature.at(-1) ?? '') + 1]}`;
  expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
  for (const spelling of [
    `${header}.${body}.${twin}`,
    `${token}=`,
    `${token}\n`,
    ` ${token}`,
    `${header}=.${body}.${signature}`,
    `${header}.${body}\n.${signature}`,
  ])
    expect(await world.verify(spelling)).toMatchObject({ outcome: 'deny' });
  expect(await world.verify(token)).toMatchObject({ outcome: 'allow' });
});

test('a critical extension is refused, also one that could be understood', async () => {
  await using world = await startWorld({});
  for (const crit of [['exp'], ['b64'], [], 'x'])
    expect(await world.verify(hs256(claims(), 'hush', { alg: 'HS256', crit, b64: true }))).toMatchObject({
      body: { message: 'Bad token; invalid crit' },
    });
});

test('claims changed after signing are refused', async () => {
  await using world = await startWorld({});
  const [header, , signature] = hs256(claims({ sub: 'u-1' })).split('.');
  const changed = `${header}.${base64url(claims({ sub: 'admin' }))}.${signature}`;
  expect(await world.verify(changed)).toMatchObject({ body: { message: 'Invalid signature' } });
});

test('a token cut at any place is refused', async () => {
  await using world = await startWorld({});
  const token = hs256(claims());
  for (let length = 1; length < token.length; length += 7)
    expect(await world.verify(token.slice(0, length))).toMatchObject({ outcome: 'deny' });
});

test('an HMAC over the wrong bytes differs in one bit and is refused', async () => {
  await using world = await startWorld({});
  const input = `${base64url({ alg: 'HS256' })}.${base64url(claims())}`;
  const mac = createHmac('sha256', 'hush').update(input).digest();
  mac[0] = (mac[0] ?? 0) ^ 0x80;
  expect(await world.verify(`${input}.${mac.toString('base64url')}`)).toMatchObject({ outcome: 'deny' });
});
