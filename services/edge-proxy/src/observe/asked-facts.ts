import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type AskedFacts, MAX_KEPT_VALUE_CHARS } from '@sluice/contracts';
import type { ProxyExchange } from '../exchange.ts';
import { keyOfPeers } from '../header-list.ts';
import { redactionFor } from './redaction.ts';

const MAX_NAMES = 64;
const MAX_NAME_CHARS = 64;
const MAX_TARGET_CHARS = 2048;
/** Of the client's program: what bot-detection, cors and gRPC routes go by. */
const ALWAYS_KEPT = ['user-agent', 'origin', 'access-control-request-method', 'content-type'] as const;
/** A program's name and version, as RFC 9110, 10.1.5 has them; anything else may be a secret in the wrong place. */
const PROGRAM = /^[\w.+-]{1,64}\/[\w.+-]{1,64}(?:$|[ ;(])/;
/** A token that stands without a name must not be told as one. */
const PLAIN_ARGUMENT = /^[A-Za-z][\w.[\]-]{0,31}=/;

/**
 * What routes and policies go by, of one request. It is part of a slot of the ring: written over and over, it takes
 * references to texts that are there anyway, and what is told of them is decided when somebody asks.
 */
export class AskedSlot {
  /** False: refused before it was read. */
  isFilled = false;
  scheme: 'http' | 'https' = 'http';
  port = 0;
  httpVersion = '';
  client = '';
  isPeerTrusted = false;
  serverName: string | undefined;
  /** Undefined: not kept, for its length. */
  query: string | undefined = '';
  contentLength: string | undefined;
  /** In lower case, as many as `nameCount` says; negative: too many. */
  readonly names: string[] = [];
  nameCount = 0;
  readonly values: (string | undefined)[] = ALWAYS_KEPT.map(() => undefined);
  routeHeaders: readonly string[] = [];
  routeValues: readonly (string | undefined)[] = NO_VALUES;

  /** `routeHeaders`: those that routes match by, in lower case. */
  fill(exchange: ProxyExchange, routeHeaders: readonly string[]): void {
    const { request, scheme, rawTarget } = exchange;
    this.isFilled = true;
    this.scheme = scheme;
    this.port = exchange.hostRead?.port ?? exchange.port;
    this.httpVersion = exchange.httpVersion;
    this.client = exchange.clientIp;
    this.isPeerTrusted = exchange.isPeerTrusted;
    this.serverName = scheme === 'https' ? serverNameOf(request.socket) : undefined;
    this.query = rawTarget.length > MAX_TARGET_CHARS ? undefined : exchange.query;
    const { headers } = request;
    this.contentLength = headers['content-length'];
    for (let i = 0; i < ALWAYS_KEPT.length; i++) this.values[i] = kept(headers, ALWAYS_KEPT[i] as string);
    this.routeHeaders = routeHeaders;
    this.routeValues =
      routeHeaders.length === 0 ? NO_VALUES : routeHeaders.map((name) => kept(headers, name));
    this.#fillNames(request.rawHeaders);
  }

  #fillNames(rawHeaders: readonly string[]): void {
    const count = rawHeaders.length / 2;
    this.nameCount = count > MAX_NAMES ? -1 : count;
    for (let i = 0; i < this.nameCount; i++) {
      // Not the request's own texts: thousands of requests would be kept from the quick collection of what is young.
      const name = keyOfPeers(rawHeaders[2 * i] as string);
      this.names[i] = name;
      if (name.length > MAX_NAME_CHARS) this.nameCount = -1;
    }
  }
}

const NO_VALUES: readonly undefined[] = [];

/** The name in the TLS handshake; clients that connect to an address send none. */
export const serverNameOf = (socket: Socket): string | undefined =>
  (socket as Socket & { servername?: string | false }).servername || undefined;

const kept = (headers: IncomingMessage['headers'], name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' && value.length <= MAX_KEPT_VALUE_CHARS ? value : undefined;
};

type Redacts = Parameters<typeof redactionFor>[0];
type Caller = Pick<AskedFacts, 'isIdentified' | 'isTenantVerified'>;

/** The facts as others read them; undefined of a request that was not read. */
export const askedOf = (slot: AskedSlot, chain: Redacts, caller: Caller): AskedFacts | undefined => {
  if (!slot.isFilled) return undefined;
  const { scheme, port, httpVersion, client, isPeerTrusted, serverName, nameCount } = slot;
  const queryNames = argumentNames(slot.query);
  const length = Number(slot.contentLength ?? Number.NaN);
  const names = nameCount < 0 ? undefined : slot.names.slice(0, nameCount);
  return {
    ...{ scheme, port, httpVersion, client, isPeerTrusted },
    ...(serverName === undefined ? {} : { serverName }),
    ...(names === undefined ? {} : { headerNames: names }),
    headers: harmless(slot, chain),
    ...(queryNames === undefined ? {} : { queryNames }),
    ...(Number.isSafeInteger(length) && length >= 0 ? { contentLength: length } : {}),
    ...caller,
  };
};

const harmless = (slot: AskedSlot, chain: Redacts): Record<string, string> => {
  const all: Record<string, string> = Object.create(null);
  ALWAYS_KEPT.forEach((name, i) => {
    const value = slot.values[i];
    if (value !== undefined && (name !== 'user-agent' || PROGRAM.test(value))) all[name] = value;
  });
  slot.routeHeaders.forEach((name, i) => {
    const value = slot.routeValues[i];
    if (value !== undefined) all[name] = value;
  });
  const redacted = redactionFor(chain).headers(all);
  // Somebody matches routes by a credential: that it came is all that is told.
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => redacted[name] === value));
};

const argumentNames = (query: string | undefined): string[] | undefined => {
  if (query === undefined) return undefined;
  const parts = query.split('&').filter((part) => part !== '');
  if (parts.length > MAX_NAMES || !parts.every((part) => PLAIN_ARGUMENT.test(part))) return undefined;
  return parts.map((part) => part.slice(0, part.indexOf('=')));
};
