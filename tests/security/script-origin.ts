import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One connection of an origin that says what it likes. */
export interface Said {
  readonly socket: Socket;
  /** All heads so far, without their bodies' sense. */
  received: string;
  /** Number of requests whose head has come on this connection. */
  requests: number;
}

/** An origin that speaks bytes: `onHead` is called for each head that ends on a connection. */
export class ScriptOrigin implements AsyncDisposable {
  readonly port: number;
  /** Request lines in order. */
  readonly heard: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(
    onHead: (said: Said, head: string, origin: ScriptOrigin) => void,
  ): Promise<ScriptOrigin> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const origin = new ScriptOrigin(server);
    server.on('connection', (socket) => {
      const said: Said = { socket, received: '', requests: 0 };
      origin.connections += 1;
      origin.#open.add(socket);
      socket.once('close', () => origin.#open.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        said.received += chunk.toString('latin1');
        for (let end = said.received.indexOf('\r\n\r\n'); end >= 0; end = said.received.indexOf('\r\n\r\n')) {
          const head = said.received.slice(0, end + 4);
          said.received = said.received.slice(end + 4);
          said.requests += 1;
          origin.heard.push(head.slice(0, head.indexOf('\r\n')));
          onHead(said, head, origin);
        }
      });
    });
    return origin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
