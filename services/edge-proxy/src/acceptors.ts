import { createServer, Server as NetServer, type Socket } from 'node:net';

/**
 * Sockets that listen on the same port. libuv takes one connection from each in a turn of its loop, and under load
 * turns are long: with one socket 1,500 clients that came at once were let in one by one, and every other new client
 * waited 20 s behind them, whoever it was.
 */
const SOCKETS = 16;
/** Of each socket; the system's own limit may be lower. */
const BACKLOG = 4096;
/** Where the system spreads what comes over several sockets of one port. */
const SPREADS = process.platform === 'linux';

export interface AcceptorsOptions {
  /** On all sockets together; a connection beyond is closed. */
  readonly maxConnections: number;
  readonly onDrop: () => void;
  /** As `server` was made with. */
  readonly allowHalfOpen: boolean;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Others may listen on the port, too. */
  readonly reusePort: boolean;
}

/** Lets clients in to one server, by as many sockets as a flood of them needs. */
export class Acceptors {
  readonly #all: readonly NetServer[];
  #open = 0;

  constructor(server: NetServer, { maxConnections, onDrop, allowHalfOpen }: AcceptorsOptions) {
    const others = Array.from({ length: SPREADS ? SOCKETS - 1 : 0 }, () =>
      createServer({ allowHalfOpen, noDelay: true }, (socket) => server.emit('connection', socket)),
    );
    this.#all = [server, ...others];
    server.prependListener('connection', (socket: Socket) => {
      this.#open += 1;
      socket.once('close', () => {
        this.#open -= 1;
      });
    });
    // Node compares it with the connections of one socket; here all count together.
    const get = () => (this.#open >= maxConnections ? 0 : Number.POSITIVE_INFINITY);
    for (const each of this.#all) {
      Object.defineProperty(each, 'maxConnections', { get });
      each.on('drop', onDrop);
    }
  }

  /** @returns the port that is listened on. */
  async listen({ host, port, reusePort }: ListenOptions): Promise<number> {
    const [first, ...others] = this.#all;
    if (others.length === 0) return listenOn(first, { host, port, reusePort });
    if (!reusePort && port !== 0) await aloneOn(host, port);
    // Asked for any port, the system gives one that nobody has, also among those that would share.
    const taken = await listenOn(first, { host, port, reusePort: true });
    await Promise.all(others.map((each) => listenOn(each, { host, port: taken, reusePort: true })));
    return taken;
  }

  /** Lets nobody in any more. Resolves when who was let in has left. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map(closing));
  }
}

const listenOn = (server: NetServer | undefined, options: ListenOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    server?.once('error', reject);
    server?.listen({ ...options, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve((server.address() as { port: number }).port);
    });
  });

/** Not an HTTP server's own `close`: that one closes idle connections at once. */
const closing = (server: NetServer): Promise<void> =>
  new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()));

/** Sockets that share a port do not notice another program there: whether it is free has to be asked before. */
const aloneOn = async (host: string, port: number): Promise<void> => {
  const asking = createServer();
  await listenOn(asking, { host, port, reusePort: false });
  await closing(asking);
};
