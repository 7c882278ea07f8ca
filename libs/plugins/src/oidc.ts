import { GatewayError, TOKEN_ALGORITHMS } from '@sluice/contracts';
import type { z } from 'zod';
import { authenticate, type Denial, judge } from './authenticate.ts';
import {
  between,
  choice,
  decimal,
  filled,
  flag,
  headerName,
  headerText,
  record,
  setOf,
  text,
  unset,
} from './fields.ts';
import { type Challenges, challengesOf, findToken, refuseToken } from './jwt-tokens.ts';
import { definePlugin } from './plugin.ts';

const MAX_LEEWAY_SECONDS = 300;
const MAX_LIFETIME_SECONDS = 31_536_000;

const Config = record({
  issuers: unset(setOf(filled())).describe('Names of the `issuers` that count here; unset: all of them.'),
  audiences: unset(setOf(filled())).describe(
    'One of them must be in `aud`, beside what the issuer asks for.',
  ),
  algorithms: unset(setOf(choice(TOKEN_ALGORITHMS))).describe(
    'Signatures that are taken, of those the issuer lists; unset: all of these.',
  ),
  required_scopes: unset(setOf(filled())).describe('All of them must be in `scope` or `scp`; else 403.'),
  leeway_seconds: unset(between(0, MAX_LEEWAY_SECONDS)).describe(
    'For `exp` and `nbf`; unset: OIDC_CLOCK_SKEW_SECONDS of auth, which is 5.',
  ),
  maximum_expiration: decimal()
    .min(0, `value should be between 0 and ${MAX_LIFETIME_SECONDS}`)
    .max(MAX_LIFETIME_SECONDS, `value should be between 0 and ${MAX_LIFETIME_SECONDS}`)
    .default(0)
    .describe('Longest time from now to `exp`, in seconds; 0: any.'),
  header_names: setOf(headerName()).default(['authorization']).describe('Headers with `Bearer <token>`.'),
  cookie_names: setOf(text()).default([]).describe('Cookies that may hold the token.'),
  uri_param_names: setOf(text())
    .default([])
    .describe('Query arguments that may hold the token; they end in logs.'),
  anonymous: unset(filled()).describe('Consumer (id or username) for requests without a valid token.'),
  run_on_preflight: flag().default(true).describe('OPTIONS requests need a token as well.'),
  realm: unset(headerText()).describe('Realm of the WWW-Authenticate header.'),
});

const prepare = (config: z.output<typeof Config>, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  challenges: challengesOf(config.realm),
});

const refuse =
  ({ badToken, badScope }: Challenges) =>
  ({ body, reason }: Denial): GatewayError =>
    // Who is calling is known; a new token of the same kind would not help (RFC 6750 section 3.1).
    reason === 'insufficient_scope'
      ? new GatewayError('GW_FORBIDDEN', { body, headers: { 'WWW-Authenticate': badScope } })
      : refuseToken(badToken, body);

/** Tokens of OIDC issuers, and of nobody else: consumers' keys do not count, which they do for `jwt`. */
export const oidc = definePlugin({
  name: 'oidc',
  priority: 1050,
  reads: { namedBy: ['header_names'] },
  summary: 'Requires a token of an OIDC issuer from `issuers` and says who is calling.',
  config: Config,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () => {
      const token = findToken(exchange, config, config.challenges);
      if (typeof token !== 'string') return token;
      return judge(exchange, ports, config.pluginId, { scheme: 'jwt', token }, refuse(config.challenges));
    }),
});
