import type { ConfigOp } from '@sluice/contracts';
import { ConfigState, type Entities } from '@sluice/gateway-config';
import { createLogger } from '@sluice/service-kit';
import { expect, test } from 'vitest';
import { Credentials } from '../src/credentials.ts';
import { issuerEntity, jwtSecret, PLUGIN_ID, plugin } from './fixtures.ts';

const collectingLogger = () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: createLogger({ service: 'auth', instance: 'test', level: 'trace' }, { write }) };
};

const follow = (credentials: Credentials, state: ConfigState, ops: ConfigOp[]) => {
  state.apply(ops);
  return credentials.follow(ops, state);
};

const started = (entities: Entities, environment = {}) => {
  const { lines, logger } = collectingLogger();
  const credentials = new Credentials(environment, logger);
  const state = ConfigState.fromEntities(entities);
  credentials.load(state);
  return { credentials, state, lines };
};

test('given a secret whose key changes, then only the new key finds it', () => {
  const { credentials, state } = started({ jwt_secrets: [jwtSecret()] });
  follow(credentials, state, [
    { op: 'put', kind: 'jwt_secrets', id: 'secret-1', entity: jwtSecret({ key: 'k2' }) },
  ]);
  expect(credentials.secretOf('alice-key')).toBeUndefined();
  expect(credentials.secretOf('k2')?.id).toBe('secret-1');
});

test('given a secret that is deleted while another takes over its key, then the key finds the other', () => {
  const { credentials, state } = started({ jwt_secrets: [jwtSecret()] });
  follow(credentials, state, [
    { op: 'put', kind: 'jwt_secrets', id: 's2', entity: jwtSecret({ id: 's2' }) },
    { op: 'delete', kind: 'jwt_secrets', id: 'secret-1' },
  ]);
  expect(credentials.secretOf('alice-key')?.id).toBe('s2');
  follow(credentials, state, [{ op: 'delete', kind: 'jwt_secrets', id: 's2' }]);
  expect(credentials.secretOf('alice-key')).toBeUndefined();
});

test('key sources follow the commits, and stay the same list when a commit touches none', () => {
  const { credentials, state } = started({ jwt_secrets: [jwtSecret()] });
  const none = follow(credentials, state, []);
  expect(none).toEqual([]);
  expect(
    follow(credentials, state, [
      {
        op: 'put',
        kind: 'jwt_secrets',
        id: 'a',
        entity: jwtSecret({ id: 'a', key: 'a', jwks_uri: 'http://a/jwks' }),
      },
      {
        op: 'put',
        kind: 'jwt_secrets',
        id: 'b',
        entity: jwtSecret({ id: 'b', key: 'b', jwks_uri: 'http://b/jwks' }),
      },
      { op: 'put', kind: 'issuers', id: 'logto', entity: issuerEntity('http://c') },
    ]),
  ).toEqual([
    { issuer: 'http://c', jwksUri: null },
    { issuer: null, jwksUri: 'http://a/jwks' },
    { issuer: null, jwksUri: 'http://b/jwks' },
  ]);
  const left = follow(credentials, state, [
    { op: 'delete', kind: 'jwt_secrets', id: 'a' },
    { op: 'delete', kind: 'jwt_secrets', id: 'b' },
  ]);
  expect(left).toEqual([{ issuer: 'http://c', jwksUri: null }]);
  expect(follow(credentials, state, [{ op: 'delete', kind: 'consumers', id: 'x' }])).toBe(left);
});

test('a vault reference is resolved from the environment, by the name that Kong would read', () => {
  const { credentials } = started(
    { issuers: [issuerEntity('{vault://env/logto-issuer}', { jwks_uri: '{vault://env/LOGTO_KEYS}' })] },
    { LOGTO_ISSUER: 'http://logto.test/oidc', LOGTO_KEYS: 'http://logto.test/keys' },
  );
  expect(credentials.issuerOf('http://logto.test/oidc')?.keySource).toEqual({
    issuer: 'http://logto.test/oidc',
    jwksUri: 'http://logto.test/keys',
  });
});

test.each(['{vault://env/logto-issuer}', '{vault://hcv/logto}', '{vault://env/../x}'])(
  'given the reference %s that nothing resolves, then the issuer is unusable and one warning says so',
  (reference) => {
    const entities = { issuers: [issuerEntity(reference)] };
    const { credentials, state, lines } = started(entities, { LOGTO_ISSUER: '' });
    credentials.load(state);
    credentials.follow([{ op: 'put', kind: 'issuers', id: 'logto', entity: issuerEntity(reference) }], state);
    expect(credentials.issuers).toEqual([]);
    expect(credentials.issuerOf(reference)).toBeUndefined();
    expect(credentials.unusableIssuers).toEqual(['logto']);
    expect(lines.map((line) => line.level)).toEqual(['warn']);
  },
);

test('only an enabled plugin of the right name can be asked for', () => {
  const { credentials } = started({
    plugins: [plugin(), plugin({}, { id: 'off', enabled: false }), plugin({}, { id: 'cors', name: 'cors' })],
  });
  expect(credentials.plugin(PLUGIN_ID, ['jwt'])?.id).toBe(PLUGIN_ID);
  expect(credentials.plugin('off', ['jwt'])).toBeUndefined();
  expect(credentials.plugin('cors', ['jwt'])).toBeUndefined();
  expect(credentials.plugin('nope', ['jwt'])).toBeUndefined();
});
