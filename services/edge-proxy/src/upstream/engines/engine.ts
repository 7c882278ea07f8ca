import type { ProxyExchange } from '../../exchange.ts';
import type { Headers } from '../../header-list.ts';
import type { Target } from '../target.ts';
import type { UpstreamTls } from '../upstream-tls.ts';

/** Carries one request to one target. Two of them do the same by different libraries. */
export interface Engine {
  /**
   * Sends the exchange's request. Resolves with the upstream's answer, its head read and its body waiting, or with
   * why there is none.
   */
  readonly send: (
    exchange: ProxyExchange,
    options: AttemptOptions,
  ) => Promise<IncomingAnswer | AttemptFailure>;
  /** Connections to upstreams, idle ones too. */
  readonly connections: () => number;
  /** Closes every connection, at shutdown. */
  readonly close: () => void;
}

export interface AttemptOptions {
  readonly target: Target;
  readonly headers: Headers;
  readonly path: string;
  /** Milliseconds; idle times between bytes, not totals. `client`: of one that does not take its answer. */
  readonly timeouts: {
    readonly connect: number;
    readonly write: number;
    readonly read: number;
    readonly client: number;
  };
  readonly verifyTls: boolean;
  /** Trust and certificate of a service that has its own; they decide in place of `verifyTls`. */
  readonly tls: UpstreamTls | undefined;
  /** Use a connection nobody used before. */
  readonly onFreshConnection: boolean;
}

/** Why an attempt brought no answer, and whether another one is safe. */
export interface AttemptFailure {
  readonly kind: 'refused' | 'reset' | 'timeout' | 'name' | 'invalid' | 'client-gone';
  /** Nothing of the request reached the target. */
  readonly isUnsent: boolean;
  /** The connection had served before: the target may just have closed it while idle. */
  readonly wasReused: boolean;
  readonly cause: Error;
}

/** An upstream's answer: the head is read, the body waits for its reader. */
export interface IncomingAnswer {
  readonly status: number;
  readonly statusMessage: string;
  /** Flat `[name, value, …]`, as they came. */
  readonly rawHeaders: string[];
  /** As `rawHeaders`; there when the body has ended. */
  readonly rawTrailers: readonly string[];
  /** Address of the connection it came by. */
  readonly remoteAddress: string | undefined;
  /** The whole body where it came with the head, to be sent in one piece; else undefined, and it is to be read. */
  takeWhole(): Buffer | undefined;
  /** Starts the body, or hands the rest of it to another reader. */
  read(reader: AnswerReader): void;
  pause(): void;
  resume(): void;
  /** Gives the rest up, and its connection. */
  destroy(): void;
  /** Called once when the upstream is done with this request, whole or not. */
  whenClosed(listener: () => void): void;
}

/** Takes a body as it comes. Nothing follows `ended` or `broke`. */
export interface AnswerReader {
  readonly chunk: (chunk: Buffer) => void;
  readonly ended: () => void;
  /** The body broke off in the middle. */
  readonly broke: () => void;
}

/** Interim answers (1xx) that one request may get; whoever sends more never means to answer. */
export const MAX_INTERIM = 64;

/** What look-ups of names fail with. */
export const NAME_ERRORS: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_FAIL']);

/** What both engines and the operating system call a time that ran out. */
export const isTimeout = (code: string): boolean => code === 'ETIMEDOUT' || code === 'ECONNECT_TIMEOUT';

/** The error of an upstream that says 1xx and 1xx again. */
export const endlessInterim = (): Error =>
  Object.assign(new Error('upstream sent interim answers without end'), { code: 'HPE_INTERIM' });

/** The error of an upstream that was silent for too long. */
export const upstreamTimeout = (): Error =>
  Object.assign(new Error('upstream timed out'), { code: 'ETIMEDOUT' });
