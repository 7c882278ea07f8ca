import { GatewayError } from '@sluice/contracts';
import { parseCookie } from 'cookie';
import { challengeOf, isTooLong } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { parseArgs } from './query-args.ts';

const BEARER = /[Bb]earer\s+(.+)/;
/** What nearly every client writes, with nothing to be read otherwise in it: the rest is the token. */
const PLAIN_BEARER = 'Bearer ';

/** Where a token may stand. */
export interface TokenPlaces {
  readonly uri_param_names: readonly string[];
  readonly cookie_names: readonly string[];
  readonly header_names: readonly string[];
}

/** The values of `WWW-Authenticate`, for no token and for a bad one. */
export const challengesOf = (realm: string | null) => {
  const noToken = challengeOf('Bearer', realm);
  const more = `${noToken}${realm === null ? '' : ','}`;
  return {
    noToken,
    badToken: `${more} error="invalid_token"`,
    badScope: `${more} error="insufficient_scope"`,
  };
};
export type Challenges = ReturnType<typeof challengesOf>;

const isVisible = (code: number): boolean => code > 0x20 && code < 0x7f;
const tokenIn = (value: string): string =>
  value.startsWith(PLAIN_BEARER) && isVisible(value.charCodeAt(PLAIN_BEARER.length))
    ? value.slice(PLAIN_BEARER.length)
    : (BEARER.exec(value)?.[1] ?? '');

/** A query without escapes names what it has as it is: most have none of the arguments that are looked for. */
const mayName = (query: string, names: readonly string[]): boolean =>
  query !== '' && (/[%+]/.test(query) || names.some((name) => query.includes(name)));

/** The token of a request that can have one in a single place only, as nearly all have; undefined: it can have more. */
const onlyToken = ({ query, fromClient }: Exchange, places: TokenPlaces): string | undefined => {
  const [name, ...others] = places.header_names;
  if (name === undefined || others.length > 0 || mayName(query, places.uri_param_names)) return undefined;
  if (places.cookie_names.length > 0 && fromClient.has('cookie')) return undefined;
  return tokenIn(fromClient.get(name) ?? '');
};

/** Every distinct token of the request: query arguments, then cookies, then headers. */
const collectTokens = ({ query, fromClient }: Exchange, places: TokenPlaces): Set<string> => {
  const tokens = new Set<string>();
  if (mayName(query, places.uri_param_names))
    for (const { name, value } of parseArgs(query))
      if (value !== true && places.uri_param_names.includes(name)) tokens.add(value);
  if (places.cookie_names.length > 0 && fromClient.has('cookie')) {
    // As nginx reads them: without decoding.
    const cookies = parseCookie(fromClient.getAll('cookie').join('; '), { decode: (value) => value });
    for (const name of places.cookie_names) tokens.add(cookies[name] ?? '');
  }
  for (const name of places.header_names) tokens.add(tokenIn(fromClient.get(name) ?? ''));
  tokens.delete('');
  return tokens;
};

/** A 401 with this body, as Kong's `jwt` gives it. */
export const refuseToken = (challenge: string, body: Readonly<Record<string, unknown>>): GatewayError =>
  new GatewayError('GW_UNAUTHENTICATED', { body, headers: { 'WWW-Authenticate': challenge } });

/** Refuses what can be refused without knowing keys; otherwise the one token there is. */
export const findToken = (
  exchange: Exchange,
  places: TokenPlaces,
  { noToken, badToken }: Challenges,
): string | GatewayError => {
  const only = onlyToken(exchange, places);
  const [token, ...others] = only === undefined ? collectTokens(exchange, places) : [only];
  if (token === undefined || token === '') return refuseToken(noToken, { message: 'Unauthorized' });
  if (others.length > 0) return refuseToken(badToken, { message: 'Multiple tokens provided' });
  return isTooLong(token) ? refuseToken(badToken, { message: 'Bad token; invalid JSON' }) : token;
};
