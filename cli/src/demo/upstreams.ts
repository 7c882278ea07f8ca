import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

const STREAM_EVENTS = 10;
const STREAM_EVERY_MS = 200;

const WORKFLOWS = [
  { id: 'wf-1', name: 'Review a pull request', status: 'active' },
  { id: 'wf-2', name: 'Summarise an incident', status: 'active' },
  { id: 'wf-3', name: 'Triage new issues', status: 'paused' },
];

const sendJson = (response: ServerResponse, service: string, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'x-demo-service': service });
  response.end(JSON.stringify(value));
};

/** Server-sent events, one by one, until the last or until the client has gone. */
const sendStream = (response: ServerResponse, service: string): void => {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-demo-service': service,
  });
  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    response.write(`id: ${n}\ndata: ${JSON.stringify({ service, n, of: STREAM_EVENTS })}\n\n`);
    if (n < STREAM_EVENTS) return;
    clearInterval(timer);
    response.end();
  }, STREAM_EVERY_MS);
  response.on('close', () => clearInterval(timer));
};

const answer = (
  service: string,
  request: IncomingMessage,
  response: ServerResponse,
  bodyBytes: number,
): void => {
  const { method, url = '/', headers } = request;
  const { pathname: path, search: query } = new URL(url, 'http://demo');
  const isWorkflows = service === 'agent-orchestrator' && path === '/v1/workflows' && method === 'GET';
  if (path.endsWith('/stream')) sendStream(response, service);
  else if (isWorkflows) sendJson(response, service, { items: WORKFLOWS, nextCursor: null, headers });
  else sendJson(response, service, { service, method, path, query, headers, bodyBytes, items: [] });
};

/** A stand-in for a platform service: says what reached it, so that one sees what the gateway added and took. */
export const createUpstream = (service: string): Server =>
  createServer((request, response) => {
    let bodyBytes = 0;
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    request.on('end', () => answer(service, request, response, bodyBytes));
  });
