import { randomUUID } from 'node:crypto';
import type { Upstream } from '@sluice/gateway-config';
import { parseArgs } from '@sluice/plugins';
import type { ProxyExchange } from '../../exchange.ts';

/** What a request is hashed by, and the cookie that brings the client back when it had none. */
export interface HashKey {
  readonly key: string;
  readonly setCookie: string | undefined;
}

/** Kong hashes the empty string when nothing is found: all such requests share one target. */
const NOTHING: HashKey = { key: '', setCookie: undefined };

/** The key of a request for an upstream's ring: by `hash_on`, else by `hash_fallback` (kong-compat 2.3). */
export const hashKeyFor = (exchange: ProxyExchange, upstream: Upstream): HashKey => {
  const { hash_on: on, hash_fallback: fallback } = upstream;
  return (
    keyBy(exchange, upstream, on, {
      header: upstream.hash_on_header,
      queryArg: upstream.hash_on_query_arg,
      capture: upstream.hash_on_uri_capture,
    }) ??
    keyBy(exchange, upstream, fallback, {
      header: upstream.hash_fallback_header,
      queryArg: upstream.hash_fallback_query_arg,
      capture: upstream.hash_fallback_uri_capture,
    }) ??
    NOTHING
  );
};

const keyBy = (
  exchange: ProxyExchange,
  upstream: Upstream,
  by: Upstream['hash_on'],
  names: { header: string | null; queryArg: string | null; capture: string | null },
): HashKey | undefined => {
  if (by === 'cookie') return byCookie(exchange, upstream);
  const key = plainKey(exchange, by, names);
  return key === undefined || key === '' ? undefined : { key, setCookie: undefined };
};

const plainKey = (
  { identity, clientIp, fromClient, path, query, uriCaptures }: ProxyExchange,
  by: Upstream['hash_on'],
  { header, queryArg, capture }: { header: string | null; queryArg: string | null; capture: string | null },
): string | undefined => {
  if (by === 'consumer') return identity?.consumer?.id ?? identity?.credential?.id;
  if (by === 'ip') return clientIp;
  if (by === 'path') return path;
  if (by === 'header' && header !== null) return fromClient.getAll(header).join('');
  if (by === 'query_arg' && queryArg !== null) return valuesOf(query, queryArg).sort().join(',');
  return by === 'uri_capture' && capture !== null ? uriCaptures[capture] : undefined;
};

/** Not by URLSearchParams: arguments without `=` take it quadratic time, 8 ms for the longest query. */
const valuesOf = (query: string, name: string): string[] =>
  parseArgs(query).flatMap((arg) => (arg.name === name ? [arg.value === true ? '' : arg.value] : []));

const byCookie = ({ fromClient }: ProxyExchange, upstream: Upstream): HashKey | undefined => {
  const name = upstream.hash_on_cookie;
  if (name === null) return undefined;
  const sent = cookieNamed(name, fromClient.getAll('cookie'));
  if (sent !== undefined && sent !== '') return { key: sent, setCookie: undefined };
  const key = randomUUID();
  // `Same-Site`, sic: this is what Kong sends.
  return {
    key,
    setCookie: `${name}=${key}; Path=${upstream.hash_on_cookie_path}; Same-Site=Lax; HttpOnly`,
  };
};

const cookieNamed = (name: string, lines: readonly string[]): string | undefined => {
  for (const pair of lines.flatMap((line) => line.split(';'))) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
};
