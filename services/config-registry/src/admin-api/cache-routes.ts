import { edgeAnswerCache } from '@sluice/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { NOT_FOUND } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { askEdges } from './ask-edges.ts';
import { findEntity } from './collections.ts';
import { endpoint, type Handler, type Methods } from './endpoint.ts';

type Answer = NonNullable<z.output<typeof edgeAnswerCache.reply>['answer']>;

const MAX_KEY = 1024;
const FORMAT = 1; // Kong's version of what it stores

type CacheParams = Readonly<Partial<Record<'key' | 'cache_key' | 'plugin_id', string>>>;
const paramsOf = (request: FastifyRequest): CacheParams => request.params as CacheParams;
const keyIn = (request: FastifyRequest): string => paramsOf(request).cache_key ?? paramsOf(request).key ?? '';
const notFound = (reply: FastifyReply) => reply.code(NOT_FOUND.status).send(NOT_FOUND.body);

/** `/cache…` and `/proxy-cache…` (kong-compat 4.16, 5.4): the answers that the edges keep, as one cache. */
export const cacheRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const clear: Handler = async (_request, reply) => {
    await askEdges(parts, edgeAnswerCache, { action: 'clear' });
    return reply.code(204).send();
  };
  endpoint(app, '/cache', { DELETE: clear });
  endpoint(app, '/cache/:key', oneKey(parts, { isGoneFine: true }));
  endpoint(app, '/proxy-cache', { DELETE: clear });
  endpoint(app, '/proxy-cache/:cache_key', oneKey(parts, { isGoneFine: false }));
  const { GET, DELETE } = oneKey(parts, { isGoneFine: false });
  endpoint(app, '/proxy-cache/:plugin_id/caches/:cache_key', {
    GET: ofPlugin(parts, GET),
    DELETE: ofPlugin(parts, DELETE),
  });
};

const oneKey = (
  parts: AdminParts,
  { isGoneFine }: { readonly isGoneFine: boolean },
): Required<Pick<Methods, 'GET' | 'DELETE'>> => ({
  GET: async (request, reply) => {
    const key = keyIn(request);
    if (key.length > MAX_KEY) return notFound(reply);
    const found = await askEdges(parts, edgeAnswerCache, { action: 'read', key });
    const [newest] = found
      .flatMap(({ answer }) => answer ?? [])
      .sort((one, other) => other.storedAt - one.storedAt);
    return newest === undefined ? notFound(reply) : reply.send(shown(newest));
  },
  DELETE: async (request, reply) => {
    const key = keyIn(request);
    const dropped =
      key.length > MAX_KEY ? [] : await askEdges(parts, edgeAnswerCache, { action: 'drop', key });
    const isGone = dropped.some(({ count }) => count > 0);
    return isGone || isGoneFine ? reply.code(204).send() : notFound(reply);
  },
});

/** The edges keep one cache for all instances of the plugin, as Kong does for those of one dictionary. */
const ofPlugin =
  ({ follower, index }: AdminParts, handler: Handler): Handler =>
  (request, reply) => {
    const view = { state: follower.state, index };
    const plugin = findEntity(view, 'plugins', paramsOf(request).plugin_id ?? '');
    return plugin?.name === 'proxy-cache' ? handler(request, reply) : notFound(reply);
  };

/** As Kong shows what it stored. */
const shown = ({ status, headers, body, bodyBytes, storedAt, ttlSeconds }: Answer) => {
  const byName: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers)
    byName[name] = byName[name] === undefined ? value : [byName[name], value].flat();
  return {
    status,
    headers: byName,
    body: body === undefined ? null : Buffer.from(body, 'base64').toString(),
    body_len: bodyBytes,
    timestamp: Math.floor(storedAt / 1000),
    ttl: ttlSeconds,
    version: FORMAT,
  };
};
