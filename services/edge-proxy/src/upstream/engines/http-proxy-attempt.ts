import { type Agent, ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyExchange } from '../../exchange.ts';
import type { Headers } from '../../header-list.ts';
import { stalledFor } from '../client-stall.ts';
import type { Target } from '../target.ts';
import {
  type AttemptFailure,
  type AttemptOptions,
  endlessInterim,
  type IncomingAnswer,
  isTimeout,
  MAX_INTERIM,
  NAME_ERRORS,
  upstreamTimeout,
} from './engine.ts';
import { MessageAnswer } from './message-answer.ts';

/** What Node's own constructor calls for headers that are given as lines, in the order they are to be sent. */
type HeadWriter = ClientRequest & { agent: Agent; _storeHeader(firstLine: string, lines: string[]): void };
if (typeof (ClientRequest.prototype as HeadWriter)._storeHeader !== 'function')
  throw new Error('Node changed how it writes a request; read upstream/engines/http-proxy-attempt.ts');

type Pool = Agent & { addRequest(request: ClientRequest, options: object): void };

/** Without a body these end with their head; Node says of any other method that its body is empty. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);
/** Nobody sends trailers after a request, or waits to be asked for its body. */
const UNSENT: ReadonlySet<string> = new Set(['trailer', 'expect']);

/** The attempt that a connection carries now. */
const CARRIED = Symbol('the attempt carried');
type Carrier = Socket & { [CARRIED]?: HttpProxyAttempt | undefined };

const isCarrier = (socket: Carrier): boolean => CARRIED in socket;

/**
 * One request by the library. It is all that the library reads of a request, because the client's own object stays
 * as it came, and the agent that the library makes its request with: an agent is asked before anything is written,
 * so there the head is written as lines, and nobody makes a record of them, copies it three times and reads it line
 * by line. The library hands the attempt back with its events, so nothing has to be looked up: what a WeakMap holds
 * outlives every scavenge once the map has got old.
 */
export class HttpProxyAttempt {
  readonly method: string;
  readonly url: string;
  /** All that Node reads of them: whose certificate is asked for. */
  readonly headers: { readonly Host: string };
  readonly httpVersionMajor = 1;
  readonly socket: Socket;
  readonly connection: Socket;
  readonly keepAlive = true;
  readonly #lines: string[];
  readonly #target: Target;
  readonly #pool: Agent;
  readonly #exchange: ProxyExchange;
  readonly #timeouts: AttemptOptions['timeouts'];
  readonly #resolve: (answer: IncomingAnswer | AttemptFailure) => void;
  #request: ClientRequest | undefined;
  #limitMs: number;
  #isConnected = false;
  #hasTimedOut = false;

  constructor(
    exchange: ProxyExchange,
    { headers, path, target, timeouts }: AttemptOptions,
    pool: Agent,
    resolve: (answer: IncomingAnswer | AttemptFailure) => void,
  ) {
    frame(headers, exchange);
    this.method = exchange.upstreamMethod;
    this.url = path;
    this.headers = { Host: headers.get('host') ?? target.hostHeader };
    this.#lines = headers.toRaw(UNSENT);
    this.#target = target;
    this.#pool = pool;
    this.socket = exchange.request.socket;
    this.connection = this.socket;
    this.#exchange = exchange;
    this.#timeouts = timeouts;
    this.#resolve = resolve;
    this.#limitMs = exchange.body.hasBody ? timeouts.write : timeouts.read;
  }

  /** Errors of the client's side are the exchange's matter. */
  on(): void {}

  /** The library's request asks for a connection. The path is ours byte for byte; the library drops an empty query. */
  addRequest(request: HeadWriter, options: { agent: unknown }): void {
    const { protocol, host, port } = this.#target;
    request.agent = this.#pool;
    options.agent = this.#pool; // a connection keeps what it was opened with
    request.path = this.url;
    request._storeHeader(`${request.method} ${this.url} HTTP/1.1\r\n`, this.#lines);
    // Of all the options these are read for plain HTTP; the pool copies them once for each request.
    const plain = protocol === 'http:' ? { host, port, servername: '' } : options;
    (this.#pool as Pool).addRequest(request, plain);
  }

  /** It has a connection, though perhaps one that is still being made. */
  onSocket(request: ClientRequest, socket: Carrier): void {
    this.#request = request;
    const { hasBody } = this.#exchange.body;
    if (!isCarrier(socket)) socket.on('timeout', () => socket[CARRIED]?.onIdle(socket));
    socket[CARRIED] = this;
    request.once('close', () => {
      if (socket[CARRIED] === this) socket[CARRIED] = undefined; // it may go on to another request
    });
    if (socket.connecting)
      socket.once('connect', () => {
        this.#isConnected = true;
        socket.setTimeout(this.#limitMs);
      });
    else {
      this.#isConnected = true;
      // Writing a head starts the time anew, and one with a body may be written late.
      if (hasBody || socket.timeout !== this.#limitMs) socket.setTimeout(this.#limitMs);
    }
    if (hasBody)
      request.once('finish', () => {
        this.#limitMs = this.#timeouts.read;
        if (socket[CARRIED] === this) socket.setTimeout(this.#limitMs);
      });
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > MAX_INTERIM) request.destroy(endlessInterim());
    });
    // Nobody asked for another protocol. The library does not listen, and the request would never end.
    request.once('upgrade', (_answer, upgraded) => {
      upgraded.destroy();
      this.fail(Object.assign(new Error('upstream switched protocols unasked'), { code: 'HPE_UPGRADE' }));
    });
  }

  onResponse(upstream: IncomingMessage): void {
    upstream.headers = hintOf(upstream.rawHeaders);
    this.#resolve(new MessageAnswer(upstream));
  }

  /** Nothing has passed for as long as the service allows. */
  onIdle(socket: Socket): void {
    // A client that reads slowly makes the upstream's connection idle too: that is not the upstream's fault.
    const { response } = this.#exchange;
    if (response.writableNeedDrain && stalledFor(response, performance.now()) >= this.#timeouts.client)
      response.destroy();
    else if (response.writableNeedDrain || socket.connecting)
      socket.setTimeout(Math.min(this.#limitMs, this.#timeouts.client));
    else {
      this.#hasTimedOut = true;
      this.#request?.destroy(upstreamTimeout());
    }
  }

  readonly fail = (error: NodeJS.ErrnoException): void => this.#resolve(this.#failure(error));

  #failure(cause: NodeJS.ErrnoException): AttemptFailure {
    const { code = '' } = cause;
    const wasReused = this.#request?.reusedSocket === true;
    const base = { isUnsent: !this.#isConnected && !wasReused, wasReused, cause };
    if (this.#exchange.response.destroyed) return { ...base, kind: 'client-gone' };
    if (this.#hasTimedOut || isTimeout(code)) return { ...base, kind: 'timeout' };
    if (NAME_ERRORS.has(code)) return { ...base, kind: 'name', isUnsent: true };
    if (code.startsWith('HPE_')) return { ...base, kind: 'invalid' };
    return { ...base, kind: this.#isConnected ? 'reset' : 'refused' };
  }
}

/** Where the body ends is said as it will be written: Node takes lines at their word. */
const frame = (headers: Headers, { body: { hasBody }, upstreamMethod }: ProxyExchange): void => {
  const length = headers.get('content-length');
  if (headers.has('transfer-encoding') || (hasBody && length === undefined)) {
    headers.delete('content-length');
    headers.set('Transfer-Encoding', 'chunked');
  } else if (!hasBody && length !== '0' && (length !== undefined || !WITHOUT_BODY.has(upstreamMethod)))
    headers.set('Content-Length', '0');
};

const NO_HINT: IncomingMessage['headers'] = Object.freeze({});
const KEEP_ALIVE = 'keep-alive';

/** How long a connection may be kept: all that Node's pool reads of an answer's headers, which are read as lines. */
const hintOf = (lines: readonly string[]): IncomingMessage['headers'] => {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (name.length === KEEP_ALIVE.length && name.toLowerCase() === KEEP_ALIVE)
      return { 'keep-alive': lines[i + 1] };
  }
  return NO_HINT;
};
