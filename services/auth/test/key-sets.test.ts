import { once } from 'node:events';
import { createServer } from 'node:http';
import { eventually, OidcIssuer } from '@sluice/testkit';
import { describe, expect, test } from 'vitest';
import { jwksUriIn } from '../src/fetch-keys.ts';
import { inSeconds, issuerEntity, keyPairFor, signed, startWorld, type World } from './fixtures.ts';

const worldOf = (url: string, over: object = {}, options: Parameters<typeof startWorld>[1] = {}) =>
  startWorld({ issuers: [issuerEntity(url, over)] }, options);
const jwksRequests = (issuer: OidcIssuer) => issuer.requests.get('/oidc/jwks') ?? 0;
const outcomeOf = async (world: World, token: string) => (await world.verify(token)).outcome;
const UNAVAILABLE = { code: 'issuer_unavailable' };

describe('rotation', () => {
  test('given an overlap, then old and new tokens pass', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer.url);
    const old = await issuer.token();
    await issuer.rotate({ keepOld: true });
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
    expect(await outcomeOf(world, old)).toBe('allow');
    expect(jwksRequests(issuer)).toBe(2);
  });

  test('given no overlap, then new tokens pass at once and old ones no longer', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer.url);
    const old = await issuer.token();
    expect(await outcomeOf(world, old)).toBe('allow');
    await issuer.rotate({ keepOld: false });
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
    expect(await world.verify(old)).toMatchObject({
      body: { message: 'Invalid signature' },
      reason: 'unknown_key',
    });
  });

  test('given tokens without kid, then a new key is found as well', async () => {
    await using issuer = await OidcIssuer.start('RS256');
    await using world = await worldOf(issuer.url);
    const withoutKid = async () => issuer.token({}, { kid: undefined as never });
    expect(await outcomeOf(world, await withoutKid())).toBe('allow');
    await issuer.rotate({ keepOld: true });
    expect(await outcomeOf(world, await withoutKid())).toBe('allow');
  });

  test('a new algorithm of the same issuer is taken when its entry lists it', async () => {
    await using issuer = await OidcIssuer.start('ES384');
    await using world = await worldOf(issuer.url);
    await issuer.rotate({ keepOld: true, alg: 'RS256' });
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
  });
});

describe('unknown kids', () => {
  test('given a flood of them, then the issuer is asked once in each cool-down', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer.url);
    const forged = await Promise.all(
      Array.from({ length: 50 }, (_, index) => issuer.token({}, { kid: `forged-${index}` })),
    );
    const flood = async () => {
      const verdicts = await Promise.all(forged.map((token) => world.verify(token)));
      expect(new Set(verdicts.map((verdict) => verdict.outcome))).toEqual(new Set(['deny']));
    };
    expect(jwksRequests(issuer)).toBe(1);
    await flood();
    await flood();
    expect(jwksRequests(issuer)).toBe(2);
    world.passMs(29_000);
    await flood();
    expect(jwksRequests(issuer)).toBe(2);
    world.passMs(1500);
    await flood();
    expect(jwksRequests(issuer)).toBe(3);
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
  });
});

describe('an issuer that is away', () => {
  test('given keys from before, then known tokens pass, unknown ones are denied and the age is told', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer.url);
    const token = await issuer.token();
    issuer.failWith = 503;
    world.passMs(700_000);
    expect(await outcomeOf(world, token)).toBe('allow');
    expect(await outcomeOf(world, await issuer.token({}, { kid: 'new' }))).toBe('deny');
    expect(world.refreshes).toEqual({ fresh: 1, failed: 1 });
    const [keys] = world.verifier.keySets.all;
    expect(keys?.problem).toMatch(/^keys are 70\d s old$/);
    issuer.failWith = undefined;
    await eventually(() => keys?.problem === undefined);
    expect(keys?.ageMs).toBeLessThan(600_000);
  });

  test('given no keys at all, then the check fails instead of denying, and heals by itself', async () => {
    await using issuer = await OidcIssuer.start();
    issuer.failWith = 500;
    await using world = await worldOf(issuer.url);
    const token = await issuer.token();
    await expect(world.verify(token)).rejects.toMatchObject(UNAVAILABLE);
    const asked = issuer.requests.get('/oidc/.well-known/openid-configuration') ?? 0;
    for (let again = 0; again < 20; again++)
      await expect(world.verify(token)).rejects.toMatchObject(UNAVAILABLE);
    // Tokens do not drive the attempts: there is one a second at most.
    expect(issuer.requests.get('/oidc/.well-known/openid-configuration')).toBeLessThanOrEqual(asked + 1);
    issuer.failWith = undefined;
    await eventually(async () => (await outcomeOf(world, token)) === 'allow');
  });

  test('given an issuer that accepts and never answers, then the check fails without waiting for it', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}`;
    await using world = await worldOf(url, {}, { waitMs: 20 });
    const token = signed('ES384', keyPairFor('ES384').privateKey, { iss: url, exp: inSeconds(60) });
    await expect(world.verify(token)).rejects.toMatchObject(UNAVAILABLE);
    expect(world.refreshes).toEqual({ fresh: 0, failed: 0 }); // the fetch itself is still under way
    silent.closeAllConnections();
    silent.close();
  });
});

describe('what an issuer publishes', () => {
  const publish = async (documents: (url: string) => Record<string, unknown>) => {
    const server = createServer((request, response) => {
      const document = documents(url)[request.url ?? ''];
      if (typeof document === 'string' && document.startsWith('http'))
        response.writeHead(302, { location: document }).end();
      else response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    return {
      url,
      [Symbol.dispose]: () => {
        server.close();
        server.closeAllConnections();
      },
    };
  };
  const discovery = '/.well-known/openid-configuration';
  const { privateKey } = keyPairFor('RS256');
  const tokenOf = (url: string) => signed('RS256', privateKey, { iss: url, exp: inSeconds(60) });

  test.each([
    ["another issuer's document", (url: string) => ({ issuer: `${url}/`, jwks_uri: `${url}/jwks` })],
    ['a document without jwks_uri', (url: string) => ({ issuer: url })],
    ['keys over another protocol', (url: string) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' })],
    ['a redirection', (url: string) => `${url}/elsewhere`],
    ['keys of 300 KB', (url: string) => ({ issuer: url, jwks_uri: `${url}/large` })],
    ['too many keys', (url: string) => ({ issuer: url, jwks_uri: `${url}/many` })],
    ['no list of keys', (url: string) => ({ issuer: url, jwks_uri: `${url}/none` })],
  ])('given %s, then it is not taken', async (_name, document) => {
    using server = await publish((url) => ({
      [discovery]: document(url),
      '/elsewhere': { issuer: url, jwks_uri: `${url}/jwks` },
      '/jwks': { keys: [] },
      '/large': { keys: [{ kty: 'RSA', n: 'A'.repeat(300_000) }] },
      '/many': { keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) },
      '/none': { keys: 'none' },
    }));
    await using world = await worldOf(server.url);
    await expect(world.verify(tokenOf(server.url))).rejects.toMatchObject(UNAVAILABLE);
    expect(world.refreshes.fresh).toBe(0);
  });

  test('given shared secrets and private keys among the keys, then they are left out', async () => {
    await using issuer = await OidcIssuer.start();
    const [key] = issuer.published;
    if (key === undefined) throw new Error('the issuer has no key');
    issuer.published = [
      { ...key, jwk: { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' } },
      { ...key, jwk: { ...key.jwk, d: 'AAAA', kid: 'private' } },
      key,
    ];
    await using world = await worldOf(issuer.url);
    expect(world.verifier.keySets.all[0]?.count).toBe(1);
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
  });

  test('given jwks_uri in the entry, then discovery is not asked', async () => {
    await using issuer = await OidcIssuer.start();
    await using world = await worldOf(issuer.url, { jwks_uri: `${issuer.url}/jwks` });
    expect(await outcomeOf(world, await issuer.token())).toBe('allow');
    expect([...issuer.requests.keys()]).toEqual(['/oidc/jwks']);
  });
});

test('keys are renewed in the background, at the address that discovery names by then', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer.url, {}, { maxAgeMs: 40 });
  const token = await issuer.token();
  await issuer.rotate({ keepOld: false });
  const { fresh } = world.refreshes; // one of them may be under way, with the old keys
  await eventually(() => world.refreshes.fresh > fresh + 2);
  expect(issuer.requests.get('/oidc/.well-known/openid-configuration')).toBeGreaterThan(2);
  expect(await outcomeOf(world, token)).toBe('deny');
});

test('given keys that moved, then they are found again', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer.url);
  const [keys] = world.verifier.keySets.all;
  issuer.failWith = 404;
  expect(await keys?.refresh()).toBe(false);
  issuer.failWith = undefined;
  expect(await keys?.refresh()).toBe(true);
  expect(issuer.requests.get('/oidc/.well-known/openid-configuration')).toBe(2);
});

test('a token without kid is tried with four keys at most', async () => {
  await using issuer = await OidcIssuer.start('RS256');
  await using world = await worldOf(issuer.url);
  for (let more = 0; more < 4; more++) await issuer.rotate({ keepOld: true });
  expect(await outcomeOf(world, await issuer.token())).toBe('allow');
  expect(await outcomeOf(world, await issuer.token({}, { kid: undefined as never }))).toBe('deny');
});

test('an https issuer may not send us to keys without TLS', () => {
  const issuer = 'https://auth.example.com/oidc';
  const at = (scheme: string) => ({ issuer, jwks_uri: `${scheme}://keys.example.com/jwks` });
  expect(jwksUriIn(issuer, at('https'))).toBe('https://keys.example.com/jwks');
  expect(() => jwksUriIn(issuer, at('http'))).toThrow('without TLS');
});

test('given an issuer removed from the configuration, then its tokens are denied and it is asked no more', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer.url);
  const token = await issuer.token();
  expect(await outcomeOf(world, token)).toBe('allow');
  world.load({ issuers: [] });
  expect(world.verifier.keySets.all).toEqual([]);
  expect(await world.verify(token)).toMatchObject({
    body: { message: "No credentials found for given 'iss'" },
  });
});

test('given a change that leaves the issuer alone, then its keys are kept', async () => {
  await using issuer = await OidcIssuer.start();
  await using world = await worldOf(issuer.url);
  world.load({ issuers: [issuerEntity(issuer.url, { audiences: ['https://api.dcoder.test'] })] });
  expect(await outcomeOf(world, await issuer.token())).toBe('allow');
  expect(jwksRequests(issuer)).toBe(1);
});
