import type { z } from 'zod';
import {
  checked,
  choice,
  decimal,
  type Finding,
  filled,
  flag,
  headerText,
  needs,
  record,
  setOf,
  text,
  unset,
} from './fields.ts';

const MAX_EXPIRATION_SECONDS = 31_536_000;

const Config = record({
  uri_param_names: setOf(text()).default(['jwt']).describe('Query arguments that may hold the token.'),
  cookie_names: setOf(text()).default([]).describe('Cookies that may hold the token.'),
  header_names: setOf(text()).default(['authorization']).describe('Headers with `Bearer <token>`.'),
  key_claim_name: text().default('iss').describe('Claim, or token header, that names the credential.'),
  secret_is_base64: flag().default(false).describe('Secrets of HS* credentials are base64url.'),
  claims_to_verify: unset(setOf(choice(['exp', 'nbf']))).describe('Time claims that must be there and hold.'),
  anonymous: unset(filled()).describe('Consumer (id or username) for requests without a valid token.'),
  run_on_preflight: flag().default(true).describe('OPTIONS requests need a token as well.'),
  maximum_expiration: decimal()
    .min(0, `value should be between 0 and ${MAX_EXPIRATION_SECONDS}`)
    .max(MAX_EXPIRATION_SECONDS, `value should be between 0 and ${MAX_EXPIRATION_SECONDS}`)
    .default(0)
    .describe('Longest time from now to `exp`, in seconds; 0: any.'),
  realm: unset(headerText()).describe('Realm of the WWW-Authenticate header.'),
});
/** The plugin's settings; the auth process reads them as well. */
export type JwtConfig = z.output<typeof Config>;

const findings = function* ({ maximum_expiration, claims_to_verify }: JwtConfig): Generator<Finding> {
  if (maximum_expiration > 0 && claims_to_verify !== null && !claims_to_verify.includes('exp'))
    yield* needs('maximum_expiration', ['claims_to_verify'], 'expected to contain: exp');
};

/** The plugin's configuration, checked as Kong does. */
export const jwtConfig = checked(Config, findings);
