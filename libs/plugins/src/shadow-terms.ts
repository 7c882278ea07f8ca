import type { Exchange } from './exchange.ts';

/** How requests are copied to a second gateway, and what of the two answers is compared. */
export interface ShadowTerms {
  readonly pluginId: string;
  /** Of the second gateway, without a slash at its end; the client's path and query follow. */
  readonly url: string;
  /** Bodies of requests that are larger are not copied, in bytes. */
  readonly maxBodyBytes: number;
  /** Bodies of answers that are larger are not compared, in bytes. */
  readonly maxAnswerBytes: number;
  /** From the copy's first byte to its answer's last, in ms. */
  readonly timeoutMs: number;
  /** Copies that may be under way at the same time. */
  readonly concurrency: number;
  /** Header of a copy that says it is one; its value is the id of the request. */
  readonly marker: string;
  readonly forwardsCredentials: boolean;
  readonly verifyTls: boolean;
  readonly compare: {
    readonly status: boolean;
    /** In lower case. */
    readonly headers: readonly string[];
    /** `json`: what JSON means, where both are JSON; `bytes`: as they are. */
    readonly body: 'json' | 'bytes' | 'off';
    /** Members of JSON bodies that are left out, each as its steps; `*` is any name or index. */
    readonly ignore: readonly (readonly string[])[];
  };
}

/** Why a request is not copied, or its copy's answer not compared. */
export const SHADOW_SKIPS = [
  'method',
  'copy',
  'upgrade',
  'stream',
  'unreadable',
  'body-too-large',
  'body-unread',
  'busy',
  'aborted',
] as const;
export type ShadowSkip = (typeof SHADOW_SKIPS)[number];

/** A request that will be copied once its answer has gone out. */
export interface ShadowCopy {
  /** The answer's head is about to be sent: from now on its body is read along. */
  watchAnswer(): void;
  /** Gives it up, and counts why. */
  drop(reason: ShadowSkip): void;
  /** The client has its answer: sends the copy, and compares what comes back. Nobody waits for it. */
  send(): void;
}

/** What an edge does with copies. */
export interface ShadowPort {
  /** Counts a request that is not copied. */
  skip(exchange: Exchange, reason: ShadowSkip): void;
  /** Begins a copy: from now on the request's body is kept as it passes. Undefined: it cannot be, which is counted. */
  open(exchange: Exchange, terms: ShadowTerms): ShadowCopy | undefined;
}
