import { expect, test } from 'vitest';
import { isSecretName, withoutSecretText } from '../src/index.ts';

test.each([
  ['redis://:c4n4ry@host:6379/1', 'redis://[redacted]@host:6379/1'],
  ['connect to nats://user:c4n4ry@host failed', 'connect to nats://[redacted]@host failed'],
  ['Authorization: Bearer c4n4ry-c4n4ry', 'Authorization:[redacted]'],
  ['x-api-key:c4n4ry', 'x-api-key:[redacted]'],
  ['sent Bearer c4n4ryc4n4ry along', 'sent Bearer [redacted] along'],
  ['with Basic dXNlcjpjNG40cnk= in it', 'with Basic [redacted] in it'],
  ['GET /a?jwt=c4n4ry&page=1', 'GET /a?jwt=[redacted]&page=1'],
  ['got eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.c4n4ry here', 'got [redacted] here'],
])('%j is written as %j', (text, shown) => {
  expect(withoutSecretText(text)).toBe(shown);
});

test.each([
  'GET /v1/workflows?page=1',
  'https://example.test/a@b',
  'somebody@example.test',
  'basic authentication is off',
  'error: the token has expired',
  'x-tenant-id: acme',
  '',
])('%j is left as it is', (text) => {
  expect(withoutSecretText(text)).toBe(text);
});

test('names that say secret, and names that do not', () => {
  for (const name of [
    'client_secret',
    'X-Api-Key',
    'redisPassword',
    'Set-Cookie',
    'rsa_private_key',
    'tokens',
  ])
    expect(isSecretName(name), name).toBe(true);
  for (const name of ['tokenizer', 'key_names', 'secretary', 'cookie_name', 'route'])
    expect(isSecretName(name), name).toBe(false);
});

test('given a megabyte of what looks like the beginning of a secret, then it is read in no time', () => {
  for (const piece of ['://', 'eyJ', 'Bearer ', 'a=', ';jwt=', 'http://a'])
    expect(withoutSecretText(piece.repeat(100_000)).length).toBeGreaterThan(0);
});
