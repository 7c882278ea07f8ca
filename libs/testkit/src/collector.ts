import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeLogs, decodeTraces, type OtlpExport, type OtlpLog, type OtlpSpan } from './decode-otlp.ts';

/** A span of Zipkin's API v2, as far as tests read it. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: Readonly<Record<string, unknown>>;
  readonly remoteEndpoint: Readonly<Record<string, unknown>> | null;
  readonly tags?: Readonly<Record<string, string>>;
  readonly annotations?: readonly { readonly value: string; readonly timestamp: number }[];
}

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A real receiver of traces: OTLP over HTTP under `/v1/traces` and `/v1/logs`, Zipkin under `/api/v2/spans`. */
export class Collector implements AsyncDisposable {
  readonly url: string;
  readonly #received: Received[] = [];
  readonly #server: Server;
  /** What it answers, one after the other; then 200. */
  readonly statuses: number[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status = this.statuses.shift() ?? 200;
        const { url: path = '', headers } = request;
        if (status === 200) this.#received.push({ path, headers, body: Buffer.concat(chunks) });
        response.writeHead(status).end();
      });
    });
  }

  static async start(): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new Collector(server);
  }

  /** Every request taken, of a path when one is named. */
  requests(path?: string): readonly Received[] {
    return this.#received.filter((one) => path === undefined || one.path === path);
  }

  exports(path = '/v1/traces'): readonly OtlpExport<OtlpSpan>[] {
    return this.requests(path).map(({ body }) => decodeTraces(body));
  }

  /** All spans that came by OTLP. */
  spans(path?: string): readonly OtlpSpan[] {
    return this.exports(path).flatMap(({ entries }) => entries);
  }

  logs(path = '/v1/logs'): readonly OtlpLog[] {
    return this.requests(path).flatMap(({ body }) => decodeLogs(body).entries);
  }

  /** All spans that came in Zipkin's format. */
  zipkinSpans(path = '/api/v2/spans'): readonly ZipkinSpan[] {
    return this.requests(path).flatMap(({ body }) => JSON.parse(body.toString()) as ZipkinSpan[]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
