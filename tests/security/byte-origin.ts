import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { parseStrictly, type StrictRequest } from './strict-parser.ts';

/**
 * An origin that keeps every byte it gets, reads them by the strict parser, and answers each request on a connection
 * that stays open: the second request of a smuggler would be answered as well.
 */
export class ByteOrigin implements AsyncDisposable {
  readonly port: number;
  readonly requests: StrictRequest[] = [];
  /** What two servers could read differently, with the bytes. */
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(): Promise<ByteOrigin> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const origin = new ByteOrigin(server);
    server.on('connection', (socket) => origin.#serve(socket));
    return origin;
  }

  /** What came for a path, queries aside. */
  seen(path: string): StrictRequest[] {
    return this.requests.filter(({ target }) => target.split('?', 1)[0] === path);
  }

  #serve(socket: Socket): void {
    let bytes = '';
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1');
      for (;;) {
        if (bytes === '') return;
        const parsed = parseStrictly(bytes);
        if (parsed.kind === 'partial') return;
        if (parsed.kind === 'fault') {
          this.faults.push(`${parsed.fault} in ${JSON.stringify(bytes.slice(0, 400))}`);
          socket.destroy();
          return;
        }
        bytes = parsed.rest;
        this.requests.push(parsed.request);
        const body = parsed.request.method === 'HEAD' ? '' : 'ok';
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${body}`);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
