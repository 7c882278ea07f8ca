import { resolveReferences } from '@sluice/routing';
import { silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { referenceResolver } from '../../src/snapshot/resolve-references.ts';

const resolve = referenceResolver({ LOG_URL: 'http://logs:9', MY_TOKEN: 't0p' }, silentLogger());

test('given references anywhere in a configuration, then they are what the environment says, and the original stays', () => {
  const config = {
    http_endpoint: '{vault://env/log-url}',
    headers: { Authorization: '{vault://env/my-token}', Accept: 'a' },
    list: ['{vault://env/MY_TOKEN}', 7, null],
  };
  expect(resolveReferences(config, resolve)).toEqual({
    http_endpoint: 'http://logs:9',
    headers: { Authorization: 't0p', Accept: 'a' },
    list: ['t0p', 7, null],
  });
  expect(config.headers.Authorization).toBe('{vault://env/my-token}');
});

test('given nothing to resolve, then the configuration is the same object', () => {
  const config = { a: 'x', b: { c: ['{vault'] } };
  expect(resolveReferences(config, resolve)).toBe(config);
});

test.each(['{vault://env/not-there}', '{vault://aws/log-url}'])(
  'given %s, which nobody can resolve, then it is empty',
  (reference) => {
    expect(resolveReferences({ a: reference }, resolve)).toEqual({ a: '' });
  },
);
