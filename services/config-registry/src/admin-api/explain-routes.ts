import { decisionFilter, edgeDecision, edgeShadow, edgeTraffic, MAX_RECORDS_ASKED } from '@sluice/contracts';
import { JetStream } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { explain } from '../explain.ts';
import { findDecision } from '../explain-find.ts';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { endpoint } from './endpoint.ts';

const DEFAULT_RECORDS = 100;
const MAX_ID_CHARS = 256;

export const DecisionsQuery = decisionFilter.extend({
  status: z.coerce.number().int().min(1).max(599).optional(),
  flagged: z
    .literal('1')
    .transform(() => true)
    .optional()
    .describe('`1`: only those in which prompt-guard saw an attack.'),
  limit: z.coerce.number().int().min(1).max(MAX_RECORDS_ASKED).default(DEFAULT_RECORDS),
  after: z
    .string()
    .max(65_536)
    .optional()
    .describe('What an earlier answer gave as next, to go on from there.'),
});
export const TrafficQuery = z.object({
  seconds: z.coerce.number().min(0.1).max(600).default(10).describe('How much is summed up.'),
  top: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(10)
    .describe('Tenants and routes, those with most requests.'),
});
export const ShadowQuery = z.object({
  route: z.string().max(256).optional().describe('Of this route alone.'),
  examples: z.coerce.number().int().min(0).max(20).default(5).describe('Differences to show of each route.'),
});
const Position = z.array(z.object({ instance: z.string(), seq: z.int() }));

/** `/explain/{id}`, `/decisions`, `/traffic`, `/shadow`, `/fleet`: not Kong's, so errors have our own form. */
export const explainRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const jetstream = new JetStream(parts.bus);
  endpoint(app, '/explain/:id', {
    GET: async (request, reply) => {
      const { id = '' } = request.params as { id?: string };
      if (id.length > MAX_ID_CHARS) return invalid(reply, `id: has more than ${MAX_ID_CHARS} characters`);
      try {
        const record = await findDecision({ ...parts, jetstream }, id);
        if (record === undefined) return await notFound(reply, id);
        const { state, position } = parts.follower;
        return explain(record, { state, version: position.version });
      } catch (error) {
        parts.logger.warn({ err: error }, 'decision not found: nobody could be asked');
        return refuse(reply.header('retry-after', '1'), 503, 'decisions_unavailable', UNAVAILABLE);
      }
    },
  });
  endpoint(app, '/decisions', { GET: (request, reply) => decisions(parts, request.query, reply) });
  endpoint(app, '/traffic', { GET: (request, reply) => traffic(parts, request.query, reply) });
  endpoint(app, '/shadow', { GET: (request, reply) => shadow(parts, request.query, reply) });
  endpoint(app, '/fleet', {
    GET: () => {
      const { epoch, version, digest } = parts.follower.position;
      return { configuration: { epoch, version, digest }, processes: parts.edges.processes() };
    },
  });
};

const UNAVAILABLE = 'Neither the edges nor the stream of decisions can be asked now; see sluice doctor.';

const decisions = async (parts: AdminParts, query: unknown, reply: FastifyReply) => {
  const asked = DecisionsQuery.safeParse(query);
  if (!asked.success) return invalid(reply, problemsIn(asked.error));
  const { after: text, ...wanted } = asked.data;
  const after = text === undefined ? [] : positionIn(text);
  if (after === undefined) return invalid(reply, 'after: give what an earlier answer had as next, unchanged');
  const answers = await askEdges(parts, edgeDecision, { ...wanted, after });
  const data = answers
    .flatMap(({ records }) => records)
    .filter(({ plugins }) => wanted.flagged !== true || plugins.some(({ flagged }) => flagged !== undefined))
    .sort((a, b) => a.at - b.at);
  const seen = answers.map(({ instance, seq }) => ({ instance, seq }));
  const silent = after.filter(({ instance }) => !seen.some((one) => one.instance === instance));
  return {
    data,
    missed: answers.reduce((sum, { missed }) => sum + missed, 0),
    edges: { live: parts.edges.count, answered: answers.length },
    next: Buffer.from(JSON.stringify([...seen, ...silent])).toString('base64url'),
  };
};

const traffic = async (parts: AdminParts, query: unknown, reply: FastifyReply) => {
  const asked = TrafficQuery.safeParse(query);
  if (!asked.success) return invalid(reply, problemsIn(asked.error));
  const { seconds, top } = asked.data;
  const data = await askEdges(parts, edgeTraffic, { windowMs: Math.round(seconds * 1000), top });
  return { data, edges: { live: parts.edges.count, answered: data.length } };
};

const shadow = async (parts: AdminParts, query: unknown, reply: FastifyReply) => {
  const asked = ShadowQuery.safeParse(query);
  if (!asked.success) return invalid(reply, problemsIn(asked.error));
  const data = await askEdges(parts, edgeShadow, asked.data);
  return { data, edges: { live: parts.edges.count, answered: data.length } };
};

const positionIn = (text: string): z.output<typeof Position> | undefined => {
  try {
    return Position.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
};

const problemsIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });

const invalid = (reply: FastifyReply, message: string) => refuse(reply, 400, 'invalid_request', message);

const notFound = (reply: FastifyReply, id: string) =>
  refuse(
    reply,
    404,
    'decision_not_found',
    `No edge remembers ${id}, and the stream of decisions does not have it. Edges remember their latest requests (DECISION_RING); the stream keeps refusals and a sample of the rest (DECISION_SAMPLE) for 6 hours.`,
  );
