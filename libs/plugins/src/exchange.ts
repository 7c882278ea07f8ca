import type { GatewayError } from '@sluice/contracts';
import type { Route, Service } from '@sluice/gateway-config';

/** Who is calling, as the auth process said. */
export interface Identity {
  readonly consumer:
    | { readonly id: string; readonly username?: string | undefined; readonly customId?: string | undefined }
    | undefined;
  readonly credential: { readonly id: string; readonly identifier: string } | undefined;
  readonly tenantId: string | undefined;
  readonly platformId: string | undefined;
  readonly userId: string | undefined;
  /** Claims of its token that plugins may read; absent: no token. */
  readonly claims?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** The consumer's groups, by the configuration's acls; absent: none. */
  readonly groups?: readonly string[] | undefined;
  /** What of this auth has signed for upstreams, where tenant-binding asks for it. */
  readonly signed?: string | undefined;
  /** Groups that the credential itself brought, for a caller who need not be a consumer. */
  readonly authenticatedGroups?: readonly string[] | undefined;
}

/**
 * Headers of one message. Names are case-insensitive for look-up and kept as written; values keep their order.
 * `get` joins nothing: it returns the first value.
 */
export interface HeaderList {
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
  has(name: string): boolean;
  /** True where several lines have this name. */
  isRepeated(name: string): boolean;
  /** Replaces every value of the name by one. */
  set(name: string, value: string): void;
  /** Adds one more value. */
  append(name: string, value: string): void;
  delete(name: string): void;
  /** Name and value of each line, in order. */
  entries(): Iterable<readonly [name: string, value: string]>;
}

/** What the upstream answered, before anything of it reached the client. */
export interface UpstreamAnswer {
  readonly status: number;
  /** Header lines as the upstream sent them, `[name, value, name, value, …]`; absent where it was upgraded. */
  readonly rawHeaders?: readonly string[];
  /** The body as the upstream sent it, in the body phase. */
  body?: Buffer;
}

/**
 * One request on its way through the plugin chain. The client's side is read-only; what goes upstream and what
 * goes back to the client are the two header lists and the upstream request line.
 */
export interface Exchange {
  /** 32 lower-case hex digits; `X-Kong-Request-Id`. */
  readonly id: string;
  /** 32 hex digits of the W3C trace. */
  readonly traceId: string;
  readonly method: string;
  /** `1.1`, `1.0` or `2.0`; absent: 1.1. */
  readonly httpVersion?: string;
  readonly scheme: 'http' | 'https';
  /** `Host` as the client sent it, with its port. */
  readonly host: string;
  /** Port the client connected to. */
  readonly port: number;
  /** Target as the client sent it, query included. */
  readonly rawTarget: string;
  /** Normalised path, without query: what was matched. */
  readonly path: string;
  /** Raw query string without `?`; empty when there is none. */
  readonly query: string;
  /** Address after real-ip processing. */
  readonly clientIp: string;
  /** TCP peer and the connection's counters, for ids derived from them. */
  readonly connection: { readonly remotePort: number; readonly serial: number; readonly requests: number };
  /** Unix time in ms when the request line was read. */
  readonly startedAt: number;
  /** As the client sent them. Never changed: templates and matchers read these. */
  readonly fromClient: HeaderList;
  readonly route: Route | undefined;
  readonly service: Service | undefined;
  /** Captures of the route's regex path: by name, and by number from `1`. */
  readonly uriCaptures: Readonly<Record<string, string>>;

  /** Set by an authentication plugin. */
  identity: Identity | undefined;

  /** Headers for the upstream; start as the client's, screened. */
  readonly toUpstream: HeaderList;
  /** Path and query for the upstream may be replaced before it is called. */
  upstreamPath: string;
  upstreamQuery: string;
  upstreamMethod: string;
  /**
   * Asks for the request body as bytes, to read and to replace. Returns undefined when it is larger than
   * `maxBytes`; it then still streams to the upstream untouched.
   */
  readBody(maxBytes: number): Promise<Buffer | undefined>;
  /** What the client's body begins with, as soon as some of it has come; it still streams. Empty: there is none. */
  startOfBody(): Promise<Buffer>;
  replaceBody(body: Buffer): void;
  /**
   * Lets at most so many bytes of a streamed body through. The upstream's connection is cut where it is longer,
   * and the client gets `refusal` unless an answer was already under way.
   */
  limitBody(maxBytes: number, refusal: GatewayError): void;

  /**
   * Headers for the client. In the access phase: those to add to whatever is answered. In the response phase:
   * the whole head, the upstream's lines (hop-by-hop ones removed) with the added ones over them.
   */
  readonly toClient: HeaderList;
  /** Present from the response phase on, when an upstream answered. */
  upstream: UpstreamAnswer | undefined;
  /** Values that one plugin instance leaves for its later phases, keyed by the plugin's name. */
  readonly memo: Map<string, unknown>;
}
