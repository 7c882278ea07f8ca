import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayError, PromptFlag, QuotaState } from '@sluice/contracts';
import type { Route, Service } from '@sluice/gateway-config';
import type { BudgetVerdict, Exchange, Identity, UpstreamAnswer } from '@sluice/plugins';
import type { Chain, ChainStep, HostAndPort, PluginInstance } from '@sluice/routing';
import { Headers } from './header-list.ts';
import { bytesOfStream, isStream } from './http2-stream.ts';
import { loggedPath } from './observe/logged-path.ts';
import type { RequestSteps } from './observe/request-steps.ts';
import type { RequestTrace } from './observe/tracing.ts';
import { KONGS_PRESENTATION, type Presentation } from './presentation.ts';
import { randomHex } from './random-hex.ts';
import { RequestBody } from './request-body.ts';
import type { CompiledRoute } from './snapshot/compile.ts';
import { type SocketFacts, socketFacts } from './socket-facts.ts';

/** What a request cost and where it went, for metrics, log and the latency headers. Times by `performance.now()`. */
export interface Timing {
  readonly startedAt: number;
  /** Set when the first attempt at an upstream starts. */
  forwardedAt: number | undefined;
  /** Set when the upstream's head arrived, or the last attempt failed. */
  answeredAt: number | undefined;
  /** Set when the last byte is out, or the client has left. */
  endedAt: number | undefined;
}

/** One attempt at a target. `from` and `until` by `performance.now()`. */
export interface Attempted {
  readonly host: string;
  readonly port: number;
  /** Address of the connection, where there was one. */
  readonly ip: string | undefined;
  /** Unix time in ms. */
  readonly startedAt: number;
  readonly from: number;
  readonly until: number;
  readonly failure: string | undefined;
}

/** Status of a request whose client left before its answer began. */
export const CLIENT_CLOSED = 499;

/** One request and its answer, from the first byte to the last. The public half is what plugins see. */
export class ProxyExchange implements Exchange {
  readonly id = randomHex(16);
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly timing: Timing = {
    startedAt: performance.now(),
    forwardedAt: undefined,
    answeredAt: undefined,
    endedAt: undefined,
  };
  readonly startedAt = Date.now();
  readonly body: RequestBody;
  readonly fromClient: Headers;
  /** Replaced once by the screened copy, before any plugin runs. */
  toUpstream: Headers;
  toClient = Headers.empty();
  readonly method: string;
  readonly httpVersion: string;
  readonly rawTarget: string;
  /** Of its connection, shared by the requests on it. */
  readonly socket: SocketFacts;
  readonly connection: { readonly remotePort: number; readonly serial: number; readonly requests: number };
  readonly memo = new Map<string, unknown>();
  readonly bytesAtStart: { readonly read: number; readonly written: number };
  /** What was written of its answer, counted when it ended. */
  bytesWritten = 0;

  shows: Presentation = KONGS_PRESENTATION;
  scheme: 'http' | 'https' = 'http';
  host = '';
  port = 0;
  /** `Host` without its port, lower-case. */
  hostName = '';
  peer = '';
  clientIp = '';
  isPeerTrusted = false;
  mayCarryBaggage = false;
  hasOddNames = false;
  hostRead: HostAndPort | undefined;
  path = '/';
  query = '';
  hasBareQuestionMark = false;
  /** Empty until the target is read. */
  rawPath = '';
  uriCaptures: Readonly<Record<string, string>> = {};
  matchedPath = '';
  matched: CompiledRoute | undefined;
  service: Service | undefined;
  chain: Chain | undefined;
  /** Which instance had its turn, of the steps where that depends on the consumer. */
  turns: Map<ChainStep, PluginInstance | undefined> | undefined;
  identity: Identity | undefined;
  upstream: UpstreamAnswer | undefined;
  upstreamPath = '/';
  upstreamQuery = '';
  upstreamMethod: string;
  forwardedPrefix: string | undefined;
  trace: RequestTrace;
  /** Noted only where a tracing plugin will tell it. */
  steps: RequestSteps | undefined;
  /** The trace id as each header format writes it, where a tracing plugin wrote the headers. */
  adoptedTraceIds: Readonly<Record<string, string>> | undefined;
  /** Address of the last target tried, `host:port`. */
  target: string | undefined;
  tries = 0;
  /** Every attempt at a target, for the log record and spans. */
  readonly attempts: Attempted[] = [];
  /** Its service names an upstream entity. */
  isBalanced = false;
  /** Code of the answer the gateway gave in its own name. */
  errorCode: string | undefined;
  /** That answer. */
  refusal: GatewayError | undefined;
  /** Version of the configuration it lives in. */
  configVersion = 0;
  /** The instance whose access handler runs; after a refusal, the one that refused. */
  running: PluginInstance | undefined;
  /** Codes of what instances in `mode: shadow` would have answered, by their ids. */
  shadowed: Map<string, string> | undefined;
  /** What prompt-guard's instances saw, by their ids. */
  flagged: Map<string, PromptFlag> | undefined;
  /** What the ports answered whom, for the decision record. Times in ms. */
  authBy: PluginInstance | undefined;
  authSource: 'cache' | 'service' | undefined;
  authReason: string | undefined;
  authMs = 0;
  isAuthDegraded = false;
  limitBy: PluginInstance | undefined;
  limitKey = '';
  limitVerdict: BudgetVerdict | undefined;
  limitMs = 0;
  quotaBy: PluginInstance | undefined;
  quotaKey = '';
  quotaSource: 'cache' | 'service' | undefined;
  quotaState: QuotaState | null | undefined;
  quotaMs = 0;

  constructor(request: IncomingMessage, response: ServerResponse, trace: RequestTrace) {
    this.request = request;
    this.response = response;
    this.trace = trace;
    this.body = new RequestBody(request);
    this.fromClient = Headers.fromRaw(request.rawHeaders);
    this.toUpstream = this.fromClient;
    this.method = request.method ?? 'GET';
    this.httpVersion = request.httpVersion;
    this.upstreamMethod = this.method;
    this.rawTarget = request.url ?? '/';
    const { socket } = request;
    this.socket = socketFacts(socket);
    this.socket.requests += 1;
    const { remotePort, serial, requests } = this.socket;
    this.connection = { remotePort, serial, requests };
    this.bytesAtStart = { read: socket.bytesRead, written: socket.bytesWritten };
    if (isStream(request)) bytesOfStream(request); // counts from now on
  }

  /** Takes the time and the bytes of its end, once for all who tell of it. */
  end(): void {
    this.timing.endedAt = performance.now();
    const { bytesSent } = this.response as { bytesSent?: number };
    this.bytesWritten =
      bytesSent ?? Math.max(0, this.request.socket.bytesWritten - this.bytesAtStart.written);
  }

  /** What the client was answered; 499, Kong's word, where it left before its answer began. */
  get status(): number {
    const { response, upstream } = this;
    return response.headersSent ? response.statusCode : (upstream?.status ?? CLIENT_CLOSED);
  }

  get traceId(): string {
    return this.trace.traceId;
  }

  get route(): Route | undefined {
    return this.matched?.route;
  }

  /** The path for logs, traces and records, also of a target that could not be read. */
  get loggedPath(): string {
    return this.rawPath === '' ? loggedPath(this.rawTarget) : this.rawPath;
  }

  readBody(maxBytes: number): Promise<Buffer | undefined> {
    return this.body.read(maxBytes);
  }

  startOfBody(): Promise<Buffer> {
    return this.body.start();
  }

  limitBody(maxBytes: number, refusal: GatewayError): void {
    if (this.running?.entity.mode !== 'shadow') this.body.limit(maxBytes, refusal);
  }

  replaceBody(body: Buffer): void {
    this.body.replace(body);
    this.toUpstream.delete('transfer-encoding');
    this.toUpstream.set('content-length', `${body.length}`);
  }
}
