import { readFileSync } from 'node:fs';
import { sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';
import { IdentityKeys } from './identity-keys.ts';
import type { IdentitySigner } from './sign-identity.ts';

/**
 * Longest wait of one check for an issuer. With a longer one the edge, which gives its second attempt 150 ms, would
 * count us as hanging and open its breaker: an unknown kid from anyone would then cost everyone.
 */
const ISSUER_WAIT_MS = 120;

const positive = z.coerce.number().int().min(1);

/** Settings of the auth process. */
export const Settings = z.object({
  ...sharedSettings,
  STATUS_PORT: sharedSettings.STATUS_PORT.default(8101).describe(
    'Port of /livez, /readyz and /metrics; 0 takes a free one.',
  ),
  JWKS_TIMEOUT_MS: positive
    .default(5000)
    .describe('Longest wait for discovery and JWKS of an issuer, in ms.'),
  JWKS_COOLDOWN_SECONDS: positive
    .default(30)
    .describe('Tokens with an unknown kid make auth ask the issuer at most once in this time, in seconds.'),
  JWKS_MAX_AGE_SECONDS: positive
    .default(600)
    .describe(
      'Keys older than this are stale, in seconds; they are renewed at half of it and used until then.',
    ),
  API_KEY_PEPPER: z
    .string()
    .min(32, 'at least 32 characters: openssl rand -base64 32')
    .optional()
    .describe(
      'Secret that tenants’ API keys are hashed with, the same in auth and config-registry; unset: there are no such keys. Another one voids every key.',
    ),
  IDENTITY_KEYS_FILE: z
    .string()
    .optional()
    .describe(
      'PEM file of private keys (EC, P-256) for X-Gateway-Identity, the same for every instance: the first signs, all are published at /.well-known/jwks.json; unset: nothing can be signed.',
    ),
  IDENTITY_ISSUER: z.string().min(1).max(256).default('sluice').describe('The iss of X-Gateway-Identity.'),
  VERDICT_CACHE_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(60)
    .describe('Longest time an edge may reuse a verdict, in seconds.'),
  REVOCATIONS_MAX_AGE_SECONDS: positive
    .default(60)
    .describe(
      'Tokens are verified for so long while JetStream cannot say whether the list of revoked ones is complete, in seconds; then checks fail.',
    ),
  OIDC_CLOCK_SKEW_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(300)
    .default(5)
    .describe('Leeway for exp and nbf in tokens of issuers, in seconds; jwt_secrets have none, as in Kong.'),
});
export type Settings = z.output<typeof Settings>;

/** @throws Error that names the setting, when its file cannot be read or holds a key that cannot be used. */
export const identitySigner = ({
  IDENTITY_KEYS_FILE,
  IDENTITY_ISSUER,
}: Settings): IdentitySigner | undefined => {
  if (IDENTITY_KEYS_FILE === undefined) return undefined;
  try {
    return { keys: IdentityKeys.of(readFileSync(IDENTITY_KEYS_FILE, 'utf8')), issuer: IDENTITY_ISSUER };
  } catch (error) {
    throw new Error(`IDENTITY_KEYS_FILE: ${(error as Error).message}`, { cause: error });
  }
};

export const statusAddress = ({ STATUS_HOST, STATUS_PORT }: Settings) => ({
  host: STATUS_HOST,
  port: STATUS_PORT,
});

/** The settings in the units of the code. */
export const keySetOptions = (settings: Settings) => ({
  timeoutMs: settings.JWKS_TIMEOUT_MS,
  cooldownMs: settings.JWKS_COOLDOWN_SECONDS * 1000,
  maxAgeMs: settings.JWKS_MAX_AGE_SECONDS * 1000,
  waitMs: ISSUER_WAIT_MS,
  now: () => performance.now(),
});

/** The settings in the units of the code. */
export const verifierLimits = (settings: Settings) => ({
  verdictCacheMs: settings.VERDICT_CACHE_SECONDS * 1000,
  skewSeconds: settings.OIDC_CLOCK_SKEW_SECONDS,
});
