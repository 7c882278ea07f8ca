import type { ChildProcess } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OidcIssuer } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAuth } from './auth-process.ts';
import {
  call,
  type Echo,
  EdgeWorld,
  type Entities,
  idOf,
  plugin,
  route,
  service,
  stored,
  Upstream,
} from './edge-world.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const configuration = (upstream: Upstream, issuer: OidcIssuer): Entities => {
  const to = service('echo', upstream.url);
  const on = (name: string) => ({ route: { id: idOf(name) } });
  const named = (id: string, entity: object) => ({ ...entity, id: idOf(id) });
  return {
    services: [to],
    routes: ['billing', 'mail', 'unsigned', 'anyone'].map((name) => route(name, to, { paths: [`/${name}`] })),
    consumers: [{ ...stored, id: idOf('guest'), username: 'guest', custom_id: null }],
    issuers: [
      {
        ...{ ...stored, id: idOf('issuer'), name: 'issuer', issuer: issuer.url, jwks_uri: null },
        ...{ audiences: null, algorithms: ['ES384'], tenant_claim: 'tenant_id' },
        ...{ user_claim: 'sub', platform_claim: 'platform_id' },
      },
    ],
    plugins: [
      named('jwt', plugin('jwt', { claims_to_verify: ['exp'] })),
      named('jwt-anyone', plugin('jwt', { anonymous: 'guest' }, on('anyone'))),
      ...['billing', 'mail', 'anyone'].map((name) =>
        named(`binding-${name}`, plugin('tenant-binding', { identity_audience: name }, on(name))),
      ),
    ],
  } as unknown as Entities;
};

let issuer: OidcIssuer;
let upstream: Upstream;
let world: EdgeWorld;
let auth: ChildProcess;
beforeAll(async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-identity-'));
  const file = join(folder.path, 'keys.pem');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  issuer = await OidcIssuer.start();
  upstream = await Upstream.start();
  world = await EdgeWorld.start(configuration(upstream, issuer));
  auth = await startAuth(world.nats.url, {
    IDENTITY_KEYS_FILE: file,
    IDENTITY_ISSUER: 'https://gateway.test',
  });
});
afterAll(async () => {
  auth.kill('SIGKILL');
  await world[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const identityAt = async (path: string, headers: Record<string, string>): Promise<string | undefined> => {
  const answer = await call(world.port, path, { headers });
  expect(answer.status, answer.text).toBe(200);
  return answer.json<Echo>().headers['x-gateway-identity'] as string | undefined;
};
/** As an upstream would, with the key alone. */
const claimsIn = (identity = ''): Record<string, unknown> => {
  const [header = '', claims = '', signature = ''] = identity.split('.');
  const key = {
    key: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
    dsaEncoding: 'ieee-p1363',
  } as const;
  expect(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(
    true,
  );
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
};

test('given an audience on a route, then its upstream gets the verified identity, signed, and never the client’s own', async () => {
  const authorization = `Bearer ${await issuer.token({ platform_id: 'platform-1' })}`;
  const sent = { authorization, 'x-gateway-identity': 'e30.e30.e30' };
  const identity = await identityAt('/billing', sent);
  expect(claimsIn(identity)).toMatchObject({
    ...{ iss: 'https://gateway.test', aud: 'billing', sub: 'user-456', user_id: 'user-456' },
    ...{ tenant_id: 'tenant-123', platform_id: 'platform-1', credential: issuer.url },
  });
  // Signed once for each verdict, not for each request; another audience is another verdict.
  expect(await identityAt('/billing', sent)).toBe(identity);
  expect(claimsIn(await identityAt('/mail', sent))).toMatchObject({ aud: 'mail', tenant_id: 'tenant-123' });
  expect(await identityAt('/unsigned', sent)).toBeUndefined();
});

test('given a caller whom nobody verified, then nothing is signed and nothing passes as signed', async () => {
  expect(await identityAt('/anyone', { 'x-gateway-identity': 'e30.e30.e30' })).toBeUndefined();
});

test('given an auth process without keys, then a request that must carry one is refused, and others pass', async () => {
  auth.kill('SIGKILL');
  auth = await startAuth(world.nats.url);
  const authorization = `Bearer ${await issuer.token({ sub: 'somebody-else' })}`;
  expect((await call(world.port, '/billing', { headers: { authorization } })).status).toBe(503);
  expect(await identityAt('/unsigned', { authorization })).toBeUndefined();
});
