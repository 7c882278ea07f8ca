import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Sends bytes as they are and resolves with all that came back, once the gateway has closed the connection. */
export const exchangeRaw = (origin: string, request: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(origin);
    const socket = connect({ host, port: Number(port) }, () => socket.write(request));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
  });

/** The lines of the head and the body of what `exchangeRaw` brought. */
export const splitRaw = (answer: string): { head: string[]; body: string } => {
  const end = answer.indexOf('\r\n\r\n');
  return { head: answer.slice(0, end).split('\r\n'), body: answer.slice(end + 4) };
};

/** An upstream that speaks TCP as a test tells it, for answers that no HTTP server gives. */
export class RawUpstream implements AsyncDisposable {
  readonly port: number;
  /** Connections taken so far. */
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** `onRequest` is called with the first bytes of every connection, a character each. */
  static async start(onRequest: (socket: Socket, first: string) => void): Promise<RawUpstream> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const upstream = new RawUpstream(server);
    server.on('connection', (socket) => {
      upstream.connections += 1;
      upstream.#open.add(socket);
      socket.once('close', () => upstream.#open.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.once('data', (first: Buffer) => onRequest(socket, first.toString('latin1')));
    });
    return upstream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
