import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a network does to a connection. */
export type NetworkFault =
  /** Bytes arrive after so many ms, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing arrives and nobody is told; what was sent meanwhile arrives when it heals. */
  | { readonly kind: 'partition' }
  /** As above on connections that exist; nothing ever arrives on those that are opened meanwhile, also afterwards. */
  | { readonly kind: 'blackhole' }
  /** As above on connections that exist, and new ones are refused. */
  | { readonly kind: 'refuse' }
  /** Answers of the server are replaced by bytes that mean nothing. */
  | { readonly kind: 'garbage' }
  /** At most so many bytes a second in each direction of a connection. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

const GARBAGE = Buffer.from('\u0000\u00ff?? not a protocol ??\r\n', 'latin1');
const SLICE_MS = 20;
/** Faults under which connections pass nothing on. */
const HOLDING: ReadonlySet<NetworkFault['kind']> = new Set(['partition', 'blackhole', 'refuse']);

/**
 * A TCP proxy on loopback between a client and a server. While it is whole it passes bytes on; faults are switched
 * on and off from outside. `reset` cuts everything at once, as a firewall that forgot its connections.
 */
export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  readonly #lost = new Set<Socket>();
  #fault: NetworkFault | undefined;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (client) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: false });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, targetPort);
  }

  /** The target's URL with the proxy's port: user info and path stay. */
  urlFor(target: string): string {
    const url = new URL(target);
    url.port = `${this.port}`;
    return url.href.replace(/\/$/, '');
  }

  get connections(): number {
    return this.#pipes.size / 2;
  }

  /** From now on, until `heal` or another fault. */
  inject(fault: NetworkFault): void {
    this.#fault = fault;
    for (const pipe of this.#pipes) pipe.change(fault);
  }

  heal(): void {
    this.#fault = undefined;
    for (const pipe of this.#pipes) pipe.change(undefined);
  }

  /** Cuts every connection with RST. */
  reset(): void {
    for (const pipe of this.#pipes) pipe.reset();
  }

  #accept(client: Socket, targetPort: number): void {
    client.on('error', () => undefined);
    if (this.#fault?.kind === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    if (this.#fault?.kind === 'blackhole') {
      this.#lost.add(client);
      client.once('close', () => this.#lost.delete(client)).resume();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    const pipes = [new Pipe(client, upstream, false), new Pipe(upstream, client, true)];
    for (const pipe of pipes) {
      pipe.change(this.#fault);
      this.#pipes.add(pipe);
    }
    const end = () => {
      client.destroy();
      upstream.destroy();
      for (const pipe of pipes) this.#pipes.delete(pipe);
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pipe of this.#pipes) pipe.reset();
    for (const client of this.#lost) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One direction of a connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #isAnswers: boolean;
  #fault: NetworkFault | undefined;
  /** What has arrived and not been passed on, with the earliest instant for it. */
  #held: { readonly bytes: Buffer; readonly notBefore: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, isAnswers: boolean) {
    this.#from = from;
    this.#to = to;
    this.#isAnswers = isAnswers;
    from.on('data', (bytes: Buffer) => this.#receive(bytes));
    from.on('close', () => clearTimeout(this.#timer));
    to.on('drain', () => this.#from.resume());
  }

  change(fault: NetworkFault | undefined): void {
    this.#fault = fault;
    this.#passOn();
  }

  reset(): void {
    this.#from.resetAndDestroy();
  }

  #receive(bytes: Buffer): void {
    const waitMs = this.#fault?.kind === 'delay' ? this.#fault.ms : 0;
    this.#held.push({ bytes, notBefore: performance.now() + waitMs });
    this.#passOn();
  }

  #passOn(): void {
    clearTimeout(this.#timer);
    const fault = this.#fault;
    if (fault !== undefined && HOLDING.has(fault.kind)) return;
    let budget = fault?.kind === 'throttle' ? Math.ceil((fault.bytesPerSecond * SLICE_MS) / 1000) : Infinity;
    const now = performance.now();
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      if (budget <= 0 || (fault?.kind === 'delay' && first.notBefore > now)) break;
      this.#held.shift();
      const part = first.bytes.subarray(0, budget);
      if (part.length < first.bytes.length)
        this.#held.unshift({ ...first, bytes: first.bytes.subarray(part.length) });
      budget -= part.length;
      this.#write(fault?.kind === 'garbage' && this.#isAnswers ? GARBAGE : part);
    }
    const [next] = this.#held;
    if (next === undefined) return;
    const waitMs = fault?.kind === 'delay' ? Math.max(1, next.notBefore - now) : SLICE_MS;
    this.#timer = setTimeout(() => this.#passOn(), waitMs);
  }

  #write(bytes: Buffer): void {
    if (!this.#to.write(bytes)) this.#from.pause();
  }
}
