import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authorship } from '../admin-api/authorship.ts';
import type { AuditLog } from './audit-log.ts';
import { isTold } from './told.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
/** An administrator who was not let in is told of whatever he asked for. */
const NOT_LET_IN = new Set([401, 403]);
const MAX_PATH = 1024;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Collections whose entities are addressed by names; others by what may be a key. */
const NAMED = new Set([
  ...['services', 'routes', 'upstreams', 'targets', 'plugins', 'consumers', 'consumer_groups', 'tags'],
  ...['certificates', 'ca_certificates', 'snis', 'vaults', 'key-sets', 'schemas', 'log-level', 'node'],
]);
const REDACTED = '[redacted]';

/**
 * One record for each request that could change something and for each that was not let in, stored before it is
 * answered. A change of the configuration is told by its commit instead.
 */
export const auditRequests = (app: FastifyInstance, audit: AuditLog): void => {
  app.addHook('onSend', async (request, reply) => {
    const { statusCode: status } = reply;
    if (isTold(reply) || (READING.has(request.method) && !NOT_LET_IN.has(status))) return;
    await audit.record({
      actor: authorship(request).author,
      entry: {
        action: 'admin.requested',
        outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
        address: request.ip,
        request: { method: request.method, path: pathOf(request), status },
      },
    });
  });
};

/** The path as it was declared, with names in it; a part that may be a credential's key is left out. */
const pathOf = ({ routeOptions, params }: FastifyRequest): string => {
  const parts = (routeOptions.url ?? '/*').split('/');
  const values = (params ?? {}) as Readonly<Record<string, string | undefined>>;
  return parts
    .map((part, at) => {
      if (!part.startsWith(':')) return part;
      const value = values[part.slice(1)] ?? '';
      return UUID.test(value) || NAMED.has(parts[at - 1] ?? '') ? encodeURIComponent(value) : REDACTED;
    })
    .join('/')
    .slice(0, MAX_PATH);
};
