import { GatewayError } from '@sluice/contracts';
import type { ShadowTerms } from '@sluice/plugins';
import { withQuery } from '@sluice/routing';
import { headersForUpstream } from '../client-headers.ts';
import type { ProxyExchange } from '../exchange.ts';
import { type Redaction, redactionFor } from '../observe/redaction.ts';
import { addForwarding } from '../upstream/request-head.ts';

/** A copy's request line and headers. */
export interface CopyHead {
  readonly method: string;
  readonly url: URL;
  /** Flat `[name, value, …]`. */
  readonly headers: readonly string[];
}

/** No more than a balancer in front of the second gateway would say. */
const OUR_MATTER = ['x-forwarded-path', 'x-forwarded-prefix', 'transfer-encoding', 'content-length'];
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE']);
const NAMES_READ: ReadonlySet<string> = new Set();

/**
 * The request as the client sent it, before any plugin changed it; where it came from is said as proxies do.
 * Undefined for one that cannot be handed on.
 */
export const copyHead = (
  exchange: ProxyExchange,
  terms: ShadowTerms,
  body: Buffer | undefined,
): CopyHead | undefined => {
  const { isPeerTrusted, hasOddNames, mayCarryBaggage } = exchange;
  const sender = { namesRead: NAMES_READ, isPeerTrusted, hasOddNames, mayCarryBaggage };
  const headers = headersForUpstream(exchange.fromClient, sender);
  if (headers instanceof GatewayError || exchange.rawPath === '') return undefined;
  addForwarding(exchange, headers);
  for (const name of OUR_MATTER) headers.delete(name);
  const redaction = terms.forwardsCredentials ? undefined : redactionFor(exchange.chain);
  const url = URL.parse(`${terms.url}${withQuery(exchange.rawPath, queryOf(exchange, redaction))}`);
  if (url === null) return undefined;
  if (!headers.has('host')) headers.set('Host', url.host);
  if (body !== undefined || !BODILESS.has(exchange.method))
    headers.set('Content-Length', `${body?.length ?? 0}`); // without it Node sends an empty body in chunks
  headers.set('Connection', 'keep-alive');
  headers.set(terms.marker, exchange.id);
  headers.set('X-Sluice-Shadow', exchange.id);
  const kept = redaction === undefined ? headers : headers.without(redaction.isSecretHeader);
  return { method: exchange.method, url, headers: kept.toRaw() };
};

const queryOf = (
  { query, hasBareQuestionMark }: ProxyExchange,
  redaction: Redaction | undefined,
): string | undefined => {
  if (query === '') return hasBareQuestionMark ? '' : undefined;
  if (redaction === undefined) return query;
  const rest = redaction.withoutSecrets(query);
  return rest === '' ? undefined : rest;
};
