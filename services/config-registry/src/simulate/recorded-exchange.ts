import type { AskedFacts, DecisionRecord } from '@sluice/contracts';
import type { Route, Service } from '@sluice/gateway-config';
import type { Exchange, Identity } from '@sluice/plugins';
import { NotRecorded, RecordedHeaders } from './recorded-headers.ts';

/** A record that tells what routes and policies go by. */
export type AskedRecord = DecisionRecord & { readonly asked: AskedFacts };

/** What of a request a configuration decides before its plugins run. */
export interface Matched {
  readonly path: string;
  readonly route: Route | undefined;
  readonly service: Service | undefined;
  readonly uriCaptures: Readonly<Record<string, string>>;
}

/** Stands for the value of a header or query argument, where only its name matters. */
const SOME_VALUE = 'not-recorded';

/** The headers a client sent, as far as its record has them. */
export const headersOf = ({ tenant, asked }: AskedRecord): RecordedHeaders => {
  const values = new Map(Object.entries(asked.headers));
  if (asked.contentLength !== undefined) values.set('content-length', `${asked.contentLength}`);
  values.set('transfer-encoding', 'chunked'); // where it is sent at all: everything else is refused unread
  if (tenant !== undefined && !asked.isTenantVerified) values.set('x-tenant-id', tenant);
  return new RecordedHeaders(asked.headerNames, values);
};

/** A recorded request as plugins see requests. What no record has throws `NotRecorded` when a handler asks for it. */
export class RecordedExchange implements Exchange {
  readonly id: string;
  readonly traceId: string;
  readonly method: string;
  readonly httpVersion: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly clientIp: string;
  readonly startedAt: number;
  readonly connection = { remotePort: 0, serial: 0, requests: 1 };
  readonly fromClient: RecordedHeaders;
  readonly toUpstream: RecordedHeaders;
  readonly toClient = new RecordedHeaders([], new Map());
  readonly route: Route | undefined;
  readonly service: Service | undefined;
  readonly uriCaptures: Readonly<Record<string, string>>;
  readonly memo = new Map<string, unknown>();
  identity: Identity | undefined;
  upstream: undefined;
  upstreamPath = '';
  upstreamQuery = '';
  upstreamMethod: string;
  readonly #asked: AskedFacts;
  #asksForNames = false;

  constructor(record: AskedRecord, { path, route, service, uriCaptures }: Matched) {
    const { asked } = record;
    this.#asked = asked;
    this.id = record.requestId;
    this.traceId = record.traceId;
    this.method = record.method;
    this.upstreamMethod = record.method;
    this.httpVersion = asked.httpVersion;
    this.scheme = asked.scheme;
    this.host = record.host ?? '';
    this.port = asked.port;
    this.path = path;
    this.clientIp = asked.client;
    this.startedAt = record.at;
    this.fromClient = headersOf(record);
    this.toUpstream = headersOf(record);
    this.route = route;
    this.service = service;
    this.uriCaptures = uriCaptures;
  }

  /** What the next handler goes by: the values of headers, or of query arguments, or by none of them. */
  goBy({ headers, query }: { headers: boolean; query: boolean }): void {
    this.fromClient.standIn = headers ? undefined : SOME_VALUE;
    this.toUpstream.standIn = this.fromClient.standIn;
    this.#asksForNames = !query;
  }

  get rawTarget(): string {
    return this.query === '' ? this.path : `${this.path}?${this.query}`;
  }

  get query(): string {
    const { queryNames } = this.#asked;
    if (queryNames === undefined) throw new NotRecorded('the query');
    if (queryNames.length === 0) return '';
    if (!this.#asksForNames) throw new NotRecorded('the values in the query');
    return queryNames.map((name) => `${name}=${SOME_VALUE}`).join('&');
  }

  async readBody(): Promise<Buffer | undefined> {
    const isEmpty = this.#asked.contentLength === 0 || !this.#announcesBody();
    if (!isEmpty) throw new NotRecorded('the body');
    return Buffer.alloc(0);
  }

  async startOfBody(): Promise<Buffer> {
    return (await this.readBody()) ?? Buffer.alloc(0);
  }

  limitBody(): void {
    if (this.#announcesBody()) throw new NotRecorded('the length of the body');
  }

  replaceBody(): void {
    // The answer that the upstream gives is not predicted.
  }

  #announcesBody(): boolean {
    return this.fromClient.has('content-length') || this.fromClient.has('transfer-encoding');
  }
}
