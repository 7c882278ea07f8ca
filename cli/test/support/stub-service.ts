// A service reduced to what the supervisor sees of it: a ready message, a port, an orderly end.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

const { env } = process;
const port = Number(env.PROXY_PORT ?? env.ADMIN_PORT ?? 0);
const reusePort = env.REUSE_PORT === 'true';

/** The last body of POST /config; one that holds `_refuse_me` is refused. */
let posted = '';

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.url === '/crash') process.exit(7);
  const body = await text(request);
  const isConfig = request.method === 'POST' && request.url === '/config';
  if (isConfig) posted = body;
  const accepted = isConfig ? 201 : 200;
  response.writeHead(body.includes('_refuse_me') ? 400 : accepted, {
    'x-sluice-generation': 'r1',
    'x-sluice-acknowledged': '1/1',
  });
  response.end(JSON.stringify({ message: 'stubbed', posted, environment: env }));
};

const server = createServer((request, response) => void answer(request, response));
const status = createServer((_request, response) => response.end('sluice_config_version 1\n'));
status.listen(Number(env.STATUS_PORT ?? 0), '127.0.0.1');
server.listen({ port, host: '127.0.0.1', reusePort }, () => {
  process.send?.({ event: 'ready', process: 'stub', instance: env.INSTANCE, ports: {}, detail: 'stub' });
});
process.on('SIGTERM', () => env.STUB_IGNORES_SIGTERM !== 'true' && process.exit(0));
process.on('disconnect', () => process.exit(0));
