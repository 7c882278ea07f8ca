import { createHash, hash } from 'node:crypto';
import type { Exchange } from './exchange.ts';
import { TENANT_ID } from './headers.ts';
import type { ProxyCacheConfig } from './proxy-cache-config.ts';
import { parseArgs } from './query-args.ts';

/** `name=value` of each name that is there; several values sorted and joined by commas. */
const joined = (names: readonly string[], valuesOf: (name: string) => readonly (string | true)[]): string =>
  names
    .flatMap((name) => {
      const values = valuesOf(name);
      if (values.length === 0) return [];
      return values[0] === true ? [name] : [`${name}=${[...values].sort().join(',')}`];
    })
    .join(':');

const queryPart = ({ query }: Exchange, only: readonly string[] | null): string => {
  const args = parseArgs(query);
  const names = only?.length ? only : [...new Set(args.map(({ name }) => name))].sort();
  return joined(names, (name) => args.filter((arg) => arg.name === name).map(({ value }) => value));
};

/** A verified tenant cannot read another one's answers by claiming its name. */
const headerValues = (exchange: Exchange, name: string): readonly string[] => {
  if (name.toLowerCase() !== TENANT_ID.toLowerCase()) return exchange.toUpstream.getAll(name);
  const tenant = exchange.identity?.tenantId;
  return tenant === undefined ? exchange.toUpstream.getAll(name) : [tenant];
};

/** Whose answers these are. A caller without a consumer is told from others by what its credential says. */
const ownerOf = ({ identity, route }: Exchange): string => {
  const routeId = route?.id;
  if (identity === undefined || routeId === undefined) return routeId ?? 'default';
  const { consumer, tenantId, userId, credential } = identity;
  const caller = consumer?.id ?? [tenantId, userId ?? credential?.id].map((part) => part ?? '').join('/');
  return `${caller}:${routeId}`;
};

/**
 * Kong's cache key: SHA-256 of owner, method, request line up to the query, query and varying headers. Where a
 * request has a body, its digest is part of it: another prompt is another question.
 */
export const cacheKeyOf = (
  exchange: Exchange,
  config: ProxyCacheConfig,
  body: Buffer | undefined,
): string => {
  const { method, rawTarget } = exchange;
  const at = rawTarget.indexOf('?');
  const line = at < 0 ? `${method} ${rawTarget} HTTP/1.1` : `${method} ${rawTarget.slice(0, at)}`;
  const digest = createHash('sha256').update(
    [
      ownerOf(exchange),
      method,
      config.ignore_uri_case ? line.toLowerCase() : line,
      queryPart(exchange, config.vary_query_params),
      joined(config.vary_headers ?? [], (name) => headerValues(exchange, name)),
    ].join('|'),
  );
  if (body !== undefined && body.length > 0) digest.update(`|${hash('sha256', body)}`);
  return digest.digest('hex');
};
