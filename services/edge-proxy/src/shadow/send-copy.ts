import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { ShadowTerms } from '@sluice/plugins';
import { Headers } from '../header-list.ts';
import { AnswerDigest } from './answer-digest.ts';
import type { Told } from './compare.ts';
import type { CopyHead } from './copy-head.ts';

/** Why a copy has no answer to compare. */
export type CopyFailure = 'timeout' | 'unreachable' | 'broken';

/** How long a connection that nobody uses is kept, in ms. */
const IDLE_MS = 30_000;
const MAX_HEADERS = 100;

/** The connections to one second gateway. */
export const openAgent = ({ url, concurrency, verifyTls }: ShadowTerms): http.Agent => {
  const options = { keepAlive: true, maxSockets: concurrency, timeout: IDLE_MS };
  return url.startsWith('https:')
    ? new https.Agent({ ...options, rejectUnauthorized: verifyTls })
    : new http.Agent(options);
};

/** They may have been done when the connection broke. */
const NOT_REPEATABLE = new Set(['POST', 'PATCH']);

interface Way {
  readonly terms: ShadowTerms;
  /** False: a connection that nobody used before. */
  readonly agent: http.Agent | false;
  readonly signal: AbortSignal;
}

/** Sends a copy and reads the answer, within the time that the terms give to both. Never rejects. */
export const sendCopy = (head: CopyHead, body: Buffer | undefined, way: Way): Promise<Told | CopyFailure> =>
  new Promise((resolve) => {
    const { method, url, headers } = head;
    const { terms, agent, signal } = way;
    const isTls = url.protocol === 'https:';
    const request = (isTls ? https : http).request(url, {
      ...{ method, agent, signal, headers: headers as string[] },
      ...(isTls && { servername: isIP(url.hostname) === 0 ? url.hostname : '' }),
      ...(isTls && { rejectUnauthorized: terms.verifyTls }),
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy();
    }, terms.timeoutMs);
    const done = (outcome: Told | CopyFailure | Promise<Told | CopyFailure>): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    request.maxHeadersCount = MAX_HEADERS;
    request.on('error', () => {
      // A connection that was closed while nobody used it says nothing about the second gateway.
      const isStale = request.reusedSocket && !isLate && !signal.aborted && !NOT_REPEATABLE.has(method);
      done(isStale ? sendCopy(head, body, { ...way, agent: false }) : isLate ? 'timeout' : 'unreachable');
    });
    request.on('response', (answer) => {
      const brokeOff = () => done(isLate ? 'timeout' : 'broken');
      answer.on('error', brokeOff).once('close', brokeOff); // after its end neither says anything
      readAnswer(answer, terms, done);
    });
    request.end(body);
  });

const readAnswer = (answer: http.IncomingMessage, terms: ShadowTerms, done: (told: Told) => void): void => {
  const lines = Headers.fromRaw(answer.rawHeaders);
  const encoding = lines.get('content-encoding');
  const digest = new AnswerDigest(terms, lines.get('content-type'), encoding !== undefined);
  const tell = (): void =>
    done({
      status: answer.statusCode ?? 0,
      header: (name) => lines.getAll(name),
      body: terms.compare.body === 'off' ? undefined : digest.end(),
    });
  answer.on('data', (chunk: Buffer) => {
    digest.update(chunk);
    if (!digest.isOver) return;
    tell();
    answer.destroy(); // nothing of the rest would be compared
  });
  answer.once('end', tell);
};
