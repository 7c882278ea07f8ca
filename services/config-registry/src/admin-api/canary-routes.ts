import { loadConfig } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { toldElsewhere } from '../audit/told.ts';
import type { Canary } from '../canary/canaries.ts';
import type { AdminParts } from './admin-api.ts';
import { authorship } from './authorship.ts';
import { endpoint } from './endpoint.ts';
import { invalid, notValid, refuse } from './own-refusal.ts';
import { readBody } from './read-body.ts';

const MS = 1000;

export const CanaryBody = z.object({
  config: z.string().min(1).describe('YAML or JSON, as to POST /config.'),
  share: z.number().gt(0).lt(1).default(0.25).describe('Of the edges.'),
  forSeconds: z.number().min(1).max(3600).default(60).describe('How long it is tried.'),
  leastRequests: z.int().min(1).max(1_000_000).default(20).describe('Of fewer nothing is concluded.'),
  message: z.string().max(1000).optional().describe('Why, for the history.'),
});

/** `/sluice/canary`: a configuration on some edges, compared with the others. Not Kong's, so errors are our own. */
export const canaryRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const { canaries } = parts;
  endpoint(app, '/sluice/canary', {
    GET: () => ({ canary: shown(canaries.current) }),
    POST: (request, reply) => begin(parts, request, reply),
    DELETE: async (request, reply) => {
      if (!(await canaries.abort(`aborted by ${authorship(request).author}`)))
        return refuse(reply, 404, { code: 'canary_unknown', message: 'No candidate is tried now.' });
      toldElsewhere(reply);
      return { canary: shown(canaries.current) };
    },
  });
  endpoint(app, '/sluice/canary/promote', { POST: (request, reply) => promote(parts, request, reply) });
};

/** Before its time is over, by somebody who has seen enough. */
const promote = async ({ canaries }: AdminParts, request: FastifyRequest, reply: FastifyReply) => {
  const outcome = await canaries.promote(authorship(request).author);
  if (outcome === 'unknown')
    return refuse(reply, 404, { code: 'canary_unknown', message: 'No candidate is tried now.' });
  if (outcome === 'starting') {
    const message =
      'Not all of its edges serve the candidate yet: nothing is known of it. Try again in a second.';
    return refuse(reply, 409, { code: 'canary_starting', message });
  }
  toldElsewhere(reply);
  return { canary: shown(canaries.current) };
};

const begin = async (parts: AdminParts, request: FastifyRequest, reply: FastifyReply) => {
  const { canaries, catalog, environment, follower, bus, logger } = parts;
  const body = await readBody(request);
  const asked = CanaryBody.safeParse(body.kind === 'json' ? body.value : undefined);
  if (!asked.success) return invalid(reply, asked.error);
  if (!bus.isConnected) return unavailable(reply);
  const { config, share, forSeconds, leastRequests, message } = asked.data;
  const now = Math.floor(Date.now() / MS);
  const loaded = loadConfig({ text: config }, catalog, { now, previous: follower.state, environment });
  if (!loaded.ok) return notValid(reply, 400, 'The candidate is no valid configuration', loaded.error);
  const { author, message: said, sourceAddress } = authorship(request);
  const wanted = { state: loaded.state, share, forMs: forSeconds * MS, leastRequests, author, sourceAddress };
  const begun = await canaries
    .start({ ...wanted, message: message ?? said })
    .catch((error: unknown) => void logger.error({ err: error }, 'candidate not stored'));
  if (begun === undefined) return unavailable(reply);
  if ('code' in begun) return refuse(reply, 409, begun);
  toldElsewhere(reply);
  return reply.code(202).send({ canary: shown(begun) });
};

const unavailable = (reply: FastifyReply) =>
  refuse(reply.header('retry-after', '1'), 503, {
    code: 'canary_unavailable',
    message: 'The bus cannot hold a candidate now; no edge has tried it.',
  });

/** As people see it: null is told where something is not known. */
const shown = (canary: Canary | undefined) => {
  if (canary === undefined) return null;
  const { base, reason = null, version = null, compared, ...rest } = canary;
  const { candidate = null, others = null } = compared ?? {};
  return { ...rest, base: base.version, reason, version, candidate, others };
};
