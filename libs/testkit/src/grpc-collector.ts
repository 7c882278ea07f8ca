import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decodeTraces, type OtlpExport, type OtlpSpan } from './decode-otlp.ts';

const EXPORT_TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** gRPC's frame: whether it is compressed, and the length of the message. */
const PREFIX_BYTES = 5;
const EMPTY_FRAME = Buffer.alloc(PREFIX_BYTES);
const UNIMPLEMENTED = '12';

/** A real receiver of traces by OTLP over gRPC, in clear text; written from the protocol, without its library. */
export class GrpcCollector implements AsyncDisposable {
  readonly url: string;
  /** The headers of each call. */
  readonly calls: IncomingHttpHeaders[] = [];
  readonly #exports: OtlpExport<OtlpSpan>[] = [];
  readonly #server: Http2Server;
  readonly #sessions = new Set<{ destroy(): void }>();

  private constructor(server: Http2Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('session', (session) => this.#sessions.add(session));
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => this.#receive(stream, headers, Buffer.concat(chunks)));
    });
  }

  static async start(): Promise<GrpcCollector> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new GrpcCollector(server);
  }

  /** One for each resource that sent spans in one message. */
  exports(): readonly OtlpExport<OtlpSpan>[] {
    return this.#exports;
  }

  #receive(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer): void {
    this.calls.push(headers);
    const isKnown = headers[':path'] === EXPORT_TRACES;
    if (isKnown) this.#exports.push(decodeTraces(messageOf(body)));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isKnown ? '0' : UNIMPLEMENTED }));
    stream.end(isKnown ? EMPTY_FRAME : undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** A unary call has one frame. */
const messageOf = (body: Buffer): Buffer => {
  const end = PREFIX_BYTES + body.readUInt32BE(1);
  if (body.length !== end) throw new Error(`a gRPC frame of ${end} bytes came with ${body.length}`);
  const message = body.subarray(PREFIX_BYTES);
  return body[0] === 1 ? gunzipSync(message) : message;
};
