import { JetStream } from '@sluice/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { simulate } from '../simulate/simulate.ts';
import type { AdminParts } from './admin-api.ts';
import { inputOf } from './config-routes.ts';
import { endpoint } from './endpoint.ts';
import { readBody } from './read-body.ts';

const MAX_SECONDS = 6 * 3600; // as long as the stream of decisions keeps them

export const SimulateQuery = z.object({
  since: z.coerce.number().min(1).max(MAX_SECONDS).default(900).describe('How far back, in seconds.'),
  each: z.enum(['0', '1']).default('0').describe('`1`: every request with what would become of it.'),
});

/** `POST /sluice/simulate`: what a configuration would change, told from recorded requests. Nothing is applied. */
export const simulateRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const jetstream = new JetStream(parts.bus);
  let isBusy = false;
  endpoint(app, '/sluice/simulate', {
    POST: async (request, reply) => {
      const asked = SimulateQuery.safeParse(request.query);
      if (!asked.success) return invalid(reply, problemsIn(asked.error));
      const body = await readBody(request);
      const input = inputOf(body, {});
      if (input === undefined) return invalid(reply, 'give a declarative configuration, as to POST /config');
      if (isBusy) return refuse(reply.header('retry-after', '5'), 409, 'simulation_running', BUSY);
      isBusy = true;
      try {
        const told = await simulate({ ...parts, jetstream }, { input, sinceMs: asked.data.since * 1000 });
        if (told.outcome === 'refused')
          return await refuse(reply, 400, 'invalid_configuration', told.refusal.toBody({}).message);
        const { each, ...report } = told.report;
        return asked.data.each === '1' ? told.report : report;
      } finally {
        isBusy = false;
      }
    },
  });
};

const BUSY = 'Another simulation is running in this registry; try again in some seconds.';

const problemsIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');

const refuse = (reply: FastifyReply, status: number, code: string, message: string, details = {}) =>
  reply.code(status).send({ error: { code, message, details } });

const invalid = (reply: FastifyReply, message: string) => refuse(reply, 400, 'invalid_request', message);
