import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy before a server that can swallow what the server answers and then cut the connection. */
export class SwallowingProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #isSwallowing = false;
  /** Bytes the client never saw. */
  swallowed = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `nats://127.0.0.1:${port}`;
  }

  static async start(targetPort: number): Promise<SwallowingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new SwallowingProxy(server, (server.address() as { port: number }).port);
    server.on('connection', (client) => proxy.#join(client, connect(targetPort, '127.0.0.1')));
    return proxy;
  }

  /** From now on answers vanish; the first one that does takes the connection with it. */
  swallowNextAnswer(): void {
    this.#isSwallowing = true;
  }

  #join(client: Socket, upstream: Socket): void {
    const pair = { client, upstream };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      upstream.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      // The answer to a publish comes as MSG or HMSG; pings and the rest pass.
      if (this.#isSwallowing && bytes.includes('"stream"')) {
        this.swallowed += bytes.length;
        this.#isSwallowing = false;
        end();
      } else client.write(bytes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#server.close();
    await once(this.#server, 'close');
  }
}
