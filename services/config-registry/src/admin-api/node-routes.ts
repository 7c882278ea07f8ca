import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { edgeMetrics, MAX_METRICS_BYTES } from '@sluice/contracts';
import { uuid5 } from '@sluice/gateway-config';
import {
  type Exemplar,
  nodeStatus,
  OPEN_METRICS_TYPE,
  openMetrics,
  takesOpenMetrics,
} from '@sluice/service-kit';
import type { FastifyInstance } from 'fastify';
import { federateMetrics, seriesOf } from '../federate-metrics.ts';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { namedPath } from './collections.ts';
import { endpoint, pathsOf } from './endpoint.ts';

/** Kong's release whose behaviour this API has; clients decide by it what they may ask. */
export const KONG_VERSION = '3.9.1';
const NODE_NAMESPACE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/** `/`, `/status`, `/metrics`, `/plugins/enabled`: what this node is and how it does. */
export const nodeRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const counts = { accepted: 0, requests: 0 };
  app.server.on('connection', () => {
    counts.accepted += 1;
  });
  app.addHook('onRequest', (_request, _reply, done) => {
    counts.requests += 1;
    done();
  });
  endpoint(app, '/', { GET: () => nodeInfo(parts) });
  endpoint(app, '/status', {
    GET: async (request, reply) => {
      const connections = await connectionsOf(app, counts);
      const { digest, version } = parts.follower.position;
      const status = nodeStatus(request.query as Readonly<Record<string, unknown>>, {
        connections,
        isReachable: parts.adminWrites ? parts.bus.isConnected : undefined,
        configuration: { digest, version },
      });
      return status.ok ? status.body : reply.code(400).send({ message: status.message });
    },
  });
  endpoint(app, '/plugins/enabled', {
    GET: () => ({ enabled_plugins: parts.plugins.all().map(({ name }) => name) }),
  });
  endpoint(app, '/endpoints', { GET: () => ({ data: pathsOf(app).map(namedPath).sort() }) });
  endpoint(app, '/metrics', {
    GET: async (request, reply) => {
      const edges = await metricsOfEdges(parts);
      const own = { instance: parts.instance, text: await parts.metrics.metrics() };
      const text = federateMetrics([own, ...edges]);
      if (!takesOpenMetrics(request.headers.accept))
        return reply.type('text/plain; charset=UTF-8').send(text);
      const exemplars: Exemplar[] = edges.flatMap(({ instance, exemplars: some = [] }) =>
        some.map((one) => ({ ...one, series: seriesOf(one.series, instance) })),
      );
      return reply.type(OPEN_METRICS_TYPE).send(openMetrics(text, exemplars));
    },
  });
};

const unpacked = promisify(zstdDecompress);

/** The text of every edge that answers and can be read. */
export const metricsOfEdges = async (parts: AdminParts) => {
  const answers = await askEdges(parts, edgeMetrics, { accepts: ['zstd'] });
  const texts = answers.map(async ({ zstd, ...answer }) => {
    if (zstd === undefined) return answer;
    try {
      const bytes = await unpacked(Buffer.from(zstd, 'base64'), { maxOutputLength: MAX_METRICS_BYTES });
      return { ...answer, text: bytes.toString() };
    } catch (error) {
      parts.logger.warn({ err: error, instance: answer.instance }, 'metrics of an edge cannot be read');
      return answer;
    }
  });
  return Promise.all(texts);
};

/** The same for as long as an instance keeps its name. */
export const nodeIdOf = ({ instance }: AdminParts): string =>
  uuid5(NODE_NAMESPACE, `${hostname()}/${instance}`);

const nodeInfo = (parts: AdminParts) => ({
  tagline: 'Welcome to kong',
  version: KONG_VERSION,
  edition: 'community',
  hostname: hostname(),
  node_id: nodeIdOf(parts),
  lua_version: 'none',
  timers: { running: 0, pending: 0 },
  pids: { master: process.pid, workers: [process.pid] },
  plugins: {
    available_on_server: Object.fromEntries(
      parts.plugins.all().map(({ name, priority }) => [name, { version: KONG_VERSION, priority }]),
    ),
    enabled_in_cluster: [...new Set([...parts.follower.state.list('plugins')].map(({ name }) => name))],
  },
  // Clients that see `off` write whole files only.
  configuration: { database: parts.adminWrites ? 'sluice' : 'off', router_flavor: 'traditional_compatible' },
});

const connectionsOf = (
  app: FastifyInstance,
  counts: { readonly accepted: number; readonly requests: number },
) =>
  new Promise<{ accepted: number; active: number; requests: number }>((resolve) =>
    app.server.getConnections((_error, active) => resolve({ ...counts, active })),
  );
