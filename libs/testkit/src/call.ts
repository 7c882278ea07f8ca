import { type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

/** One HTTP request on a connection of its own; the path goes out byte for byte. Rejects when the answer breaks off. */
export const call = (
  origin: string,
  path: string,
  { method = 'GET', headers = {}, body }: CallOptions = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(origin);
    const outgoing = request({ host, port, path, method, headers, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          json: () => JSON.parse(text),
        });
      });
    });
    outgoing.end(body);
  });
