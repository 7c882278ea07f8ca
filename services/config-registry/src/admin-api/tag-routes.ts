import { kindNames } from '@sluice/contracts';
import type { ConfigState } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';
import { pageOf } from './page.ts';

interface Tagged {
  /** The order of the list, and with it the place of the next page. */
  readonly id: string;
  readonly tags: null;
  readonly shown: { readonly tag: string; readonly entity_name: string; readonly entity_id: string };
}

/** `/tags`, `/tags/{tag}`: which entities have which tag. */
export const tagRoutes = (app: FastifyInstance, { follower }: AdminParts): void => {
  endpoint(app, '/tags', {
    GET: (request, reply) => answer(request, reply, '/tags', [...tagged(follower.state)]),
  });
  endpoint(app, '/tags/:tags', {
    GET: (request, reply) => {
      const { tags: tag } = request.params as { tags: string };
      const found = [...tagged(follower.state)].filter(({ shown }) => shown.tag === tag);
      return answer(request, reply, `/tags/${encodeURIComponent(tag)}`, found);
    },
  });
};

const tagged = function* (state: ConfigState): Generator<Tagged> {
  for (const kind of kindNames)
    for (const { id, tags } of state.list(kind))
      for (const tag of tags ?? [])
        yield {
          id: JSON.stringify([tag, kind, id]),
          tags: null,
          shown: { tag, entity_name: kind, entity_id: id },
        };
};

const answer = (request: FastifyRequest, reply: FastifyReply, path: string, all: readonly Tagged[]) => {
  const { size, offset } = request.query as Readonly<Record<string, unknown>>;
  const paged = pageOf(all, { size, offset }, { path });
  if (!paged.ok) return reply.code(400).send(paged.problem);
  return { ...paged.page, data: paged.page.data.map(({ shown }) => shown) };
};
