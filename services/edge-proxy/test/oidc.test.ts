import type { ChildProcess } from 'node:child_process';
import { OidcIssuer } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAuth } from './auth-process.ts';
import {
  call,
  EdgeWorld,
  type Entities,
  idOf,
  plugin,
  route,
  service,
  stored,
  Upstream,
} from './edge-world.ts';

let upstream: Upstream;
let issuers: Record<'steady' | 'rolling' | 'away', OidcIssuer>;
let world: EdgeWorld;
let auth: ChildProcess;

const entry = (name: string, { url }: OidcIssuer) => ({
  ...{ ...stored, id: idOf(name), name, issuer: url, jwks_uri: null, audiences: null, algorithms: ['ES384'] },
  ...{ tenant_claim: 'tenant_id', user_claim: 'sub', platform_claim: 'platform_id' },
});

beforeAll(async () => {
  upstream = await Upstream.start();
  const [steady, rolling, away] = await Promise.all([
    OidcIssuer.start(),
    OidcIssuer.start(),
    OidcIssuer.start(),
  ]);
  issuers = { steady, rolling, away };
  const to = service('echo', upstream.url);
  const configuration = {
    services: [to],
    routes: [route('any', to, { paths: ['/any'] }), route('one', to, { paths: ['/one'] })],
    issuers: Object.entries(issuers).map(([name, issuer]) => entry(name, issuer)),
    plugins: [
      { ...plugin('oidc', {}, { route: { id: idOf('any') } }), id: idOf('oidc-any') },
      { ...plugin('oidc', { issuers: ['steady'] }, { route: { id: idOf('one') } }), id: idOf('oidc-one') },
    ],
  };
  world = await EdgeWorld.start(configuration as unknown as Entities);
  auth = await startAuth(world.nats.url);
});
afterAll(async () => {
  auth.kill('SIGKILL');
  await world[Symbol.asyncDispose]();
  for (const one of [upstream, ...Object.values(issuers)]) await one[Symbol.asyncDispose]();
});

const statusOf = async (token: string, path = '/any') =>
  (await call(world.port, path, { headers: { authorization: `Bearer ${token}` } })).status;
const fetchesOf = (issuer: OidcIssuer) => issuer.requests.get('/oidc/jwks') ?? 0;

test('given several issuers, then each one’s tokens pass, and where a route names one, only its own', async () => {
  for (const issuer of Object.values(issuers)) expect(await statusOf(await issuer.token())).toBe(200);
  expect(await statusOf(await issuers.steady.token(), '/one')).toBe(200);
  expect(await statusOf(await issuers.away.token(), '/one')).toBe(401);
});

test('given 60 tokens with unknown kids at once, then the issuer is asked once, and good tokens pass meanwhile', async () => {
  const { steady } = issuers;
  const before = fetchesOf(steady);
  const forged = await Promise.all(
    Array.from({ length: 60 }, (_, i) => steady.token({ jti: `${i}` }, { kid: `unknown-${i}` })),
  );
  const [good, ...bad] = await Promise.all([await steady.token(), ...forged].map((token) => statusOf(token)));
  expect(good).toBe(200);
  expect(new Set(bad)).toEqual(new Set([401]));
  for (const token of forged.slice(0, 5)) expect(await statusOf(`${token}x`)).toBe(401);
  expect(fetchesOf(steady) - before).toBe(1);
});

test('given keys that rotate without overlap, then new tokens pass at once and old ones stop', async () => {
  const { rolling } = issuers;
  const old = await rolling.token({ jti: 'not-seen-before' });
  await rolling.rotate({ keepOld: false });
  expect(await statusOf(await rolling.token())).toBe(200);
  expect(await statusOf(old)).toBe(401);
});

test('given an issuer that is away, then its tokens pass by the keys at hand, and the others’ are not touched', async () => {
  const { away, steady } = issuers;
  away.failWith = 503;
  expect(await statusOf(await away.token({ jti: 'new' }))).toBe(200);
  expect(await statusOf(await away.token({}, { kid: 'unknown' }))).toBe(401);
  expect(await statusOf(await steady.token({ jti: 'new' }))).toBe(200);
});
