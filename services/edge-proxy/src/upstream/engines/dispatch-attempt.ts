import { type Dispatcher, errors } from 'undici';
import type { ProxyExchange } from '../../exchange.ts';
import { stalledFor } from '../client-stall.ts';
import type { Connection } from './connection.ts';
import {
  type AnswerReader,
  type AttemptFailure,
  type AttemptOptions,
  endlessInterim,
  type IncomingAnswer,
  isTimeout,
  MAX_INTERIM,
  NAME_ERRORS,
  upstreamTimeout,
} from './engine.ts';
import { HeadLines, linesOf } from './head-lines.ts';

/** What may come of a body before its reader is there, in bytes; then the upstream waits. */
const MAX_EARLY_BYTES = 64 * 1024;

const NO_LINES: readonly string[] = [];

type Controller = Dispatcher.DispatchController;

/**
 * One request on one connection: undici's handler and, once the head has come, the answer itself. One object for a
 * request, because this is where most of its time goes.
 */
export class DispatchAttempt implements Dispatcher.DispatchHandler, IncomingAnswer {
  readonly #exchange: ProxyExchange;
  readonly #timeouts: AttemptOptions['timeouts'];
  readonly #connection: Connection;
  readonly #resolve: (answer: IncomingAnswer | AttemptFailure) => void;
  readonly #onClientClose = (): void => this.destroy();
  #controller: Controller | undefined;
  #limitMs: number;
  #wasReused: boolean;
  #hasTimedOut = false;
  #hasAnswered = false;
  #state: 'running' | 'ended' | 'broken' = 'running';
  #reader: AnswerReader | undefined;
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  #interim = 0;
  #whenClosed: (() => void) | undefined;
  status = 0;
  statusMessage = '';
  rawHeaders: string[] = [];
  rawTrailers = NO_LINES;

  constructor(
    exchange: ProxyExchange,
    connection: Connection,
    timeouts: AttemptOptions['timeouts'],
    resolve: (answer: IncomingAnswer | AttemptFailure) => void,
  ) {
    this.#exchange = exchange;
    this.#connection = connection;
    this.#timeouts = timeouts;
    this.#resolve = resolve;
    this.#limitMs = exchange.body.hasBody ? timeouts.write : timeouts.read;
    this.#wasReused = connection.uses > 0;
    exchange.response.on('close', this.#onClientClose);
  }

  get connectTimeoutMs(): number {
    return this.#timeouts.connect;
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    this.#wasReused = this.#connection.uses > 0;
    this.#connection.uses += 1;
    // The client may have left while the connection was made; nobody would ever drain its answer.
    if (this.#state !== 'running' || this.#exchange.response.destroyed) controller.abort(clientLeft());
    else this.#connection.idleLimit = this.#limitMs;
  }

  onRequestSent(): void {
    if (this.#state !== 'running') return;
    this.#limitMs = this.#timeouts.read;
    this.#connection.idleLimit = this.#limitMs;
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, message?: string): void {
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) controller.abort(endlessInterim());
      return;
    }
    this.status = status;
    this.statusMessage = message ?? '';
    this.rawHeaders = linesIn(controller.rawHeaders);
    this.#hasAnswered = true;
    this.#resolve(this);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#reader !== undefined) {
      this.#reader.chunk(chunk);
      return;
    }
    this.#early ??= [];
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) controller.pause();
  }

  onResponseEnd(controller: Controller): void {
    const { rawTrailers } = controller;
    if (Array.isArray(rawTrailers) && rawTrailers.length > 0) this.rawTrailers = linesIn(rawTrailers);
    // A body that ends with its connection is not whole when that was reset.
    this.#finish(this.#connection.error === undefined ? 'ended' : 'broken');
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#finish('broken');
    if (this.#controller === undefined) this.#connection.close(error); // nothing was sent, so nothing else ends it
    if (!this.#hasAnswered) this.#resolve(this.#failure(error));
  }

  /** Nothing has passed for as long as the service allows. */
  onIdle(): void {
    if (this.#controller === undefined) return;
    // A client that reads slowly makes the upstream's connection idle too: that is not the upstream's fault.
    const { response } = this.#exchange;
    if (response.writableNeedDrain) {
      if (stalledFor(response, performance.now()) >= this.#timeouts.client) response.destroy();
      else this.#connection.restartIdleTime(Math.min(this.#limitMs, this.#timeouts.client));
      return;
    }
    this.#hasTimedOut = true;
    this.#controller.abort(upstreamTimeout());
  }

  takeWhole(): Buffer | undefined {
    if (this.#state !== 'ended' || this.rawTrailers.length > 0) return undefined;
    return this.#early?.length === 1 ? this.#early[0] : undefined;
  }

  read(reader: AnswerReader): void {
    this.#reader = reader;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) {
      for (const chunk of early) reader.chunk(chunk);
      if (this.#earlyBytes > MAX_EARLY_BYTES && !this.#exchange.response.writableNeedDrain) this.resume();
    }
    if (this.#state === 'ended') reader.ended();
    else if (this.#state === 'broken') reader.broke();
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  destroy(): void {
    if (this.#state !== 'running') return;
    if (this.#controller !== undefined) this.#controller.abort(clientLeft());
    else this.#connection.close(clientLeft());
  }

  whenClosed(listener: () => void): void {
    if (this.#state === 'running') this.#whenClosed = listener;
    else listener();
  }

  #finish(state: 'ended' | 'broken'): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#connection.release();
    this.#exchange.response.off('close', this.#onClientClose);
    this.#whenClosed?.();
    if (state === 'ended') this.#reader?.ended();
    else this.#reader?.broke();
  }

  #failure(cause: NodeJS.ErrnoException): AttemptFailure {
    const { code = '' } = cause;
    const isUnsent = this.#controller === undefined;
    const base = { isUnsent, wasReused: this.#wasReused, cause };
    if (this.#exchange.response.destroyed) return { ...base, kind: 'client-gone' };
    if (this.#hasTimedOut || isTimeout(code)) return { ...base, kind: 'timeout' };
    if (NAME_ERRORS.has(code)) return { ...base, kind: 'name', isUnsent: true };
    if (isInvalid(cause)) return { ...base, kind: 'invalid' };
    return { ...base, kind: isUnsent && !this.#wasReused ? 'refused' : 'reset' };
  }
}

const clientLeft = (): Error => new Error('the client left');

/** Not HTTP, too much of it, or what nobody asked for: none of it gets better by asking again. */
const isInvalid = (cause: NodeJS.ErrnoException): boolean =>
  cause instanceof errors.HTTPParserError ||
  INVALID.has(cause.code ?? '') ||
  (cause instanceof errors.SocketError &&
    (cause.message === 'bad upgrade' || cause.message === 'bad response'));
const INVALID = new Set([
  'HPE_INTERIM',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
]);

const linesIn = (raw: unknown): string[] => {
  if (raw instanceof HeadLines) return raw.lines;
  return Array.isArray(raw) ? linesOf(raw) : [];
};
