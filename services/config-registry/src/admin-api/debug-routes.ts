import { edgeLogLevel } from '@sluice/contracts';
import type { Logger } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { endpoint, type Handler } from './endpoint.ts';

/** Kong's levels, and ours for each. */
const LEVELS = {
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
} as const;
type Level = keyof typeof LEVELS;

const isLevel = (text: string): text is Level => Object.hasOwn(LEVELS, text);
const NO_CONTROL_PLANE =
  'this endpoint is only available when Kong is configured to run as Control Plane for the cluster';

/** `/timers`, `/status/dns`, `/clustering/…`, `/debug/…`, `/filter-chains…`: about the node, not the configuration. */
export const debugRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  endpoint(app, '/timers', {
    GET: () => ({
      worker: { id: 0, count: 1 },
      stats: {
        flamegraph: { running: '', pending: '', elapsed_time: '' },
        sys: { running: 0, pending: 0, waiting: 0, total: 0, runs: 0 },
        timers: {},
      },
    }),
  });
  // Names are looked up by the edges; like Kong with its default client there is nothing to tell here.
  endpoint(app, '/status/dns', {
    GET: (_request, reply) => reply.code(501).send({ message: 'not implemented with the legacy DNS client' }),
  });
  for (const path of ['/clustering/data-planes', '/clustering/status'])
    endpoint(app, path, { GET: refused(NO_CONTROL_PLANE) });
  logLevelRoutes(app, parts);
  const noFilters = refused('this endpoint is only available when wasm is enabled');
  const every = { GET: noFilters, POST: noFilters, PUT: noFilters, PATCH: noFilters, DELETE: noFilters };
  for (const owner of ['', '/services/:key', '/routes/:key'])
    for (const path of ['/filter-chains', '/filter-chains/:filter_chains'])
      endpoint(app, `${owner}${path}`, every);
};

const refused =
  (message: string): Handler =>
  (_request, reply) =>
    reply.code(400).send({ message });

const logLevelRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const { logger, adminWrites } = parts;
  /** Several of Kong's names are one level of ours; the one that was asked for is told again. */
  let chosen: Level | undefined;
  const current = (): string =>
    chosen !== undefined && LEVELS[chosen] === logger.level ? chosen : nameOf(logger);
  const set = (request: FastifyRequest, reply: FastifyReply): Level | undefined => {
    const { log_level: level = '' } = request.params as { log_level?: string };
    if (!adminWrites) {
      void reply.code(405).send({ message: 'cannot change log level when not using a database' });
      return undefined;
    }
    if (isLevel(level)) return level;
    void reply.code(400).send({ message: `unknown log level: ${level}` });
    return undefined;
  };
  endpoint(app, '/debug/node/log-level', { GET: () => ({ message: `log level: ${current()}` }) });
  endpoint(app, '/debug/node/log-level/:log_level', {
    PUT: (request, reply) => {
      const level = set(request, reply);
      if (level === undefined) return reply;
      if (level === current()) return { message: `log level is already ${level}` };
      chosen = level;
      logger.level = LEVELS[level];
      return { message: 'log level changed' };
    },
  });
  endpoint(app, '/debug/cluster/log-level/:log_level', {
    PUT: async (request, reply) => {
      const level = set(request, reply);
      if (level === undefined) return reply;
      chosen = level;
      logger.level = LEVELS[level];
      await askEdges(parts, edgeLogLevel, { level: LEVELS[level] });
      return { message: 'log level changed' };
    },
  });
};

/** Kong's first name for a level of ours; `trace` and `silent` have none and keep their own. */
const nameOf = ({ level }: Logger): string =>
  Object.entries(LEVELS).find(([, own]) => own === level)?.[0] ?? level;
