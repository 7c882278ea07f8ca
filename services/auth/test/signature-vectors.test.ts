import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ecdsaVectors, eddsaVectors, hmacVectors } from './curve-vectors.ts';
import { base64url, jwtSecret, startWorld, type World } from './fixtures.ts';
import { pkcs1Vectors, pssVectors } from './rsa-vectors.ts';
import type { Family, Signs } from './signature-vectors.ts';

/** In the manner of Project Wycheproof, with keys and signatures of our own. */
const FAMILIES: readonly Family[] = [
  ecdsaVectors('ES256'),
  ecdsaVectors('ES384'),
  ecdsaVectors('ES512'),
  pkcs1Vectors(),
  pssVectors(),
  eddsaVectors(),
  hmacVectors('hush'),
];

let world: World;
beforeAll(async () => {
  world = await startWorld({
    jwt_secrets: FAMILIES.map((family) =>
      jwtSecret({
        ...{ id: family.alg, key: family.alg, algorithm: family.alg },
        ...(family.publicKey !== undefined
          ? { rsa_public_key: family.publicKey.export({ type: 'spki', format: 'pem' }).toString() }
          : {}),
      }),
    ),
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const textFor = (alg: string): string => `${base64url({ alg })}.${base64url({ iss: alg })}`;
const verify = (alg: string, signs: Signs) => {
  const text = textFor(alg);
  return world.verify(`${text}.${signs(text).toString('base64url')}`);
};

describe.each(FAMILIES)('$alg', (family) => {
  const { alg, valid, vectors } = family;

  test('a signature that is one passes', async () => {
    expect(await verify(alg, valid)).toMatchObject({ outcome: 'allow' });
    if (family.alsoValid !== undefined)
      expect(await verify(alg, family.alsoValid)).toMatchObject({ outcome: 'allow' });
  });

  test(`none of ${vectors.length} that are none passes`, async () => {
    for (const { name, signs } of vectors)
      expect(await verify(alg, signs), name).toMatchObject({
        outcome: 'deny',
        body: { message: 'Invalid signature' },
      });
  });

  test('no other algorithm’s name makes a signature of it', async () => {
    const others = [
      ...FAMILIES.map((other) => other.alg),
      'RS384',
      'RS512',
      'PS384',
      'PS512',
      'HS384',
      'HS512',
    ];
    for (const named of others.filter((one) => one !== alg)) {
      const text = `${base64url({ alg: named })}.${base64url({ iss: alg })}`;
      expect(await world.verify(`${text}.${valid(text).toString('base64url')}`), named).toMatchObject({
        outcome: 'deny',
        body: { message: 'Invalid algorithm' },
      });
    }
  });

  test('a token in JSON, of more or fewer parts, or with its payload left out, is none', async () => {
    const text = textFor(alg);
    const [header = '', payload = ''] = text.split('.');
    const signature = valid(text).toString('base64url');
    const spellings = [
      JSON.stringify({ protected: header, payload, signature }),
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      ...[`${text}`, `${text}.`, `${text}.${signature}.`, `.${text}.${signature}`, `${header}..${signature}`],
      ...[
        `${text}.${signature}.${signature}`,
        `${text}.${signature}=`,
        `${text}.${signature}==`,
        `${text}.${signature} `,
      ],
      `${text}.${signature.slice(0, 4)}\n${signature.slice(4)}`,
      `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}=`,
      `${Buffer.from(`${Buffer.from(header, 'base64url')} `).toString('base64url')}.${payload}.${signature}`,
    ];
    for (const spelling of spellings)
      expect(await world.verify(spelling), spelling).toMatchObject({ outcome: 'deny' });
  });
});
