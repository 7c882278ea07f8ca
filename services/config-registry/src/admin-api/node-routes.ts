import { hostname } from 'node:os';
import { edgeMetrics } from '@sluice/contracts';
import { uuid5 } from '@sluice/gateway-config';
import type { FastifyInstance } from 'fastify';
import { federateMetrics } from '../federate-metrics.ts';
import type { AdminParts } from './admin-api.ts';
import { COLLECTIONS, NESTED } from './collections.ts';
import { endpoint, pathsOf } from './endpoint.ts';

/** Kong's release whose behaviour this API has; clients decide by it what they may ask. */
export const KONG_VERSION = '3.9.1';
const NODE_NAMESPACE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
const HASH_LENGTH = 32;
const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: MIB, g: 1024 * MIB };

/** `/`, `/status`, `/metrics`, `/plugins/enabled`: what this node is and how it does. */
export const nodeRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  endpoint(app, '/', { GET: () => nodeInfo(parts) });
  endpoint(app, '/status', {
    GET: async (request, reply) => {
      const { unit = 'm', scale = '2' } = request.query as Readonly<Record<string, string>>;
      if (UNITS[unit.toLowerCase()] === undefined) {
        const message = `invalid unit '${unit}' (expected 'k/K', 'm/M', or 'g/G')`;
        return reply.code(400).send({ message });
      }
      return status(app, parts, memoryText(unit.toLowerCase(), Number(scale) || 0));
    },
  });
  endpoint(app, '/plugins/enabled', {
    GET: () => ({ enabled_plugins: parts.plugins.map(({ name }) => name) }),
  });
  endpoint(app, '/endpoints', { GET: () => ({ data: pathsOf(app).map(namedPath).sort() }) });
  endpoint(app, '/filter-chains', {
    GET: (_request, reply) =>
      reply.code(400).send({ message: 'this endpoint is only available when wasm is enabled' }),
  });
  endpoint(app, '/metrics', {
    GET: async (_request, reply) => {
      const edges = await parts.bus.scatter(edgeMetrics, {}, parts.edges.count).catch(() => []);
      const own = { instance: parts.instance, text: await parts.metrics.metrics() };
      return reply.type('text/plain; charset=UTF-8').send(federateMetrics([own, ...edges]));
    },
  });
};

/** `/services/:key` reads `/services/{services}`: a parameter is called after what it names. */
const namedPath = (path: string): string => {
  const [, parent = '', , child = ''] = path.split('/');
  const kind = NESTED.find((nested) => nested.parent === parent && nested.path === child)?.kind ?? child;
  return path
    .replace(':key', `{${COLLECTIONS[parent] ?? parent}}`)
    .replace(':child', `{${kind}}`)
    .replace(/:(\w+)/, '{$1}');
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
      parts.plugins.map(({ name, priority }) => [name, { version: KONG_VERSION, priority }]),
    ),
    enabled_in_cluster: [...new Set([...parts.follower.state.list('plugins')].map(({ name }) => name))],
  },
  // Clients that see `off` write whole files only.
  configuration: { database: parts.adminWrites ? 'sluice' : 'off', router_flavor: 'traditional_compatible' },
});

const status = async (
  app: FastifyInstance,
  { follower, bus, adminWrites }: AdminParts,
  memory: (bytes: number) => string | number,
) => {
  const open = await new Promise<number>((resolve) =>
    app.server.getConnections((_error, count) => resolve(count ?? 0)),
  );
  const { heapUsed } = process.memoryUsage();
  return {
    memory: {
      lua_shared_dicts: {},
      workers_lua_vms: [{ pid: process.pid, http_allocated_gc: memory(heapUsed) }],
    },
    server: {
      connections_accepted: open,
      connections_active: open,
      connections_handled: open,
      connections_reading: 0,
      connections_writing: 1,
      connections_waiting: Math.max(0, open - 1),
      total_requests: 0,
    },
    ...(adminWrites ? { database: { reachable: bus.isConnected } } : {}),
    configuration_hash: follower.position.digest.slice(0, HASH_LENGTH),
    generation: `r${follower.position.version}`,
  };
};

const memoryText =
  (unit: string, scale: number) =>
  (bytes: number): string | number =>
    unit === 'b'
      ? bytes
      : `${(bytes / (UNITS[unit] ?? MIB)).toFixed(Math.min(scale, 20))} ${unit.toUpperCase()}iB`;
