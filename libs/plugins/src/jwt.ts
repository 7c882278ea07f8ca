import { GatewayError } from '@sluice/contracts';
import { parseCookie } from 'cookie';
import type { Exchange, Identity } from './exchange.ts';
import {
  ANONYMOUS_CONSUMER,
  CONSUMER_CUSTOM_ID,
  CONSUMER_ID,
  CONSUMER_USERNAME,
  CREDENTIAL_IDENTIFIER,
  setOrClear,
} from './headers.ts';
import { type JwtConfig, jwtConfig } from './jwt-config.ts';
import { definePlugin, type Step } from './plugin.ts';
import type { AuthVerdict, Ports } from './ports.ts';
import { parseArgs } from './query-args.ts';
import { settled } from './settled.ts';

const MAX_TOKEN_CHARS = 32_768; // longest that the contract auth.v1.verify carries
const BEARER = /[Bb]earer\s+(.+)/;

const challengesOf = (realm: string | null) => {
  const quoted = realm === null ? undefined : `realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`;
  const error = 'error="invalid_token"';
  return {
    noToken: ['Bearer', quoted].filter(Boolean).join(' '),
    badToken: `Bearer ${[quoted, error].filter(Boolean).join(', ')}`,
  };
};

const prepare = (config: JwtConfig, { pluginId }: { readonly pluginId: string }) => ({
  ...config,
  pluginId,
  challenges: challengesOf(config.realm),
});
type Prepared = ReturnType<typeof prepare>;

/** Every distinct token of the request: query arguments, then cookies, then headers. */
const collectTokens = ({ query, fromClient }: Exchange, config: Prepared): Set<string> => {
  const tokens = new Set<string>();
  for (const { name, value } of query === '' ? [] : parseArgs(query))
    if (value !== true && config.uri_param_names.includes(name)) tokens.add(value);
  if (config.cookie_names.length > 0 && fromClient.has('cookie')) {
    // As nginx reads them: without decoding.
    const cookies = parseCookie(fromClient.getAll('cookie').join('; '), { decode: (value) => value });
    for (const name of config.cookie_names) tokens.add(cookies[name] ?? '');
  }
  for (const name of config.header_names) tokens.add(BEARER.exec(fromClient.get(name) ?? '')?.[1] ?? '');
  tokens.delete('');
  return tokens;
};

const refuse = (challenge: string, body: Readonly<Record<string, unknown>>): GatewayError =>
  new GatewayError('GW_UNAUTHENTICATED', { body, headers: { 'WWW-Authenticate': challenge } });

const accept = (exchange: Exchange, identity: Identity, isAnonymous: boolean): undefined => {
  const { toUpstream } = exchange;
  exchange.identity = identity;
  setOrClear(toUpstream, CONSUMER_ID, identity.consumer?.id);
  setOrClear(toUpstream, CONSUMER_CUSTOM_ID, identity.consumer?.customId);
  setOrClear(toUpstream, CONSUMER_USERNAME, identity.consumer?.username);
  setOrClear(toUpstream, CREDENTIAL_IDENTIFIER, identity.credential?.identifier);
  setOrClear(toUpstream, ANONYMOUS_CONSUMER, isAnonymous ? 'true' : undefined);
};

const NOBODY = { credential: undefined, tenantId: undefined, platformId: undefined, userId: undefined };

/** Goes on as the anonymous consumer, if there is one. */
const fallBack = (
  exchange: Exchange,
  anonymous: string | null,
  refusal: GatewayError,
  ports: Ports,
): Step => {
  if (anonymous === null) return refusal;
  const consumer = ports.findConsumer === undefined ? { id: anonymous } : ports.findConsumer(anonymous);
  if (consumer !== undefined) return accept(exchange, { ...NOBODY, consumer }, true);
  const message = `anonymous consumer ${anonymous} is configured but doesn't exist`;
  return new GatewayError('GW_PLUGIN_FAILED', { message });
};

/** Refuses what can be refused without knowing keys; otherwise the one token there is. */
const findToken = (exchange: Exchange, config: Prepared): string | GatewayError => {
  const [token, ...others] = collectTokens(exchange, config);
  const { noToken, badToken } = config.challenges;
  if (token === undefined) return refuse(noToken, { message: 'Unauthorized' });
  if (others.length > 0) return refuse(badToken, { message: 'Multiple tokens provided' });
  return token.length > MAX_TOKEN_CHARS ? refuse(badToken, { message: 'Bad token; invalid JSON' }) : token;
};

/** Kong's `jwt`: who is calling, by a signed token. The auth process judges it; here it is only found. */
export const jwt = definePlugin({
  name: 'jwt',
  priority: 1450,
  summary: 'Requires a valid JSON Web Token and says who is calling.',
  config: jwtConfig,
  consumerScope: false,
  prepare,
  access: (exchange, config, ports) => {
    const { anonymous, pluginId } = config;
    if (exchange.method === 'OPTIONS' && !config.run_on_preflight) return undefined;
    if (anonymous !== null && exchange.identity?.credential !== undefined) return undefined;
    const token = findToken(exchange, config);
    if (typeof token !== 'string') return fallBack(exchange, anonymous, token, ports);
    return settled<AuthVerdict | GatewayError, Step>(
      ports.verifyToken(exchange, pluginId, token),
      (verdict) => {
        if (verdict instanceof GatewayError) return verdict; // auth is away: nobody is let in, anonymous or not
        if (verdict.outcome === 'allow') return accept(exchange, verdict.identity, false);
        return fallBack(exchange, anonymous, refuse(config.challenges.badToken, verdict.body), ports);
      },
    );
  },
});
