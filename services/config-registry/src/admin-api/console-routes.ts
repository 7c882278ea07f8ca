import { edgeTraffic, sumTraffic } from '@sluice/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isStillAllowed } from '../admin-access/still-allowed.ts';
import { type ConsoleFile, ConsoleFiles } from '../console/console-files.ts';
import { type Dependency, dependenciesOf } from '../console/dependencies.ts';
import { LiveFeed } from '../console/live-feed.ts';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { checkDocument } from './compare-document.ts';
import { endpoint } from './endpoint.ts';
import { metricsOfEdges } from './node-routes.ts';

const WINDOW_MS = 5000;
const MAX_TENANTS_ASKED = 100;
/** Of looks; what edges say of their dependencies costs them more than what they say of their traffic. */
const METRICS_EVERY = 5;

/** `/console`, and what only the console asks: `/sluice/live`, `/sluice/check`. */
export const consoleRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const files = new ConsoleFiles();
  const fileRoute = (nameOf: (request: FastifyRequest) => string) => ({
    GET: async (request: FastifyRequest, reply: FastifyReply) => {
      const all = await files.all();
      if (all === undefined) return refuse(reply, 503, 'console_not_built', NOT_BUILT);
      const name = nameOf(request);
      const file = all.get(name);
      return file === undefined
        ? refuse(reply, 404, 'no_such_file', 'The console has no such file; load /console again.')
        : sendFile(request, reply, file, name === 'index.html');
    },
  });
  endpoint(
    app,
    '/console',
    fileRoute(() => 'index.html'),
  );
  endpoint(
    app,
    '/console/assets/:file',
    fileRoute(({ params }) => (params as { file: string }).file),
  );
  const feed = new LiveFeed(liveView(parts), parts.logger);
  app.addHook('onClose', () => feed.stop());
  endpoint(app, '/sluice/live', {
    GET: (request, reply) => {
      if (feed.isFull)
        return refuse(reply, 503, 'live_full', 'Too many watch already; close a console and try again.');
      if (request.method === 'HEAD') return reply.type('text/event-stream').send();
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no', // a proxy in front must not collect
      });
      feed.add(reply.raw, () => isStillAllowed(request));
      return reply;
    },
  });
  endpoint(app, '/sluice/check', { POST: (request, reply) => checkDocument(parts, request, reply) });
};

const NOT_BUILT =
  'The console is not built. Build it with: npm run bundle --workspace console (npm start does so by itself on a fresh clone); then load this page again.';

const POLICY = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const sendFile = (request: FastifyRequest, reply: FastifyReply, file: ConsoleFile, isIndex: boolean) => {
  const taken = `${request.headers['accept-encoding'] ?? ''}`
    .split(',')
    .map((one) => one.trim().split(';')[0]);
  const coding = (['br', 'gzip'] as const).find(
    (one) => taken.includes(one) && file.packed[one] !== undefined,
  );
  reply
    .type(file.type)
    .header('content-security-policy', POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('vary', 'accept-encoding')
    // Names of assets hold a hash of their content.
    .header('cache-control', isIndex ? 'no-cache' : 'public, max-age=31536000, immutable');
  if (coding !== undefined) reply.header('content-encoding', coding);
  return reply.send((coding && file.packed[coding]) ?? file.plain);
};

/** What is sent once a second. */
const liveView = (parts: AdminParts): (() => Promise<object>) => {
  let dependencies: readonly Dependency[] = [];
  let looks = 0;
  return async () => {
    const isTold = looks % METRICS_EVERY === 0;
    looks += 1;
    const [traffic, metrics] = await Promise.all([
      askEdges(parts, edgeTraffic, { windowMs: WINDOW_MS, top: MAX_TENANTS_ASKED }),
      isTold ? metricsOfEdges(parts) : undefined,
    ]);
    if (metrics !== undefined) dependencies = dependenciesOf(metrics, parts.bus.isConnected);
    const { epoch, version } = parts.follower.position;
    return {
      at: Date.now(),
      windowMs: WINDOW_MS,
      configuration: { epoch, version },
      edges: { live: parts.edges.count, answered: traffic.length },
      ...sumTraffic(traffic),
      processes: parts.edges.processes(),
      dependencies,
    };
  };
};

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });
