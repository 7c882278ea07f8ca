import { GatewayError } from '@sluice/contracts';
import { parseCookie } from 'cookie';
import { authenticate, challengeOf, isTooLong, judge } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { type JwtConfig, jwtConfig } from './jwt-config.ts';
import { definePlugin } from './plugin.ts';
import { parseArgs } from './query-args.ts';

const BEARER = /[Bb]earer\s+(.+)/;

const challengesOf = (realm: string | null) => {
  const noToken = challengeOf('Bearer', realm);
  return { noToken, badToken: `${noToken}${realm === null ? '' : ','} error="invalid_token"` };
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

/** Refuses what can be refused without knowing keys; otherwise the one token there is. */
const findToken = (exchange: Exchange, config: Prepared): string | GatewayError => {
  const [token, ...others] = collectTokens(exchange, config);
  const { noToken, badToken } = config.challenges;
  if (token === undefined) return refuse(noToken, { message: 'Unauthorized' });
  if (others.length > 0) return refuse(badToken, { message: 'Multiple tokens provided' });
  return isTooLong(token) ? refuse(badToken, { message: 'Bad token; invalid JSON' }) : token;
};

/** Kong's `jwt`: who is calling, by a signed token. The auth process judges it; here it is only found. */
export const jwt = definePlugin({
  name: 'jwt',
  priority: 1450,
  summary: 'Requires a valid JSON Web Token and says who is calling.',
  config: jwtConfig,
  consumerScope: false,
  authenticates: true,
  prepare,
  access: (exchange, config, ports) =>
    authenticate(exchange, config, ports, () => {
      const token = findToken(exchange, config);
      if (typeof token !== 'string') return token;
      const credential = { scheme: 'jwt', token } as const;
      return judge(exchange, ports, config.pluginId, credential, ({ body }) =>
        refuse(config.challenges.badToken, body),
      );
    }),
});
