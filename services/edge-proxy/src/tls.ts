import http2 from 'node:http2';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { issueCertificate } from '@sluice/service-kit';
import { Acceptors, type ListenOptions } from './acceptors.ts';
import { http2Exchange, type OnHttp2Request } from './http2-exchange.ts';
import type { ClientPair } from './upstream/health/probe.ts';

/** What a client may take to agree on keys, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_STREAMS = 128;
const MIN_VERSION = 'TLSv1.2';

export interface TlsFrontOptions {
  /** The certificate for a server name; undefined: the default one. */
  readonly contextFor: (serverName: string) => SecureContext | undefined;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** A connection that speaks HTTP/1.1. */
  readonly onHttp1: (socket: TLSSocket) => void;
  readonly onHttp2Connection: () => void;
  /** A connection beyond `maxConnections` was closed. */
  readonly onDrop: () => void;
  readonly onHttp2: OnHttp2Request;
}

const builtInPair = (): ClientPair => {
  const { cert, key } = issueCertificate('localhost');
  return { cert, key };
};

/**
 * The TLS port: agrees on keys by the server name, then hands the connection to HTTP/1.1 or speaks HTTP/2 on it.
 * Clients without a server name get the certificate of sni `*`, else the built-in one.
 */
export class TlsFront {
  readonly #server: Server;
  readonly #acceptors: Acceptors;
  readonly #options: TlsFrontOptions;
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  /** Made at start; its key never leaves the process. */
  readonly #builtIn = builtInPair();
  #shown = this.#builtIn;

  constructor(options: TlsFrontOptions) {
    this.#options = options;
    this.#server = createServer({
      ...this.#builtIn,
      minVersion: MIN_VERSION,
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (serverName, done) => done(null, options.contextFor(serverName)),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
    });
    const { maxConnections, onDrop } = options;
    this.#acceptors = new Acceptors(this.#server, { maxConnections, onDrop, allowHalfOpen: false });
    this.#server.on('secureConnection', (socket) =>
      socket.alpnProtocol === 'h2' ? this.#speakHttp2(socket) : options.onHttp1(socket),
    );
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy()); // a scanner, or too old
  }

  /** @returns the port that is listened on. */
  listen(options: ListenOptions): Promise<number> {
    return this.#acceptors.listen(options);
  }

  /** The certificate for clients that name no server; undefined: the built-in one. */
  showByDefault(pair: ClientPair = this.#builtIn): void {
    if (pair === this.#shown) return;
    this.#shown = pair;
    this.#server.setSecureContext({ ...pair, minVersion: MIN_VERSION });
  }

  /** Takes no new connections and no new streams; `cut` ends what is still open. */
  close(): { readonly closed: Promise<void>; readonly cut: () => void } {
    const closed = this.#acceptors.close();
    for (const session of this.#sessions) session.close();
    return {
      closed,
      cut: () => {
        for (const session of this.#sessions) session.destroy();
      },
    };
  }

  #speakHttp2(socket: TLSSocket): void {
    const { keepAliveTimeoutMs, maxHeaderBytes, onHttp2, onHttp2Connection } = this.#options;
    onHttp2Connection();
    const session = http2.performServerHandshake(socket, {
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: maxHeaderBytes },
      maxHeaderListPairs: 2000,
    });
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => session.destroy());
    session.setTimeout(keepAliveTimeoutMs, () => session.close()); // streams under way still end
    session.on('stream', (stream, headers, _flags, rawHeaders) =>
      http2Exchange({ stream, headers, rawHeaders: rawHeaders as unknown as string[], socket }, onHttp2),
    );
  }
}
