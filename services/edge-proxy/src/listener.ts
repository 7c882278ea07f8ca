import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError } from '@sluice/contracts';
import { Acceptors, type ListenOptions } from './acceptors.ts';
import { renderError, SERVER_NAME } from './answer.ts';
import { condemn, isCondemned } from './condemned.ts';
import type { ProxyExchange } from './exchange.ts';
import { type Gateway, handleRequest } from './gateway.ts';
import { Headers } from './header-list.ts';
import { endStream, isStream } from './http2-stream.ts';
import { boundUnwantedBody, endAndLetGo, lingerOnClose } from './lingering-close.ts';
import type { OverloadGate } from './overload/gate.ts';
import { shedRequest } from './overload/shed.ts';
import type { Presentation } from './presentation.ts';
import { randomHex } from './random-hex.ts';
import type { Settings } from './settings.ts';
import { SlowBodies } from './slow-bodies.ts';
import { TlsFront } from './tls.ts';
import { carryWebSocket } from './upstream/upgrade.ts';

/** How often connections are looked at that take too long, at most, in ms: Node's half a minute is long for a flood. */
const LOOK_FOR_SLOW_MS = 5000;
/** Part of the time to drain, and at most so long: then connections on which nobody asks are closed. */
const IDLE_SHARE = 1 / 3;
const IDLE_GRACE_MS = 1000;
const LOOK_FOR_IDLE_MS = 50;
/** A slow client has so long to read its 408, in ms. */
const CUT_WITHIN_MS = 500;

type ListenerSettings = Pick<
  Settings,
  'MAX_HEADER_BYTES' | 'KEEP_ALIVE_TIMEOUT_MS' | 'HEADERS_TIMEOUT_MS' | 'BODY_TIMEOUT_MS' | 'MAX_CONNECTIONS'
>;

/** Requests of a connection that are being answered; more than one when a client does not wait. */
interface UnderWay {
  count: number;
  last: IncomingMessage;
  response: ServerResponse;
}
const underWay = new WeakMap<Socket, UnderWay>();

/** The ports clients connect to: plain, and TLS where it is asked for. */
export class Listener {
  readonly #server: Server;
  readonly #acceptors: Acceptors;
  readonly #upgraded = new Set<Duplex>();
  readonly #gateway: Gateway;
  readonly #settings: ListenerSettings;
  readonly #gate: OverloadGate;
  readonly #slowBodies: SlowBodies | undefined;
  #tls: TlsFront | undefined;
  #accepted = 0;
  #requests = 0;
  #isDraining = false;

  constructor(gateway: Gateway, settings: ListenerSettings, gate: OverloadGate) {
    this.#gateway = gateway;
    this.#gate = gate;
    this.#settings = settings;
    this.#slowBodies =
      settings.BODY_TIMEOUT_MS === 0
        ? undefined
        : new SlowBodies(settings.BODY_TIMEOUT_MS, (request) => cutSlow(request, gateway.shows));
    this.#server = createServer({
      maxHeaderSize: settings.MAX_HEADER_BYTES,
      keepAliveTimeout: settings.KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: settings.HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(LOOK_FOR_SLOW_MS, settings.HEADERS_TIMEOUT_MS / 2),
      requestTimeout: 0, // a long upload is not an attack; `SlowBodies` bounds how slow it may be
      noDelay: true,
      requireHostHeader: false, // Node's own 400 has none of our lines; screenRequest refuses such a request
      // Any other upgrade is an ordinary request whose Upgrade header goes no further.
      shouldUpgradeCallback: (request) =>
        request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET',
    });
    this.#server.maxHeadersCount = 0; // Node drops header 2,001 silently; the byte limit bounds them instead
    this.#acceptors = new Acceptors(this.#server, {
      maxConnections: settings.MAX_CONNECTIONS,
      onDrop: () => gateway.metrics.connectionDropped(),
      allowHalfOpen: true, // as every HTTP server of Node
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#accepted += 1;
      lingerOnClose(socket, () => underWay.get(socket)?.last);
    });
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    // Node answers 417 in its own name; nginx knows 100-continue alone and lets the others go no further.
    this.#server.on('checkExpectation', (request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as Socket, head));
    this.#server.on('connect', (_request, socket) =>
      answerRaw(socket, new GatewayError('GW_METHOD_NOT_ALLOWED'), gateway.shows),
    );
    this.#server.on('clientError', (error, socket) =>
      onMalformed(error as NodeJS.ErrnoException, socket, gateway.shows),
    );
  }

  /** @returns the port that is listened on. */
  listen(options: ListenOptions): Promise<number> {
    return this.#acceptors.listen(options);
  }

  /** Opens the TLS port. @returns the port that is listened on. */
  listenTls(options: ListenOptions): Promise<number> {
    this.#tls = new TlsFront({
      contextFor: (serverName) => this.#gateway.current?.certificates.contextFor(serverName),
      keepAliveTimeoutMs: this.#settings.KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderBytes: this.#settings.MAX_HEADER_BYTES,
      maxConnections: this.#settings.MAX_CONNECTIONS,
      onDrop: () => this.#gateway.metrics.connectionDropped(),
      onHttp1: (socket) => this.#server.emit('connection', socket),
      onHttp2Connection: () => {
        this.#accepted += 1;
      },
      onHttp2: (request, response) => this.#onRequest(request, response),
    });
    this.followCertificates();
    return this.#tls.listen(options);
  }

  /** Called after every change of the configuration. */
  followCertificates(): void {
    this.#tls?.showByDefault(this.#gateway.current?.certificates.defaultPair());
  }

  get counts(): { active: number; accepted: number; requests: number } {
    return { active: this.#active, accepted: this.#accepted, requests: this.#requests };
  }

  get #active(): number {
    return this.#inFlight;
  }
  #inFlight = 0;

  /**
   * Takes no new connections, answers what is under way with `Connection: close`, and cuts what is still open
   * after `limitMs`. An idle connection may carry a request that is on its way to us, which closing it would lose:
   * it is left open for a moment, in which whoever uses it is told to go elsewhere.
   */
  async drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    const plainClosed = this.#acceptors.close();
    const tls = this.#tls?.close();
    const closesIdleAt = performance.now() + Math.min(IDLE_GRACE_MS, limitMs * IDLE_SHARE);
    const idle = setInterval(() => {
      if (performance.now() >= closesIdleAt) this.#server.closeIdleConnections();
    }, LOOK_FOR_IDLE_MS);
    const deadline = setTimeout(() => {
      this.#server.closeAllConnections();
      tls?.cut();
      for (const socket of this.#upgraded) socket.destroy();
    }, limitMs);
    await Promise.all([plainClosed, tls?.closed]);
    clearInterval(idle);
    clearTimeout(deadline);
    this.#slowBodies?.stop();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (isCondemned(request.socket)) {
      response.destroy();
      return;
    }
    if (this.#isDraining) response.setHeader('Connection', 'close');
    this.#requests += 1;
    this.#inFlight += 1;
    const onSocket = noteRequest(request, response);
    response.once('close', () => {
      this.#inFlight -= 1;
      this.#slowBodies?.forget(request);
      onSocket.count -= 1;
      if (onSocket.count === 0 && isCondemned(request.socket)) endAndLetGo(request.socket);
      if (!request.complete) boundUnwantedBody(request);
    });
    this.#slowBodies?.watch(request, response);
    if (this.#gate.isActive && !this.#gate.admits(request)) this.#shed(request, response);
    else this.#handle(handleRequest(this.#gateway, request, response), response);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#requests += 1;
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => endAndLetGo(socket));
    if (this.#gate.isActive && !this.#gate.admits(request)) this.#shed(request, response);
    else
      this.#handle(handleRequest(this.#gateway, request, response, carryWebSocket(socket, head)), response);
  }

  #shed(request: IncomingMessage, response: ServerResponse): void {
    this.#gateway.records.noteShed(shedRequest(request, response), request, this.#gate);
  }

  /** A rejection here is a bug of ours: one request pays for it, not the process. */
  #handle(handling: Promise<ProxyExchange>, response: ServerResponse): void {
    if (this.#gate.isActive) handling.then((exchange) => this.#gate.learn(exchange)).catch(() => undefined);
    handling.catch((error: unknown) => {
      this.#gateway.logger.error({ err: error }, 'request handling failed');
      response.destroy();
    });
  }
}

const noteRequest = (request: IncomingMessage, response: ServerResponse): UnderWay => {
  const known = underWay.get(request.socket);
  if (known === undefined) {
    const first = { count: 1, last: request, response };
    underWay.set(request.socket, first);
    return first;
  }
  known.count += 1;
  known.last = request;
  known.response = response;
  return known;
};

const onMalformed = (error: NodeJS.ErrnoException, socket: Duplex, shows: Presentation): void => {
  condemn(socket as Socket);
  const { count = 0, last, response } = underWay.get(socket as Socket) ?? {};
  // It stands behind whole requests: those are answered first, and the last answer ends the connection.
  if (count > 0 && last?.complete === true && error.code !== 'ECONNRESET') return;
  const isAnswering = count > 1 || (count === 1 && response?.headersSent === true);
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const refusal = MALFORMED[error.code ?? ''] ?? 'GW_BAD_REQUEST';
  answerRaw(socket, new GatewayError(refusal), shows);
};
const MALFORMED: Readonly<Record<string, 'GW_HEADERS_TOO_LARGE' | 'GW_REQUEST_TIMEOUT'>> = {
  HPE_HEADER_OVERFLOW: 'GW_HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'GW_REQUEST_TIMEOUT',
};

/** 408, and the end of the connection (of HTTP/2: of the stream), and with it of the upstream's. */
const cutSlow = (request: IncomingMessage, shows: Presentation): void => {
  if (isStream(request)) {
    endStream(request, new GatewayError('GW_REQUEST_TIMEOUT'), shows);
    return;
  }
  onMalformed(
    Object.assign(new Error('the body trickles'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
    request.socket,
    shows,
  );
  boundUnwantedBody(request, CUT_WITHIN_MS);
};

/** Answers on a socket for which there is no parsed request, and closes it. */
const answerRaw = (socket: Duplex, error: GatewayError, shows: Presentation): void => {
  const id = randomHex(16);
  const { body, type } = renderError(error, { id, fromClient: Headers.empty(), shows });
  endAndLetGo(
    socket,
    `HTTP/1.1 ${error.status} ${error.message}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `${shows.server ? `Server: ${SERVER_NAME}\r\n` : ''}${shows.requestId ? `X-Kong-Request-Id: ${id}\r\n` : ''}` +
      `Connection: close\r\n\r\n${body}`,
  );
};
