import { request as askHttp } from 'node:http';
import { request as askHttps } from 'node:https';

export interface Asked {
  readonly status: number;
  /** Lower-case names; of a header that came twice, the first. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

/**
 * One request to a gateway's own port. node:http, because `fetch` costs a start 100 ms before its first byte.
 * @throws Error with the system's reason (refused, timed out, not resolved).
 */
export const ask = (
  url: string,
  { method = 'GET', headers = {}, body, timeoutMs }: Question,
): Promise<Asked> =>
  new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? askHttps : askHttp;
    const length = body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = send(url, { method, agent: false, signal, headers: { ...headers, ...length } });
    const failed = (error: Error) =>
      reject(signal.aborted ? new Error(`no answer in ${timeoutMs / 1000} s`) : error);
    outgoing.once('error', failed);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', failed);
      incoming.once('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          header: (name) => incoming.headersDistinct[name]?.[0],
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.end(body);
  });
