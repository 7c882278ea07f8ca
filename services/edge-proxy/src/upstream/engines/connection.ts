import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import type { DispatchAttempt } from './dispatch-attempt.ts';
import { HeadLines } from './head-lines.ts';

/** An idle connection is closed after this; sooner where the upstream says so. */
const IDLE_MS = 60_000;
/** Closed this long before the upstream's own time is up: less, and a request may meet the close. */
const IDLE_MARGIN_MS = 1000;
const TCP_KEEP_ALIVE_MS = 60_000;

/** Where connections of one kind lead. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. `session` is the last one, to be resumed. */
  readonly tls: tls.ConnectionOptions | undefined;
}

export interface ConnectionEvents {
  /** It may carry another request. */
  readonly free: (connection: Connection) => void;
  readonly gone: (connection: Connection) => void;
}

/**
 * One connection to an upstream, one request at a time. An undici Client each, and not its Pool: so it is known
 * which connection carries a request, whether it served before and whom it leads to.
 */
export class Connection {
  readonly #peer: Peer;
  readonly #events: ConnectionEvents;
  readonly #client: Client;
  #socket: Socket | undefined;
  #attempt: DispatchAttempt | undefined;
  #isGone = false;
  #host: string | undefined;
  /** Requests this connection carried before. */
  uses = 0;
  remoteAddress: string | undefined;
  /** Why its socket failed. */
  error: Error | undefined;

  constructor(peer: Peer, events: ConnectionEvents) {
    this.#peer = peer;
    this.#events = events;
    this.#client = new Client(ORIGIN, {
      connect: (_options, callback) => this.#connect(callback),
      pipelining: 1,
      useMilo: false,
      // Its own are a second off; ours are the socket's.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      keepAliveTimeoutThreshold: IDLE_MARGIN_MS,
    });
    this.#client.on('drain', () => {
      if (!this.#isGone && this.#attempt === undefined) events.free(this);
    });
    this.#client.on('disconnect', () => {
      // With a request that was not sent yet undici connects again by itself.
      if (this.#attempt === undefined) this.#leave();
    });
    this.#client.on('connectionError', () => this.#leave());
  }

  /** `host`: of its `Host` line, which the request's own headers are without. */
  carry(request: Dispatcher.DispatchOptions, host: string, attempt: DispatchAttempt): void {
    this.#attempt = attempt;
    if (this.#host !== host) {
      this.#host = host;
      nameHost(this.#client, host);
    }
    this.#client.dispatch(request, attempt);
  }

  /** The attempt is over: whole, broken or given up. */
  release(): void {
    this.#attempt = undefined;
  }

  /** Ms without a byte in either direction until the attempt is told. */
  set idleLimit(ms: number) {
    if (this.#socket !== undefined && this.#socket.timeout !== ms) this.#socket.setTimeout(ms);
  }

  /** Counts the idle time from now. */
  restartIdleTime(ms: number): void {
    this.#socket?.setTimeout(ms);
  }

  /** Ends it, and with it a request that was not sent yet. */
  close(error: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.gone(this);
    this.#client.destroy(error, () => undefined);
    this.#socket?.destroy();
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.gone(this);
    this.#client.destroy(null, () => undefined);
  }

  #connect(callback: (...result: [null, Socket] | [Error, null]) => void): void {
    const socket = open(this.#peer);
    this.#socket = socket;
    this.uses = 0;
    this.error = undefined;
    let isConnected = false;
    const timer = setTimeout(
      () => socket.destroy(connectTimeout()),
      this.#attempt?.connectTimeoutMs ?? IDLE_MS,
    );
    socket.once(this.#peer.tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      isConnected = true;
      this.remoteAddress = socket.remoteAddress;
      writeNamesAsKong(socket);
      callback(null, socket);
      readHeadsAsWeDo(socket);
    });
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', (error) => {
      this.error = error;
      if (!isConnected) callback(error, null);
    });
    socket.on('timeout', () => this.#attempt?.onIdle());
  }
}

/** Undici is told this one for every peer: it asks us for the sockets, TLS or not. */
const ORIGIN = 'http://upstream';

const connectTimeout = (): Error =>
  Object.assign(new Error('upstream was not connected in time'), { code: 'ECONNECT_TIMEOUT' });

const open = (peer: Peer): Socket => {
  const to = { host: peer.host, port: peer.port, noDelay: true, keepAlive: true };
  const delay = { keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (peer.tls === undefined) return net.connect({ ...to, ...delay });
  const socket = tls.connect({ ...peer.tls, ...to, ...delay, ALPNProtocols: ['http/1.1'] });
  const { tls: options } = peer;
  socket.on('session', (session) => {
    options.session = session;
  });
  socket.once('error', () => {
    delete options.session;
  });
  return socket;
};

interface Parser {
  headers: readonly Buffer[] | HeadLines;
  onHeadersComplete: (this: Parser, status: number, isUpgrade: boolean, shouldKeepAlive: boolean) => number;
}

let readsAsWeDo = false;

/**
 * Undici takes a `100 Continue` that nobody asked for as a fault; servers may send it, and some do (RFC 9110 section
 * 15.2). Its parser reads any other interim answer over, so it is shown as one. And it decodes every head once more
 * than is needed, unless what it finds is no array. By the parser's prototype, once.
 */
const readHeadsAsWeDo = (socket: Socket): void => {
  if (readsAsWeDo) return;
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  const parser = key && (socket as unknown as Record<symbol, unknown>)[key];
  if (typeof parser !== 'object' || parser === null) return;
  const prototype = Object.getPrototypeOf(parser) as Parser;
  const { onHeadersComplete } = prototype;
  prototype.onHeadersComplete = function (status, isUpgrade, shouldKeepAlive) {
    if (!isUpgrade && Array.isArray(this.headers)) this.headers = new HeadLines(this.headers);
    return onHeadersComplete.call(this, status === 100 ? 102 : status, isUpgrade, shouldKeepAlive);
  };
  readsAsWeDo = true;
};

type WithSymbols = Record<symbol, unknown>;
let hostLine: symbol | undefined;

/**
 * The line that undici writes for requests without a `Host` of their own: as Kong spells it, since there are upstreams
 * that care. By the client's own property, so that no head has to be taken apart again.
 */
const nameHost = (client: Client, host: string): void => {
  hostLine ??= Object.getOwnPropertySymbols(client).find(({ description }) => description === 'host header');
  if (hostLine === undefined) throw new Error('undici keeps no host line');
  (client as unknown as WithSymbols)[hostLine] = `Host: ${host}\r\n`;
};

/** Undici writes the length of a body itself, in lower case. */
const writeNamesAsKong = (socket: Socket): void => {
  const write = socket.write as (...data: unknown[]) => boolean;
  socket.write = (data: unknown, ...rest: unknown[]) =>
    write.call(socket, typeof data === 'string' ? withKongsName(data) : data, ...rest);
};

const END = '\r\n\r\n';
const LENGTH = '\r\ncontent-length: ';

/** A request's head with `Content-Length` last, where undici puts it; other text as it is. */
const withKongsName = (text: string): string => {
  if (!text.endsWith(END)) return text;
  const last = text.lastIndexOf('\r\n', text.length - END.length - 1);
  return last !== -1 && text.startsWith(LENGTH, last)
    ? `${text.slice(0, last)}\r\nContent-Length: ${text.slice(last + LENGTH.length)}`
    : text;
};
