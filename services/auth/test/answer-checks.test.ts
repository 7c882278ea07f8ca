import { authVerify } from '@sluice/contracts';
import type { Entities } from '@sluice/gateway-config';
import { Bus, createLogger } from '@sluice/service-kit';
import { OidcIssuer, type ServerProcess, silentLogger, startNats, verifyContract } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerChecks, type RevocationStanding, type Standing } from '../src/answer-checks.ts';
import { createAuthMetrics } from '../src/metrics.ts';
import {
  hs256,
  inSeconds,
  issuerEntity,
  jwtSecret,
  PLUGIN_ID,
  plugin,
  startWorld,
  stored,
} from './fixtures.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats[Symbol.asyncDispose]());

const AT = { epoch: 'e1', version: 5 };
const standingAt = (position = AT): Standing => ({
  position,
  refusal: undefined,
  waitFor: () => Promise.resolve(false),
});

const isKnown: RevocationStanding = { isRead: true, confirmedMsAgo: 0, waitUntilRead: async () => true };

/** A responder and an asker on the real bus. */
const startResponder = async (
  parts: Entities,
  options: { standing?: Standing; revocations?: RevocationStanding; clock?: () => number } = {},
) => {
  const world = await startWorld(parts, { clock: options.clock ?? Date.now });
  const lines: string[] = [];
  const logger = createLogger(
    { service: 'auth', instance: 'test', level: 'trace' },
    { write: (line) => void lines.push(line) },
  );
  const responder = Bus.open({ url: nats.url, name: 'responder', logger });
  const asker = Bus.open({ url: nats.url, name: 'asker', logger: silentLogger() });
  const metrics = createAuthMetrics('1.0.0', () => world.verifier.keySets.all);
  answerChecks({
    bus: responder,
    verifier: world.verifier,
    standing: options.standing ?? standingAt(),
    revocations: options.revocations ?? isKnown,
    revocationsMaxAgeMs: 60_000,
    metrics,
    logger,
  });
  await (await responder.connection).flush();
  await asker.connection;
  const ask = async (...tokens: (string | object)[]) => {
    const checks = tokens.map((token, id) => ({
      id,
      pluginId: PLUGIN_ID,
      ...AT,
      scheme: 'jwt' as const,
      ...(typeof token === 'string' ? { token } : { token: hs256({ iss: 'alice-key' }), ...token }),
    }));
    return (await asker.ask(authVerify, { v: 1, checks })).results;
  };
  return {
    ask,
    world,
    lines,
    metrics: () => metrics.registry.metrics(),
    async [Symbol.asyncDispose]() {
      await asker.close();
      await responder.close();
      await world[Symbol.asyncDispose]();
    },
  };
};

const consumer = { id: 'consumer-1' };
const NO_KEY_CLAIM = {
  outcome: 'deny',
  cacheMs: 1000,
  body: { message: "No mandatory 'iss' in claims" },
  reason: 'no_key_claim',
};
/** The examples' tokens are made up, so the verdict on each is a denial, and nothing is signed; of the others it is the example's own. */
const REPLIES: Record<string, object> = {
  ...Object.fromEntries(authVerify.examples.map(({ name, reply }) => [name, reply.results[0] ?? {}])),
  'a token of an OIDC issuer': NO_KEY_CLAIM,
  'an expired token of a consumer': NO_KEY_CLAIM,
  'an identity that upstreams can check': NO_KEY_CLAIM,
};

test('auth answers every example of its contract', async () => {
  await using world = await startWorld({
    plugins: [
      plugin(),
      plugin({}, { id: '0b6a1f6e-7c7e-5b5e-8d0c-2c7d6b0e4a11', name: 'key-auth' }),
      plugin({}, { id: '5f1c3e2a-9b1d-5a55-9a3e-6c1f0d2b7e22', name: 'basic-auth' }),
      plugin({}, { id: '8e4d2c1b-3a5f-5c66-8b2a-1d0e9f8c7b33', name: 'hmac-auth' }),
    ],
    consumers: [{ ...stored, ...consumer, username: 'alice', custom_id: null }],
    keyauth_credentials: [{ ...stored, id: 'key-1', consumer, key: 'Zm9yLWFuLWV4YW1wbGU', ttl: null }],
    hmacauth_credentials: [{ ...stored, id: 'hmac-1', consumer, username: 'alice', secret: 'hush' }],
    acls: [
      { ...stored, id: 'acl-1', consumer, group: 'gold' },
      { ...stored, id: 'acl-2', consumer, group: 'beta' },
    ],
  });
  let answered = 0;
  await verifyContract(authVerify, {
    natsUrl: nats.url,
    serve: (bus) =>
      answerChecks({
        bus,
        verifier: world.verifier,
        standing: standingAt({ epoch: '9f8e7d6c', version: 12 }),
        revocations: isKnown,
        revocationsMaxAgeMs: 60_000,
        metrics: createAuthMetrics('1.0.0', () => []),
        logger: silentLogger(),
      }),
    match: (reply, example) => {
      answered += 1;
      expect(reply, example.name).toEqual({ v: 1, results: [{ id: 1, ...REPLIES[example.name] }] });
    },
  });
  expect(answered).toBe(authVerify.examples.length);
});

test('given a batch, then each check is answered on its own', async () => {
  await using responder = await startResponder({});
  const results = await responder.ask(
    hs256({ iss: 'alice-key' }),
    'gibberish',
    { pluginId: 'unknown' },
    hs256({ iss: 'alice-key', sub: 'u-2' }),
  );
  expect(results).toMatchObject([
    { id: 0, outcome: 'allow', consumer: { username: 'alice' } },
    { id: 1, outcome: 'deny', body: { message: 'Bad token; invalid JSON' } },
    { id: 2, outcome: 'error', code: 'unknown_plugin' },
    { id: 3, outcome: 'allow', claims: { sub: 'u-2' } },
  ]);
});

test('given a plugin that is switched off, then nothing is decided', async () => {
  await using responder = await startResponder({ plugins: [plugin({}, { enabled: false })] });
  expect(await responder.ask({})).toMatchObject([{ outcome: 'error', code: 'unknown_plugin' }]);
});

test('given an issuer that was never reached, then the check fails and is not a denial', async () => {
  await using issuer = await OidcIssuer.start();
  issuer.failWith = 503;
  await using responder = await startResponder({ issuers: [issuerEntity(issuer.url)] });
  const [result] = await responder.ask(await issuer.token());
  expect(result).toMatchObject({ outcome: 'error', code: 'issuer_unavailable' });
});

test('given an asker that is ahead, then auth catches up before it decides', async () => {
  const position = { ...AT, version: 4 };
  const waits: number[] = [];
  const standing: Standing = {
    position,
    refusal: undefined,
    waitFor: async (version) => {
      waits.push(version);
      responder.world.load({ jwt_secrets: [] });
      position.version = version;
      return true;
    },
  };
  await using responder = await startResponder({}, { standing });
  // The secret was removed in version 5: version 4 would still let it in.
  expect(await responder.ask({})).toMatchObject([
    { outcome: 'deny', body: { message: "No credentials found for given 'iss'" } },
  ]);
  expect(waits).toEqual([5]);
});

test.each([
  ['does not catch up', standingAt({ epoch: 'e1', version: 4 })],
  ['follows another log', standingAt({ epoch: 'e2', version: 9 })],
  ['could not take over a commit', { ...standingAt(), refusal: 'broken' }],
])('given an auth that %s, then it says so instead of deciding', async (_name, standing) => {
  await using responder = await startResponder({}, { standing });
  expect(await responder.ask({})).toMatchObject([{ outcome: 'error', code: 'behind' }]);
});

test.each([
  ['was not read', { ...isKnown, isRead: false, waitUntilRead: () => Promise.resolve(false) }, 'unread'],
  ['was confirmed too long ago', { ...isKnown, confirmedMsAgo: 60_001 }, 'stale'],
])('given a list of revoked tokens that %s, then no token is decided on', async (_name, revocations, why) => {
  const keys = plugin({}, { id: 'keys', name: 'key-auth' });
  await using responder = await startResponder({ plugins: [plugin(), keys] }, { revocations });
  const apiKey = { scheme: 'key', pluginId: 'keys', token: 'no key is on that list' };
  expect(await responder.ask({}, apiKey)).toMatchObject([
    { outcome: 'error', code: `revocations_${why}` },
    { outcome: 'deny', reason: 'no_credentials' },
  ]);
});

test('given a list of revoked tokens that is being read, then the verdict waits for it', async () => {
  const waits: number[] = [];
  const revocations: RevocationStanding = {
    ...isKnown,
    isRead: false,
    waitUntilRead: (timeoutMs) => Promise.resolve(waits.push(timeoutMs) > 0),
  };
  await using responder = await startResponder({}, { revocations });
  expect(await responder.ask({})).toMatchObject([{ outcome: 'allow' }]);
  expect(waits.length).toBe(1);
});

test('given an asker that is behind, then the newer configuration decides', async () => {
  await using responder = await startResponder({});
  expect(await responder.ask({ version: 1 })).toMatchObject([{ outcome: 'allow' }]);
});

test('given the same token many times at once, then it is verified once', async () => {
  let looks = 0;
  const clock = () => {
    looks += 1;
    return Date.now();
  };
  await using responder = await startResponder({}, { clock });
  const token = hs256({ iss: 'alice-key', exp: inSeconds(60) });
  await responder.ask(token);
  const looksForOne = looks;
  const results = await responder.ask(...Array.from({ length: 40 }, () => token));
  expect(results.map((result) => result.outcome)).toEqual(Array.from({ length: 40 }, () => 'allow'));
  expect(looks).toBe(2 * looksForOne);
  await responder.ask(token, hs256({ iss: 'alice-key', exp: inSeconds(61) }));
  expect(looks).toBe(4 * looksForOne);
});

test('verdicts, failures, times and the age of keys are counted', async () => {
  await using issuer = await OidcIssuer.start();
  await using responder = await startResponder({ issuers: [issuerEntity(issuer.url)] });
  await responder.ask(await issuer.token(), hs256({ iss: 'alice-key' }), 'gibberish', {
    pluginId: 'unknown',
  });
  const metrics = await responder.metrics();
  for (const line of [
    'sluice_auth_verifications_total{outcome="allow",reason="ok"} 2',
    'sluice_auth_verifications_total{outcome="deny",reason="bad_token"} 1',
    'sluice_auth_verifications_total{outcome="error",reason="unknown_plugin"} 1',
    'sluice_auth_verify_seconds_count 4',
    `sluice_auth_jwks_age_seconds{issuer="${issuer.url}"}`,
  ])
    expect(metrics).toContain(line);
});

test('neither a token nor a secret reaches the log, whatever happens', async () => {
  const canary = 'canary-7f3a';
  await using issuer = await OidcIssuer.start();
  issuer.failWith = 500;
  await using responder = await startResponder({
    issuers: [issuerEntity(issuer.url)],
    jwt_secrets: [
      jwtSecret({ secret: canary }),
      jwtSecret({ id: 's2', key: 'rsa', algorithm: 'RS256', rsa_public_key: canary, secret: canary }),
    ],
    keyauth_credentials: [{ ...stored, id: 'k', consumer, key: canary, ttl: null }],
    hmacauth_credentials: [{ ...stored, id: 'h', consumer, username: 'alice', secret: canary }],
    plugins: [
      plugin(),
      plugin({ claims_to_verify: canary }, { id: 'broken' }),
      plugin({}, { id: 'keys', name: 'key-auth' }),
      plugin({}, { id: 'signatures', name: 'hmac-auth' }),
    ],
  });
  const tokens = [
    hs256({ iss: 'alice-key' }, canary),
    `${canary}.${canary}.${canary}`,
    hs256({ iss: 'rsa' }, 'x', { alg: 'RS256' }),
    await issuer.token(),
  ];
  const results = await responder.ask(
    ...tokens,
    ...tokens.map((token) => ({ token, pluginId: 'broken' })),
    { scheme: 'key', pluginId: 'keys', token: canary },
    { scheme: 'key', pluginId: 'keys', token: `not ${canary}` },
    { scheme: 'key', pluginId: 'unknown', token: canary },
    {
      scheme: 'hmac',
      pluginId: 'signatures',
      token: 'eA==',
      hmac: { username: 'alice', algorithm: 'hmac-sha1', signingString: canary },
    },
  );
  expect(new Set(results.map((result) => result.outcome))).toEqual(new Set(['allow', 'deny', 'error']));
  expect(responder.lines.length).toBeGreaterThan(0);
  const said = [...responder.lines, JSON.stringify(results), await responder.metrics()].join('\n');
  for (const secret of [canary, ...tokens.map((token) => token.split('.')[2] ?? '')])
    expect(said).not.toContain(secret);
});
