import { quotaList } from '@sluice/contracts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';
import { invalid, refuse } from './own-refusal.ts';

const { show, search, limit, offset } = quotaList.request.shape;
export const QuotasQuery = z.object({
  show: show.default('all'),
  search,
  limit: z.coerce.number().pipe(limit).default(50),
  offset: z.coerce.number().pipe(offset.unwrap()).default(0),
});

/** `/sluice/quotas`: how tenants stand with their quotas, the largest share first. Not Kong's, so errors are our own. */
export const quotaRoutes = (app: FastifyInstance, { bus, logger }: AdminParts): void => {
  endpoint(app, '/sluice/quotas', {
    GET: async (request, reply) => {
      const asked = QuotasQuery.safeParse(request.query);
      if (!asked.success) return invalid(reply, asked.error);
      try {
        const { tenants, ...rest } = await bus.ask(quotaList, asked.data);
        const next = asked.data.offset + tenants.length;
        return {
          data: tenants,
          ...rest,
          next: next < rest.found ? pathOf({ ...asked.data, offset: next }) : null,
        };
      } catch (error) {
        logger.warn({ err: error }, 'quotas could not be asked for');
        return unavailable(reply);
      }
    },
  });
};

const pathOf = ({
  show: wanted,
  search: part = '',
  limit: size,
  offset: from,
}: z.output<typeof QuotasQuery>) =>
  `/sluice/quotas?${new URLSearchParams({
    ...{ show: wanted, limit: `${size}`, offset: `${from}` },
    ...(part === '' ? {} : { search: part }),
  })}`;

const unavailable = (reply: FastifyReply) =>
  refuse(reply.header('retry-after', '2'), 503, {
    code: 'quotas_unavailable',
    message:
      'No quota-mirror answers: nobody knows the tenants’ quotas now. Edges go on with what Redis holds. Look at sluice services and sluice doctor.',
  });
