import type { PluginEntity } from '@sluice/gateway-config';
import { z } from 'zod';
import type { TimeClaim } from './check-claims.ts';

/** What of the `jwt` plugin's settings concerns a token; the rest says where the edge finds it. */
const JwtConfig = z.object({
  key_claim_name: z.string().nullish(),
  secret_is_base64: z.boolean().nullish(),
  claims_to_verify: z.array(z.enum(['exp', 'nbf'])).nullish(),
  maximum_expiration: z.number().nullish(),
});

/** The same of the `oidc` plugin. */
const OidcConfig = z.object({
  issuers: z.array(z.string()).nullish(),
  audiences: z.array(z.string()).nullish(),
  algorithms: z.array(z.string()).nullish(),
  required_scopes: z.array(z.string()).nullish(),
  leeway_seconds: z.number().nullish(),
  maximum_expiration: z.number().nullish(),
});

/** How an instance of `jwt` judges. */
export interface JwtRules {
  readonly keyClaim: string;
  readonly isBase64: boolean;
  readonly claims: readonly TimeClaim[];
}

/** How an instance asks more of an issuer's token than the issuer's entry does; null: it does not. */
export interface IssuerRules {
  readonly issuers: readonly string[] | null;
  readonly audiences: readonly string[] | null;
  readonly algorithms: readonly string[] | null;
  readonly scopes: readonly string[];
  readonly leewaySeconds: number | null;
}

export interface Rules {
  readonly maximumExpiration: number;
  /** Undefined: tokens of consumers do not count. */
  readonly forConsumers: JwtRules | undefined;
  readonly forIssuers: IssuerRules;
}

const ANY_ISSUER: IssuerRules = {
  issuers: null,
  audiences: null,
  algorithms: null,
  scopes: [],
  leewaySeconds: null,
};

/** By entity, which a change of the plugin replaces. */
const known = new WeakMap<PluginEntity, Rules>();

/** The rules of an instance of `jwt` or `oidc`. */
export const rulesOf = (plugin: PluginEntity): Rules => {
  const before = known.get(plugin);
  if (before !== undefined) return before;
  const rules = plugin.name === 'oidc' ? oidcRules(plugin.config) : jwtRules(plugin.config);
  known.set(plugin, rules);
  return rules;
};

const jwtRules = (written: unknown): Rules => {
  const config = JwtConfig.parse(written);
  return {
    maximumExpiration: config.maximum_expiration ?? 0,
    forConsumers: {
      keyClaim: config.key_claim_name ?? 'iss',
      isBase64: config.secret_is_base64 ?? false,
      claims: config.claims_to_verify ?? [],
    },
    forIssuers: ANY_ISSUER,
  };
};

const oidcRules = (written: unknown): Rules => {
  const config = OidcConfig.parse(written);
  return {
    maximumExpiration: config.maximum_expiration ?? 0,
    forConsumers: undefined,
    forIssuers: {
      issuers: config.issuers ?? null,
      audiences: config.audiences ?? null,
      algorithms: config.algorithms ?? null,
      scopes: config.required_scopes ?? [],
      leewaySeconds: config.leeway_seconds ?? null,
    },
  };
};
