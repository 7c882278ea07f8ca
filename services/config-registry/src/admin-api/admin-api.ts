import { type ConfigFollower, LogUnavailable } from '@sluice/config-log';
import { MAX_CONFIG_LENGTH } from '@sluice/gateway-config';
import type { PluginFolder } from '@sluice/plugins';
import type { Bus, Registry } from '@sluice/service-kit';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { AdminToken } from '../admin-access/admin-tokens.ts';
import { guardAdmin } from '../admin-access/guard.ts';
import { Sessions } from '../admin-access/sessions.ts';
import type { ApiKeyRing } from '../api-keys.ts';
import type { ApplyParts } from '../apply-config.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditRequests } from '../audit/audit-requests.ts';
import type { Canaries } from '../canary/canaries.ts';
import type { EntityIndex } from '../entities/entity-index.ts';
import type { Generations } from '../history/generations.ts';
import { observeHeld } from '../registry-metrics.ts';
import type { Revocations } from '../revocations.ts';
import { TraceStore } from '../traces/trace-store.ts';
import { auditRoutes } from './audit-routes.ts';
import { cacheRoutes } from './cache-routes.ts';
import { canaryRoutes } from './canary-routes.ts';
import { configRoutes } from './config-routes.ts';
import { consoleRoutes } from './console-routes.ts';
import { debugRoutes } from './debug-routes.ts';
import { drained } from './drained.ts';
import { entityRoutes } from './entity-routes.ts';
import { explainRoutes } from './explain-routes.ts';
import { guardRoutes } from './guard-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { KONG_VERSION, nodeRoutes } from './node-routes.ts';
import { openApiRoutes } from './openapi-routes.ts';
import { quotaRoutes } from './quota-routes.ts';
import { revocationRoutes } from './revocation-routes.ts';
import { schemaRoutes } from './schema-routes.ts';
import { simulateRoutes } from './simulate-routes.ts';
import { tagRoutes } from './tag-routes.ts';
import { traceRoutes } from './trace-routes.ts';

const MAX_KEY_LENGTH = 1024;

export interface AdminParts extends ApplyParts {
  readonly bus: Bus;
  readonly audit: AuditLog;
  readonly follower: ConfigFollower;
  readonly generations: Generations;
  readonly canaries: Canaries;
  readonly instance: string;
  /** What is there by now: a user's own may come and go. */
  readonly plugins: Pick<PluginFolder, 'all' | 'refresh'>;
  readonly metrics: Registry;
  readonly index: EntityIndex;
  readonly revocations: Revocations;
  /** Undefined: tenants have none, for want of a pepper. */
  readonly apiKeys: ApiKeyRing | undefined;
  /** None: the API is open, as Kong's. */
  readonly adminTokens: readonly AdminToken[];
  /** False: single entities can be read only, as in Kong without a database. */
  readonly adminWrites: boolean;
}

/** Kong's Admin API over the configuration log (kong-compat section 5). */
export const createAdminApi = (parts: AdminParts): FastifyInstance => {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: MAX_CONFIG_LENGTH, // in bytes, and so never more in characters
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_KEY_LENGTH },
    frameworkErrors: badRequest,
  });
  // Every body arrives as bytes: which types a path takes, and what a bad one is told, is Kong's matter, not fastify's.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));
  const [sessions, traces] = [new Sessions(), new TraceStore()];
  observeHeld(parts.metrics, { sessions, traces });
  kongHeaders(app, parts);
  auditRequests(app, parts.audit);
  guardAdmin(app, parts.adminTokens, sessions);
  // A file that was just put there counts for this request, before the request is judged.
  app.addHook('onRequest', async () => void (await parts.plugins.refresh()));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ message: 'Not found' }));
  answerErrors(app, parts);
  nodeRoutes(app, parts);
  configRoutes(app, parts);
  historyRoutes(app, parts);
  canaryRoutes(app, parts);
  entityRoutes(app, parts);
  schemaRoutes(app, parts);
  tagRoutes(app, parts);
  healthRoutes(app, parts);
  cacheRoutes(app, parts);
  debugRoutes(app, parts);
  revocationRoutes(app, parts);
  explainRoutes(app, parts);
  traceRoutes(app, parts, traces);
  keyRoutes(app, parts);
  auditRoutes(app, parts);
  quotaRoutes(app, parts);
  guardRoutes(app);
  consoleRoutes(app, parts);
  simulateRoutes(app, parts);
  openApiRoutes(app, parts);
  return app;
};

/** For a path that cannot be read at all; fastify would answer in its own words. */
const badRequest = (_error: unknown, _request: unknown, reply: unknown): void =>
  void (reply as FastifyReply).code(400).send({ message: 'Bad request' });

const kongHeaders = (app: FastifyInstance, { adminTokens }: AdminParts): void => {
  app.addHook('onSend', (request, reply, payload, done) => {
    reply
      .header('server', `kong/${KONG_VERSION}`)
      .header('x-kong-admin-latency', Math.round(reply.elapsedTime));
    // Kong lets every site's pages read; where there is a login, none but the console's own.
    if (adminTokens.length === 0)
      reply
        .header('access-control-allow-origin', request.headers.origin ?? '*')
        .header('access-control-allow-credentials', 'true');
    done(null, payload);
  });
};

const answerErrors = (app: FastifyInstance, { logger }: AdminParts): void => {
  app.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof LogUnavailable) {
      logger.error({ err: error }, 'configuration log not writable');
      const message = `The configuration log cannot be written (${error.message}); the configuration in force is unchanged as far as known. Look at configuration_hash in GET /status, then try again.`;
      return reply.code(503).header('retry-after', '1').send({ message });
    }
    const status = error.statusCode ?? 500;
    if (status === 413) {
      await drained(request.raw);
      return reply
        .code(413)
        .send({ message: `request body larger than ${request.routeOptions.bodyLimit} bytes` });
    }
    if (status < 500) return reply.code(status).send({ message: error.message });
    logger.error(
      { err: error, method: request.method, path: request.routeOptions.url },
      'admin request failed',
    );
    return reply.code(500).send({ message: 'An unexpected error occurred' });
  });
};
