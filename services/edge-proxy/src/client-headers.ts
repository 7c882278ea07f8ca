import { GatewayError } from '@sluice/contracts';
import { isIdentityHeader } from '@sluice/plugins';
import type { Headers } from './header-list.ts';

/** Connection's own headers: they speak to the next hop only (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'expect',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
]);
/** Where a request comes from and what it asked for, in the words of proxies; ours are set anew for each attempt. */
const FORWARDING = /^(?:forwarded$|x-forwarded-|x-original-|x-rewrite-|x-real-ip$)/;
/** What a client may neither have removed nor send in another spelling. */
const PROTECTED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'authorization',
  'proxy-authorization',
  'cookie',
  'via',
  'traceparent',
  'tracestate',
  'x-request-id',
  'x-trace-id',
  'x-tenant-id',
  'x-platform-id',
  'x-user-id',
]);
const PROTECTED_FAMILY = /^x-(?:kong|gateway|sluice)-/;
/** Of the forwarding headers those that a plain proxy chain hands on: the list of addresses is appended to. */
const HANDED_ON = 'x-forwarded-for';

const LETTER_F = 0x66;
const LETTER_X = 0x78;

const isKept = (key: string): boolean => {
  if (HOP_BY_HOP.has(key)) return false;
  const first = key.charCodeAt(0);
  if (first === LETTER_X) return !isIdentityHeader(key) && (key === HANDED_ON || !FORWARDING.test(key));
  return first !== LETTER_F || !FORWARDING.test(key);
};
const isDropped = (key: string): boolean => !isKept(key);
const isDroppedOfStranger = (key: string): boolean => key === 'baggage' || !isKept(key);
const isDroppedOfTrusted = (key: string): boolean =>
  HOP_BY_HOP.has(key) || (key.charCodeAt(0) === LETTER_X && isIdentityHeader(key));

/** What the route's plugins read and who sent the headers. */
export interface Sender {
  readonly namesRead: ReadonlySet<string>;
  readonly isPeerTrusted: boolean;
  /** Its `baggage` is handed on. */
  readonly mayCarryBaggage: boolean;
  /** A name has other characters than letters, digits and `-`. */
  readonly hasOddNames: boolean;
}

/**
 * The client's headers as an upstream may see them, before the gateway adds its own; or the refusal of a client
 * that wants a header of ours removed, or sends one in a spelling that some upstreams take for it.
 */
export const headersForUpstream = (fromClient: Headers, sender: Sender): Headers | GatewayError => {
  const { isPeerTrusted, mayCarryBaggage } = sender;
  const headers = fromClient.without(
    isPeerTrusted ? isDroppedOfTrusted : mayCarryBaggage ? isDropped : isDroppedOfStranger,
  );
  const connection = fromClient.getAll('connection');
  for (const name of connection.length === 0 ? connection : nominatedBy(connection)) {
    if (isProtected(name, sender.namesRead)) return new GatewayError('GW_BAD_REQUEST');
    headers.delete(name);
  }
  if (sender.hasOddNames) {
    for (const [name] of fromClient.entries()) {
      const key = name.toLowerCase();
      const meant = key.replace(ODD, '-');
      if (meant === key || sender.namesRead.has(key)) continue;
      if (isIdentityHeader(meant)) headers.delete(key);
      else if (isProtected(meant, sender.namesRead)) return new GatewayError('GW_BAD_REQUEST');
    }
  }
  if (fromClient.getAll('te').some((te) => /(^|[,\s])trailers($|[,;\s])/i.test(te)))
    headers.set('TE', 'trailers');
  return headers;
};

const isProtected = (key: string, namesRead: ReadonlySet<string>): boolean =>
  PROTECTED.has(key) ||
  namesRead.has(key) ||
  isIdentityHeader(key) ||
  FORWARDING.test(key) ||
  PROTECTED_FAMILY.test(key);

/** What a CGI-like upstream writes as `_`, and so cannot tell from `-`. */
const ODD = /[^a-z0-9-]/g;

const NOTHING: readonly string[] = [];
/** What nearly every message says, and nominates nothing. */
const USUAL = new Set(['keep-alive', 'Keep-Alive', 'close']);
/** Options of a connection that are no headers of ours. */
const OPTIONS = new Set(['', 'keep-alive', 'close', 'upgrade']);

/** The headers that `Connection:` lines declare to be the connection's own, in lower case. */
export const nominatedBy = (values: readonly string[]): Iterable<string> => {
  if (values.every((value) => USUAL.has(value))) return NOTHING;
  const names = new Set(values.flatMap((value) => value.toLowerCase().split(',')).map((name) => name.trim()));
  for (const option of OPTIONS) names.delete(option);
  return names;
};
