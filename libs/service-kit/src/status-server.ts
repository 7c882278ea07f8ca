import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { NodeStatus } from './node-status.ts';
import { type Exemplar, OPEN_METRICS_TYPE, openMetrics, takesOpenMetrics } from './open-metrics.ts';

export interface StatusServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Registry;
  /** Requests that stand for figures of the metrics; whoever takes OpenMetrics is told. */
  readonly exemplars?: () => readonly Exemplar[];
  /** What is wrong, by dependency; empty means ready. Entries starting with `~` degrade without making unready. */
  readonly problems: () => Readonly<Record<string, string>>;
  /** Kong's `/status`, for the processes that are a node of the gateway; absent: not served. */
  readonly status?: (query: Readonly<Record<string, unknown>>) => NodeStatus;
  /** Public documents by their paths; caches may keep them for a minute. */
  readonly documents?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/livez`, `/readyz` (503 with the reasons while not ready; `/healthz` is the same, `/status/ready` in Kong's words)
 * and `/metrics`, on a port of their own. Plain node:http: a framework for so few fixed answers costs every process
 * 90 ms of its start.
 */
export const startStatusServer = async (options: StatusServerOptions): Promise<StatusServer> => {
  const server = createServer(({ method, url, headers }, response) => {
    const [path = '', query] = url?.split('?', 2) ?? [];
    if (method !== 'GET' && method !== 'HEAD') answer(response, 405, { message: 'Method not allowed' });
    else if (path === '/livez') answer(response, 200, { status: 'ok' });
    else if (path === '/readyz' || path === '/healthz') answerReadiness(response, options.problems());
    else if (path === '/status/ready') answerKongReadiness(response, options.problems());
    else if (path === '/metrics') void answerMetrics(response, options, headers.accept);
    else if (path === '/status' && options.status !== undefined)
      answerStatus(response, options.status(Object.fromEntries(new URLSearchParams(query))));
    else answerDocument(response, options.documents, path);
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(options.port, options.host, listening);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections(); // scrapers keep theirs open
      }),
  };
};

/** Of Prometheus' text format, and as Kong's nodes name it. */
const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const KONGS_TEXT_TYPE = 'text/plain; charset=UTF-8';

const answer = (response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
};

const answerDocument = (
  response: ServerResponse,
  documents: StatusServerOptions['documents'] = {},
  path: string,
): void => {
  const document = Object.hasOwn(documents, path) ? documents[path] : undefined;
  if (document !== undefined) response.setHeader('cache-control', 'public, max-age=60');
  answer(response, document === undefined ? 404 : 200, document ?? { message: 'Not found' });
};

const answerReadiness = (response: ServerResponse, problems: Readonly<Record<string, string>>): void => {
  const names = Object.keys(problems);
  const isBlocked = names.some((name) => !name.startsWith('~'));
  answer(response, isBlocked ? 503 : 200, {
    status: isBlocked ? 'not ready' : names.length > 0 ? 'degraded' : 'ready',
    problems: Object.fromEntries(names.map((name) => [name.replace(/^~/, ''), problems[name]])),
  });
};

const answerKongReadiness = (response: ServerResponse, problems: Readonly<Record<string, string>>): void => {
  const reasons = Object.entries(problems).filter(([name]) => !name.startsWith('~'));
  const isDraining = reasons.some(([name]) => name === 'draining');
  const message = isDraining ? 'draining' : reasons.map(([, why]) => why).join('; ');
  answer(response, message === '' ? 200 : 503, { message: message === '' ? 'ready' : message });
};

const answerStatus = (response: ServerResponse, status: NodeStatus): void =>
  status.ok ? answer(response, 200, status.body) : answer(response, 400, { message: status.message });

const answerMetrics = async (
  response: ServerResponse,
  { metrics, exemplars, status }: StatusServerOptions,
  accept: string | undefined,
): Promise<void> => {
  try {
    const text = await metrics.metrics();
    if (takesOpenMetrics(accept))
      response
        .writeHead(200, { 'content-type': OPEN_METRICS_TYPE })
        .end(openMetrics(text, exemplars?.() ?? []));
    else
      response
        .writeHead(200, { 'content-type': status === undefined ? TEXT_TYPE : KONGS_TEXT_TYPE })
        .end(text);
  } catch {
    answer(response, 500, { message: 'a metric could not be collected' });
  }
};
