import { gunzipSync } from 'node:zlib';
import { JetStream } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { toldElsewhere } from '../audit/told.ts';
import { findDecision } from '../explain-find.ts';
import { spansIn } from '../traces/otlp.ts';
import type { TraceStore } from '../traces/trace-store.ts';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';

const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
const MAX_ID_CHARS = 256;

export const TracesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  service: z.string().max(256).optional().describe('Only traces with a span of this process.'),
  trace: z
    .string()
    .min(1)
    .max(MAX_ID_CHARS)
    .optional()
    .describe('At most this one, with its spans, as `/traces/{id}` gives it; nobody else is asked for it.'),
});

/**
 * `POST /v1/traces` takes spans as an OTLP collector does, `GET /traces` and `GET /traces/{id}` show the last 1,000
 * traces. What is not Kong's has errors in our own form.
 */
export const traceRoutes = (app: FastifyInstance, parts: AdminParts, traces: TraceStore): void => {
  const jetstream = new JetStream(parts.bus);
  endpoint(app, '/v1/traces', {
    POST: (request, reply) => {
      toldElsewhere(reply); // spans change nothing that an auditor asks about
      return keepSpans(traces, request, reply);
    },
  });
  endpoint(app, '/traces', {
    GET: (request, reply) => {
      const asked = TracesQuery.safeParse(request.query);
      if (!asked.success) return refuse(reply, 400, 'invalid_request', problemsIn(asked.error));
      const { trace, limit, service } = asked.data;
      if (trace === undefined) return { data: traces.newest(limit, service) };
      const known = traces.find(trace);
      return { data: known === undefined ? [] : [known] };
    },
  });
  endpoint(app, '/traces/:id', {
    GET: async (request, reply) => {
      const { id = '' } = request.params as { id?: string };
      if (id.length > MAX_ID_CHARS)
        return refuse(reply, 400, 'invalid_request', `id: has more than ${MAX_ID_CHARS} characters`);
      const known = traces.find(id) ?? traces.find((await traceIdOf({ ...parts, jetstream }, id)) ?? '');
      return known ?? refuse(reply, 404, 'trace_not_found', notFound(id));
    },
  });
};

/** A request's id leads to its trace, as long as its decision is known. */
const traceIdOf = async (
  parts: Parameters<typeof findDecision>[0],
  id: string,
): Promise<string | undefined> => {
  try {
    const record = await findDecision(parts, id);
    return record?.traceId;
  } catch {
    return undefined; // nobody can be asked: then only the trace's own id helps
  }
};

const notFound = (id: string): string =>
  `No trace of ${id} is remembered. The last 1,000 recorded traces are, of processes with OTEL_EXPORTER_OTLP_ENDPOINT set to this API and OTEL_EXPORTER_OTLP_PROTOCOL to http/json; see docs/guides/observe.md.`;

const keepSpans = (traces: TraceStore, { headers, body }: FastifyRequest, reply: FastifyReply) => {
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    return refuse(
      reply.header('accept', 'application/json'),
      415,
      'unsupported_media_type',
      'Spans are taken as JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json',
    );
  try {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    if (bytes.length > MAX_MESSAGE_BYTES) return refuse(reply, 413, 'too_large', TOO_LARGE);
    const isPacked = headers['content-encoding'] === 'gzip';
    const plain = isPacked ? gunzipSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES }) : bytes;
    traces.keep(spansIn(JSON.parse(plain.toString())));
    return { partialSuccess: {} };
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      return refuse(reply, 413, 'too_large', TOO_LARGE);
    const problem = error instanceof z.ZodError ? problemsIn(error) : 'the body is no JSON';
    return refuse(reply, 400, 'invalid_request', problem);
  }
};

const TOO_LARGE = `A message may have ${MAX_MESSAGE_BYTES} bytes; lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE.`;

const problemsIn = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ');

const refuse = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).send({ error: { code, message, details: {} } });
