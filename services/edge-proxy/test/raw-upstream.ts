import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** An upstream that says exactly these bytes, whatever HTTP thinks of them. */
export class RawUpstream implements AsyncDisposable {
  readonly url: string;
  readonly sockets = new Set<Socket>();
  /** What each connection has sent so far, oldest first. */
  readonly received: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** `answer` is called for every request head that is complete; bodies it reads itself. */
  static async start(answer: (socket: Socket, head: string) => void): Promise<RawUpstream> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const upstream = new RawUpstream(server);
    server.on('connection', (socket) => upstream.#take(socket, answer));
    return upstream;
  }

  #take(socket: Socket, answer: (socket: Socket, head: string) => void): void {
    const at = this.received.push('') - 1;
    this.sockets.add(socket);
    let read = 0;
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes) => {
      const text = (this.received[at] ?? '') + bytes.toString('latin1');
      this.received[at] = text;
      for (let end = text.indexOf('\r\n\r\n', read); end !== -1; end = text.indexOf('\r\n\r\n', read)) {
        const head = text.slice(read, end);
        read = end + 4;
        if (/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(head)) answer(socket, head);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
