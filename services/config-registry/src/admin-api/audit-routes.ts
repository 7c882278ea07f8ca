import { JetStream } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { readAudit, type StoredRecord } from '../audit/read-audit.ts';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';

export const AuditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  before: z.coerce.number().int().min(1).optional().describe('Only records before this sequence.'),
});

/** `/sluice/audit`: who did what, the newest first. Not Kong's, so errors have our own form. */
export const auditRoutes = (app: FastifyInstance, { bus, logger }: AdminParts): void => {
  const jetstream = new JetStream(bus);
  endpoint(app, '/sluice/audit', {
    GET: async (request, reply) => {
      const asked = AuditQuery.safeParse(request.query);
      if (!asked.success) return refuse(reply, 400, 'invalid_request', problemsIn(asked.error));
      const { limit, before } = asked.data;
      if (!bus.isConnected) return unavailable(reply);
      try {
        const { records, next } = await readAudit(jetstream, { limit, before });
        return {
          data: records.map(shown),
          next: next === undefined ? null : `/sluice/audit?limit=${limit}&before=${next}`,
        };
      } catch (error) {
        logger.warn({ err: error }, 'audit records could not be read');
        return unavailable(reply);
      }
    },
  });
};

/** For reading; what proves the chain is `sluice audit export`. */
const shown = ({ record: { occurredAt, actor, payload } }: StoredRecord) => ({
  sequence: payload.sequence,
  time: occurredAt,
  actor: actor ?? null,
  action: payload.action,
  outcome: payload.outcome,
  address: payload.source.address ?? null,
  instance: payload.source.instance,
  request: payload.request ?? null,
  version: payload.revision?.version ?? null,
  message: payload.message ?? null,
  changes: (payload.changes ?? []).map(({ op, kind, id }) => ({ op, kind, id })),
  changesLeftOut: payload.changesLeftOut ?? 0,
});

const problemsIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });

const unavailable = (reply: FastifyReply) =>
  refuse(
    reply.header('retry-after', '1'),
    503,
    'audit_unavailable',
    'The audit records cannot be read now; see sluice doctor.',
  );
