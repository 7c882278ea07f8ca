import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, hmac, jws, part } from './forge-token.ts';
import { ForgeryWorld, SECRET } from './forgery-world.ts';

let world: ForgeryWorld;
beforeAll(async () => {
  world = await ForgeryWorld.start();
});
afterAll(() => world[Symbol.asyncDispose]());
const present = (token: string) => world.present(token);
const expectRefused = (token: string, message?: string) => world.expectRefused(token, message);

const soon = () => Math.floor(Date.now() / 1000) + 600;
const claimsOf = (iss: string, over: object = {}) => ({
  ...{ iss, sub: 'root', tenant_id: 'any', exp: soon() },
  ...over,
});
const oidc = () => claimsOf(`${world.origin}/oidc`);

const byAlice = hmac('sha256', SECRET);
/** Tokens that were signed by a key that counts: what is wrong is how they are written. */
const badlyWritten = (header: object | string, claims: object | string): string =>
  jws(header, claims, byAlice);

test('a critical extension is refused, also one that says nothing', async () => {
  for (const crit of [['exp'], ['b64'], ['http://example.com/x'], [], 'exp', null, {}])
    await expectRefused(
      badlyWritten({ alg: 'HS256', crit, b64: false }, claimsOf('HS256')),
      'Bad token; invalid crit',
    );
});

test('names that stand twice in a token are refused: two readers would read two tokens', async () => {
  const good = JSON.stringify(claimsOf('HS256'));
  const with2 = (more: string) => `${good.slice(0, -1)},${more}}`;
  const doubled = [
    '"tenant_id":"other"',
    '"sub":"user"',
    '"\\u0073ub":"user"',
    '"exp":9999999999',
    '"a":{"b":1,"b":2}',
  ];
  for (const more of [...doubled, '"a":[{"c":1},{"d":1,"\\u0064":2}]'])
    await expectRefused(badlyWritten({ alg: 'HS256' }, with2(more)), 'Bad token; invalid JSON');
  for (const header of ['{"alg":"none","alg":"HS256"}', '{"alg":"HS256","kid":"a","k\\u0069d":"b"}'])
    await expectRefused(badlyWritten(header, claimsOf('HS256')), 'Bad token; invalid JSON');
  // The same name in two places is none twice.
  const fine = with2('"a":{"sub":1},"b":[{"sub":1},{"sub":"\\"sub\\":{"}],"c":"sub"');
  expect((await present(badlyWritten({ alg: 'HS256' }, fine))).status).toBe(200);
});

test('one token has one spelling', async () => {
  const token = badlyWritten({ alg: 'HS256', typ: 'JWT' }, claimsOf('HS256', { text: '???>>>~~~' }));
  const [header = '', claims = '', signature = ''] = token.split('.');
  expect((await present(token)).status).toBe(200);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = `${signature.slice(0, -1)}${alphabet[alphabet.indexOf(signature.at(-1) ?? '') + 1]}`;
  expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
  const spellings = [
    ...[
      `${header}.${claims}.${twin}`,
      `${token}=`,
      `${token}==`,
      `${token}.`,
      `.${token}`,
      `${token}.${signature}`,
    ],
    ...[`${header}..${signature}`, `${header}=.${claims}.${signature}`, `${header}.${claims}=.${signature}`],
    ...[
      `${header}.${claims} .${signature}`,
      `${header}\t.${claims}.${signature}`,
      `${header}.${claims}.`,
      `${header}.${claims}`,
    ],
    ...[
      `${token}\u00ad`,
      `${header}.${claims}.${signature.slice(0, -2)}`,
      `${header}.${claims}.A${signature}`,
    ],
    `${header}.${Buffer.from(claims, 'base64url').toString('base64').replace(/=*$/, '')}+.${signature}`,
    `${header}.${claims}.${Buffer.from(signature, 'base64url').toString('base64')}`.replace(/=$/, '/'),
    `${part('\ufeff{"alg":"HS256"}')}.${claims}.${signature}`,
    `${header}.${part(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'))}.${signature}`,
    JSON.stringify({ payload: claims, protected: header, signature }),
    `${header}.e30.e30.e30.${signature}`,
  ];
  for (const spelling of spellings) await expectRefused(spelling);
});

test('huge and deep tokens are refused like small ones', async () => {
  const deep = (open: string, close: string, times: number) => `${open.repeat(times)}0${close.repeat(times)}`;
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`c${i}`, i])));
  for (const payload of [
    deep('[', ']', 2500),
    deep('{"a":', '}', 700),
    wide,
    `"${'a'.repeat(5000)}"`,
    '1'.repeat(5000),
  ]) {
    await expectRefused(jws({ alg: 'HS256' }, payload, bytes('x')));
    await expectRefused(jws(payload, claimsOf('HS256'), bytes('x')));
    await expectRefused(
      jws({ alg: 'HS256', x: payload }, claimsOf('HS256'), bytes('x')),
      'Invalid signature',
    );
  }
  for (const text of [
    '.'.repeat(7000),
    'A'.repeat(7000),
    `${'A.'.repeat(3500)}`,
    `${part({ alg: 'RS256' })}.${'A'.repeat(7000)}`,
  ])
    await expectRefused(text, 'Bad token; invalid JSON');
  await expectRefused(
    jws({ alg: 'RS256', kid: 'rsa' }, oidc(), bytes(Buffer.alloc(5000, 1))),
    'Invalid signature',
  );
  // Longer than a header may be, as Kong's nginx says it.
  const { status, body } = await present('A'.repeat(40_000));
  expect(status, body).toBe(400);
});
