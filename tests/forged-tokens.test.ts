import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bytes,
  ecdsa,
  eddsa,
  hmac,
  jwkOf,
  jws,
  malleable,
  ORDERS,
  part,
  pemOf,
  pss,
  rsa,
  type Signs,
} from './forge-token.ts';
import { ForgeryWorld, keys, mallory, SECRET } from './forgery-world.ts';

let world: ForgeryWorld;
let origin: string;
beforeAll(async () => {
  world = await ForgeryWorld.start();
  origin = world.origin;
});
afterAll(() => world[Symbol.asyncDispose]());
const present = (token: string) => world.present(token);
const expectRefused = (token: string, message?: string) => world.expectRefused(token, message);

const soon = () => Math.floor(Date.now() / 1000) + 600;

const claimsOf = (iss: string, over: object = {}) => ({
  iss,
  sub: 'root',
  tenant_id: 'any',
  exp: soon(),
  ...over,
});
const oidc = (over: object = {}) => claimsOf(`${origin}/oidc`, over);

test('tokens that are what they say pass, by each algorithm, from a consumer and from the issuer', async () => {
  const good: [iss: string, kid: string, alg: string, signs: Signs][] = [
    ['HS256', '', 'HS256', hmac('sha256', SECRET)],
    ['RS256', 'rsa', 'RS256', rsa('sha256', keys.rsa.privateKey)],
    ['PS256', 'rsa', 'PS256', pss('sha256', keys.rsa.privateKey, 32)],
    ['ES256', 'p256', 'ES256', ecdsa('sha256', keys.p256.privateKey)],
    ['ES384', 'p384', 'ES384', ecdsa('sha384', keys.p384.privateKey)],
    ['EdDSA', 'ed', 'EdDSA', eddsa(keys.ed.privateKey)],
  ];
  for (const [iss, kid, alg, signs] of good) {
    expect((await present(jws({ alg }, claimsOf(iss), signs))).status, alg).toBe(200);
    if (kid !== '') expect((await present(jws({ alg, kid }, oidc(), signs))).status, `oidc ${alg}`).toBe(200);
  }
});

test('alg none, and everything that is no algorithm, is refused in every spelling', async () => {
  const names = [
    'none',
    'None',
    'NONE',
    'nOnE',
    ' none',
    'none ',
    'n\u0000one',
    '',
    'hs256',
    'HS256 ',
    'HS1',
    'RS1',
  ];
  const odd = ['ES256K', 'Ed448', 'dir', 'A128KW', null, 0, true, ['HS256'], { alg: 'HS256' }];
  for (const alg of [...names, ...odd])
    for (const iss of ['HS256', 'RS256', `${origin}/oidc`])
      for (const signature of ['', 'AAAA'])
        await expectRefused(`${part({ alg })}.${part(claimsOf(iss))}.${signature}`, 'Bad token; invalid alg');
  await expectRefused(`${part({})}.${part(claimsOf('HS256'))}.`, 'Bad token; invalid alg');
  await expectRefused(`${part({ alg: 'none' })}.${part(claimsOf('HS256'))}`);
});

test('a public key is no shared secret, however it is written', async () => {
  const pem = pemOf(keys.rsa);
  const secrets = [
    ...[pem, pem.trim(), pem.replaceAll('\n', '\r\n'), pem.replaceAll(/-----.*-----|\n/g, '')],
    keys.rsa.publicKey.export({ type: 'spki', format: 'der' }),
    keys.rsa.publicKey.export({ type: 'pkcs1', format: 'der' }),
    ...[JSON.stringify(jwkOf(keys.rsa)), jwkOf(keys.rsa).n ?? '', '', 'a-published-secret'],
  ];
  for (const secret of secrets)
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const)
      for (const kid of ['rsa', 'oct']) {
        await expectRefused(jws({ alg, kid }, claimsOf('RS256'), hmac(hash, secret)), 'Invalid algorithm');
        await expectRefused(jws({ alg, kid }, oidc(), hmac(hash, secret)), 'Invalid algorithm');
      }
  // And the other way round: a signature where a secret is expected.
  for (const alg of ['RS256', 'ES256', 'EdDSA'])
    await expectRefused(jws({ alg }, claimsOf('HS256'), bytes('x')), 'Invalid algorithm');
});

test('keys that a token brings or points to are not used, and nobody is asked for them', async () => {
  const jwk = { ...jwkOf(mallory.rsa), kid: 'mallory' };
  const headers = [
    { jwk },
    { jku: `${origin}/mallory` },
    { x5u: `${origin}/mallory` },
    { x5c: [mallory.rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    { jwk, kid: 'mallory', jku: `${origin}/mallory`, x5u: `${origin}/mallory`, x5t: 'AAAA' },
  ];
  for (const header of headers)
    for (const claims of [claimsOf('RS256'), oidc()])
      await expectRefused(
        jws({ alg: 'RS256', ...header }, claims, rsa('sha256', mallory.rsa.privateKey)),
        'Invalid signature',
      );
});

test('a kid is a name and nothing else', async () => {
  const kids = [
    '../../../../dev/null',
    '/dev/null',
    "' OR 1=1 --",
    '$(id)',
    'file:///etc/passwd',
    '__proto__',
  ];
  for (const kid of [
    ...kids,
    `${origin}/mallory`,
    'constructor',
    '',
    7,
    null,
    ['rsa'],
    { kid: 'rsa' },
    'encrypts',
    'oct',
  ]) {
    await expectRefused(
      jws({ alg: 'RS256', kid }, oidc(), rsa('sha256', mallory.rsa.privateKey)),
      'Invalid signature',
    );
    await expectRefused(jws({ alg: 'HS256', kid }, oidc(), hmac('sha256', '')), 'Invalid algorithm');
    await expectRefused(
      jws({ alg: 'HS256', kid }, claimsOf('HS256'), hmac('sha256', '')),
      'Invalid signature',
    );
  }
  // The issuer's own key, but one that is for something else.
  await expectRefused(jws({ alg: 'RS256', kid: 'encrypts' }, oidc(), rsa('sha256', keys.rsa.privateKey)));
  // An unknown kid made auth ask once in its cool-down, not once for each token.
  expect(world.reached.keys).toBeLessThanOrEqual(2);
});

test('an issuer is exactly who it says, and signs for nobody else', async () => {
  const byRsa = rsa('sha256', keys.rsa.privateKey);
  for (const iss of [
    `${origin}/oidc/`,
    `${origin}/OIDC`,
    ` ${origin}/oidc`,
    `${origin}/oidc#`,
    'nobody',
    '__proto__',
  ])
    await expectRefused(jws({ alg: 'RS256', kid: 'rsa' }, claimsOf(iss), byRsa));
  for (const iss of [[`${origin}/oidc`], { url: 1 }, 7, true, null, ''])
    await expectRefused(jws({ alg: 'RS256', kid: 'rsa' }, { ...oidc(), iss }, byRsa));
  await expectRefused(
    jws({ alg: 'HS256' }, claimsOf('HS256'), hmac('sha256', 'bobs-secret')),
    'Invalid signature',
  );
  await expectRefused(jws({ alg: 'HS256' }, claimsOf('bob'), hmac('sha256', SECRET)), 'Invalid signature');
});

test('ECDSA signatures of zero, of the order, of another curve, length or encoding are refused', async () => {
  const sizes = { p256: 32, p384: 48, p521: 66 } as const;
  const rows = [
    ['ES256', 'p256', 'sha256'],
    ['ES384', 'p384', 'sha384'],
    ['ES512', 'p521', 'sha512'],
  ] as const;
  for (const [alg, name, hash] of rows) {
    const size = sizes[name];
    const zero = Buffer.alloc(size);
    const one = Buffer.from(zero).fill(1, size - 1);
    const order = Buffer.from(ORDERS[name].padStart(2 * size, '0'), 'hex');
    const full = Buffer.alloc(size, 0xff);
    const values = [zero, one, order, full];
    const psychic = values.flatMap((r) => values.map((s) => bytes(Buffer.concat([r, s]))));
    const good = ecdsa(hash, keys[name].privateKey);
    const others = rows.filter(([, other]) => other !== name);
    const forged: Signs[] = [
      ...psychic,
      ...[0, 1, size, 2 * size - 1, 2 * size + 1, 4096].map((length) => bytes(Buffer.alloc(length))),
      ecdsa(hash, keys[name].privateKey, 'der'),
      (text) => Buffer.concat([good(text), Buffer.alloc(1)]),
      (text) => Buffer.concat([Buffer.alloc(1), good(text)]),
      ecdsa(hash, mallory[name].privateKey),
      ...others.map(([, other]) => ecdsa(hash, keys[other].privateKey)),
    ];
    for (const signs of forged) {
      await expectRefused(jws({ alg }, claimsOf(alg), signs), 'Invalid signature');
      if (alg !== 'ES512') await expectRefused(jws({ alg, kid: name }, oidc(), signs), 'Invalid signature');
    }
    // A key of another curve, named by its kid.
    for (const [, other] of others)
      await expectRefused(jws({ alg, kid: other }, oidc(), ecdsa(hash, keys[other].privateKey)));
  }
});

test('RSA and Ed25519 signatures of the wrong kind are refused', async () => {
  const key = keys.rsa.privateKey;
  const wrongSalts = [0, 20, 31, 33, 64, 222].map((salt) => pss('sha256', key, salt));
  for (const signs of [...wrongSalts, pss('sha384', key, 32), rsa('sha256', key), bytes(Buffer.alloc(256))])
    for (const [claims, kid] of [
      [claimsOf('PS256'), undefined],
      [oidc(), 'rsa'],
    ] as const)
      await expectRefused(jws({ alg: 'PS256', kid }, claims, signs), 'Invalid signature');
  for (const signs of [
    pss('sha256', key, 32),
    rsa('sha1', key),
    rsa('sha512', key),
    bytes(Buffer.alloc(256, 1)),
    bytes(''),
  ])
    for (const [claims, kid] of [
      [claimsOf('RS256'), undefined],
      [oidc(), 'rsa'],
    ] as const)
      await expectRefused(jws({ alg: 'RS256', kid }, claims, signs), 'Invalid signature');
  const twice: Signs = (text) => malleable(eddsa(keys.ed.privateKey)(text));
  for (const signs of [twice, bytes(Buffer.alloc(64)), bytes(Buffer.alloc(63)), eddsa(mallory.ed.privateKey)])
    for (const [claims, kid] of [
      [claimsOf('EdDSA'), undefined],
      [oidc(), 'ed'],
    ] as const)
      await expectRefused(jws({ alg: 'EdDSA', kid }, claims, signs), 'Invalid signature');
});
