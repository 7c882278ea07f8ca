import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the upstream saw it, header names and order as they came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** Lower-case names; several lines joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an upstream does instead of answering 200 with what it saw; set per test with `answerWith`. */
export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  readonly delayMs?: number;
  /** Accepts the request and closes the connection without an answer. */
  readonly hangUp?: boolean;
}

/**
 * A real upstream. Answers 200 with what it saw as JSON, and header `X-Upstream: <name>`, unless the request's
 * query has `script=<key>` of an answer set by `answerWith`.
 */
export class EchoUpstream implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly seen: Seen[] = [];
  /** Connections taken so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scripts = new Map<string, Scripted>();

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(name = 'echo', port = 0): Promise<EchoUpstream> {
    const server = createServer();
    server.maxHeadersCount = 0;
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    const upstream = new EchoUpstream(name, server);
    server.on('connection', (socket) => {
      upstream.connections += 1;
      upstream.#sockets.add(socket);
      socket.once('close', () => upstream.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      const answer = (seen: Seen) => {
        const script = upstream.#scripts.get(
          new URL(`http://u${request.url}`).searchParams.get('script') ?? '',
        );
        if (script?.hangUp === true) return void request.socket.destroy();
        const body = script?.body ?? JSON.stringify(seen);
        const send = () => {
          response.setHeader('X-Upstream', upstream.name);
          if (script?.headers?.['Content-Type'] === undefined)
            response.setHeader('Content-Type', 'application/json');
          for (const [header, value] of Object.entries(script?.headers ?? {}))
            response.setHeader(header, value);
          response.writeHead(script?.status ?? 200).end(body);
        };
        if (script?.delayMs === undefined) send();
        else setTimeout(send, script.delayMs);
      };
      upstream.#seenBy(request).then(answer, () => request.socket.destroy()); // half a request is none
    });
    return upstream;
  }

  /** From now on requests with `?script=<key>` are answered so. */
  answerWith(key: string, scripted: Scripted): void {
    this.#scripts.set(key, scripted);
  }

  async #seenBy(request: IncomingMessage): Promise<Seen> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const rawHeaders: [string, string][] = [];
    const headers: Record<string, string> = {};
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i] ?? '';
      const value = request.rawHeaders[i + 1] ?? '';
      rawHeaders.push([name, value]);
      const lower = name.toLowerCase();
      headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
    }
    const { method = '', url = '', httpVersion } = request;
    const seen = { method, url, httpVersion, rawHeaders, headers, body: Buffer.concat(chunks).toString() };
    this.seen.push(seen);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
