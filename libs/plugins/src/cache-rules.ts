import { freshSeconds, mediaTypeTest, parseCacheControl, secondsOf } from './cache-control.ts';
import type { Exchange } from './exchange.ts';
import { MAX_ANSWER_BYTES } from './plugin.ts';
import type { StoredAnswer } from './ports.ts';
import type { ProxyCacheConfig } from './proxy-cache-config.ts';
import { upstreamHeaders } from './stored-answer.ts';

/** A configuration made ready for requests. */
export const prepare = (config: ProxyCacheConfig) => ({
  config,
  isKeptType: mediaTypeTest(config.content_type),
  methods: new Set<string>(config.request_method),
  statuses: new Set(config.response_code),
});
export type Prepared = ReturnType<typeof prepare>;

/** Cache-Control of the request. */
export const directivesOf = ({ fromClient }: Exchange) =>
  parseCacheControl(fromClient.getAll('cache-control'));

/** Whether the request may be answered from the cache at all. */
export const isCacheable = (exchange: Exchange, { config, methods }: Prepared): boolean => {
  if (!methods.has(exchange.method)) return false;
  if (!config.cache_control) return true;
  const asked = directivesOf(exchange);
  return !asked.has('no-store') && !asked.has('no-cache') && !exchange.fromClient.has('authorization');
};

/** Whether the client takes this stored answer. */
export const isAcceptable = (exchange: Exchange, { config }: Prepared, stored: StoredAnswer): boolean => {
  if (stored.asked.some(([name, value]) => exchange.toUpstream.getAll(name).join(', ') !== value))
    return false;
  const ageSeconds = (exchange.startedAt - stored.storedAt) / 1000;
  if (!config.cache_control) return ageSeconds <= config.cache_ttl;
  const asked = directivesOf(exchange);
  const maxAge = secondsOf(asked, 'max-age');
  const minFresh = secondsOf(asked, 'min-fresh');
  if (maxAge !== undefined && ageSeconds > maxAge) return false;
  if (minFresh !== undefined && stored.ttlSeconds - ageSeconds < minFresh) return false;
  // Without `max-stale` a stale answer is none; with it alone, any is (RFC 9111 section 5.2.1.2).
  if (asked.get('max-stale') === true) return true;
  return ageSeconds - stored.ttlSeconds <= (secondsOf(asked, 'max-stale') ?? 0);
};

/** How long the upstream's answer may be given again, in seconds; undefined: not at all. */
export const ttlOf = (exchange: Exchange, { config, isKeptType, statuses }: Prepared): number | undefined => {
  const { upstream } = exchange;
  if (upstream === undefined || !statuses.has(upstream.status)) return undefined;
  const headers = upstreamHeaders(upstream);
  const contentType = headers.get('content-type');
  if (contentType === undefined || !isKeptType(contentType)) return undefined;
  if (headers.get('vary')?.includes('*')) return undefined;
  if (headers.has('set-cookie')) return undefined; // a session belongs to one client
  if (Number(headers.get('content-length') ?? 0) > MAX_ANSWER_BYTES) return undefined;
  if (!config.cache_control) return config.cache_ttl;
  const said = parseCacheControl([headers.get('cache-control') ?? '']);
  if (said.has('private') || said.has('no-store') || said.has('no-cache')) return undefined;
  return freshSeconds(said, headers.get('expires'), Date.now()) || undefined;
};
