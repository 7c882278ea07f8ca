import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
/** What a path answers, by method. HEAD and OPTIONS follow from the others. */
export type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handler>>;

const EVERY_METHOD: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const paths = new WeakMap<FastifyInstance, string[]>();

/** Every path that was declared, as it was written. */
export const pathsOf = (app: FastifyInstance): readonly string[] => paths.get(app) ?? [];

/**
 * A path of the Admin API by Kong's rules: HEAD is GET, OPTIONS lists the methods, others get 405. A body of more than
 * `bodyLimit` bytes, by default the API's own limit, gets 413.
 */
export const endpoint = (
  app: FastifyInstance,
  url: string,
  methods: Methods,
  options: { readonly bodyLimit?: number } = {},
): void => {
  const head = methods.GET === undefined ? [] : ['HEAD'];
  const allowed = ['OPTIONS', ...head, ...Object.keys(methods)].sort().join(', ');
  paths.set(app, [...pathsOf(app), url]);
  app.route({
    method: EVERY_METHOD,
    url,
    ...options,
    handler: (request, reply) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      if (method === 'OPTIONS')
        return reply
          .code(204)
          .header('allow', allowed)
          .header('access-control-allow-methods', allowed)
          .header('access-control-allow-headers', 'Content-Type')
          .send();
      const handler = methods[method as keyof Methods];
      if (handler === undefined) return reply.code(405).send({ message: 'Method not allowed' });
      return handler(request, reply);
    },
  });
};
