import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import { RevocationList } from '@sluice/config-log';
import { ConfigState, type Entities, type Environment } from '@sluice/gateway-config';
import { silentLogger } from '@sluice/testkit';
import { Credentials } from '../src/credentials.ts';
import { KeySets } from '../src/key-sets.ts';
import type { Check, Verdict } from '../src/verdict.ts';
import type { Verifier } from '../src/verifier.ts';
import { PLUGINS_OF, verifyCredential } from '../src/verify-credential.ts';

export const stored = { created_at: null, updated_at: null, tags: null };
const scope = { route: null, service: null, consumer: null };

export const PLUGIN_ID = 'f2b0c5a4-3c6e-5d0c-9c57-1f6a52a8f7aa';

export const plugin = (config: Record<string, unknown> = {}, over: object = {}) => ({
  ...stored,
  ...scope,
  id: PLUGIN_ID,
  name: 'jwt',
  instance_name: null,
  config: { key_claim_name: 'iss', secret_is_base64: false, claims_to_verify: null, ...config },
  protocols: ['http', 'https'],
  enabled: true,
  ...over,
});

export const consumer = { ...stored, id: 'consumer-1', username: 'alice', custom_id: 'a-1' };

export const jwtSecret = (over: object = {}) => ({
  ...stored,
  id: 'secret-1',
  consumer: { id: 'consumer-1' },
  key: 'alice-key',
  secret: 'hush',
  algorithm: 'HS256',
  rsa_public_key: null,
  jwks_uri: null,
  ...over,
});

export const issuerEntity = (issuer: string, over: object = {}) => ({
  ...stored,
  id: 'logto',
  name: 'logto',
  issuer,
  jwks_uri: null,
  audiences: null,
  algorithms: ['ES384', 'RS256'],
  tenant_claim: 'tenant_id',
  user_claim: 'sub',
  platform_claim: 'platform_id',
  ...over,
});

export const entities = (parts: Entities): Entities => ({
  plugins: [plugin()],
  consumers: [consumer],
  jwt_secrets: [jwtSecret()],
  ...parts,
});

/** Whole Unix seconds, now and a while from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

export interface World extends AsyncDisposable {
  readonly verifier: Verifier;
  readonly revocations: RevocationList;
  /** Moves the monotonic clock of the key sets forward, in ms. */
  passMs(ms: number): void;
  /** Fetches of keys that ended, by result. */
  readonly refreshes: { fresh: number; failed: number };
  readonly load: (parts: Entities) => void;
  verify(token: string, pluginId?: string): Promise<Verdict>;
  /** The verdict on a credential of any scheme. */
  check(check: Pick<Check, 'scheme' | 'token' | 'hmac'>, pluginId?: string): Promise<Verdict>;
}

/** The verifying half of the process on a configuration of its own, without a bus. */
export const startWorld = async (
  parts: Entities,
  options: {
    environment?: Environment;
    clock?: () => number;
    verdictCacheMs?: number;
    waitMs?: number;
    maxAgeMs?: number;
  } = {},
): Promise<World> => {
  let passed = 0;
  const refreshes = { fresh: 0, failed: 0 };
  const logger = silentLogger();
  const credentials = new Credentials(options.environment ?? {}, logger);
  const keySets = new KeySets({
    timeoutMs: 2000,
    cooldownMs: 30_000,
    maxAgeMs: options.maxAgeMs ?? 600_000,
    waitMs: options.waitMs ?? 10_000,
    logger,
    now: () => performance.now() + passed,
    onRefresh: (isFresh) => {
      refreshes[isFresh ? 'fresh' : 'failed'] += 1;
    },
  });
  const load = (wanted: Entities) =>
    keySets.follow(credentials.load(ConfigState.fromEntities(entities(wanted))));
  load(parts);
  await keySets.settled();
  const revocations = new RevocationList();
  const verifier: Verifier = {
    credentials,
    keySets,
    revocations,
    verdictCacheMs: options.verdictCacheMs ?? 60_000,
    skewSeconds: 5,
    clock: options.clock ?? Date.now,
  };
  const check: World['check'] = async (asked, pluginId = PLUGIN_ID) => {
    const entity = credentials.plugin(pluginId, PLUGINS_OF[asked.scheme]);
    if (entity === undefined) throw new Error('the configuration has no such plugin');
    return verifyCredential(verifier, entity, { ...asked, pluginId, epoch: 'e1', version: 1 });
  };
  return {
    verifier,
    revocations,
    refreshes,
    load,
    passMs: (ms) => {
      passed += ms;
    },
    verify: (token, pluginId = PLUGIN_ID) => check({ scheme: 'jwt', token }, pluginId),
    check,
    [Symbol.asyncDispose]: async () => keySets.stop(),
  };
};

export const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** An HS256 token, made by hand so that header and claims may be anything. */
export const hs256 = (
  claims: unknown,
  secret: string | Buffer = 'hush',
  header: unknown = { alg: 'HS256' },
) => {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

/** A token of any algorithm, signed with node:crypto: an implementation other than the one under test. */
export const signed = (alg: string, key: KeyObject | string, claims: object, header: object = {}): string => {
  const input = `${base64url({ alg, ...header })}.${base64url(claims)}`;
  const hash = `sha${alg.slice(2)}`;
  if (typeof key === 'string') return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
  const options = {
    RS: { key },
    PS: { key, padding: 6, saltLength: Number(alg.slice(2)) / 8 },
    ES: { key, dsaEncoding: 'ieee-p1363' as const },
    Ed: { key },
  }[alg.slice(0, 2) as 'RS' | 'PS' | 'ES' | 'Ed'];
  const bytes = signBytes(alg === 'EdDSA' ? null : hash, Buffer.from(input), options);
  return `${input}.${bytes.toString('base64url')}`;
};

const CURVES: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** A key pair that fits the algorithm, and its public half as PEM. */
export const keyPairFor = (alg: string): { privateKey: KeyObject; publicPem: string } => {
  const { privateKey, publicKey } = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: CURVES[alg] ?? 'P-256' })
    : alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
};
