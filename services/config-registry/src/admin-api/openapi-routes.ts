import { gzipSync } from 'node:zlib';
import type { Plugin } from '@sluice/plugins';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';

interface Description {
  /** The plugins that are described; a user's own may come and go. */
  readonly of: string;
  readonly document: Text;
  readonly page: Text;
  /** The page's Content-Security-Policy. */
  readonly policy: string;
}
interface Text {
  readonly plain: string;
  readonly packed: Buffer;
}

/** `/openapi.json`, and `/sluice/api` for people: what this API takes and answers. */
export const openApiRoutes = (app: FastifyInstance, { plugins }: Pick<AdminParts, 'plugins'>): void => {
  let made: Description | undefined;
  const current = async (): Promise<Description> => {
    const all = plugins.all();
    const of = all.map(({ name }) => name).join();
    if (made?.of !== of) made = await descriptionOf(of, all);
    return made;
  };
  endpoint(app, '/openapi.json', {
    GET: async (request, reply) =>
      sendText(request, reply.type('application/json; charset=utf-8'), (await current()).document),
  });
  endpoint(app, '/sluice/api', {
    GET: async (request, reply) => {
      const { page, policy } = await current();
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', policy)
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-opener-policy', 'same-origin');
      return sendText(request, reply, page);
    },
  });
};

/** Loaded by the first who asks: no start waits for what describes the API. */
const descriptionOf = async (of: string, plugins: readonly Plugin[]): Promise<Description> => {
  const [{ openApiDocument }, { apiPage, PAGE_POLICY }] = await Promise.all([
    import('../openapi/document.ts'),
    import('../openapi/api-page.ts'),
  ]);
  const document = openApiDocument(plugins);
  return {
    of,
    document: textOf(JSON.stringify(document)),
    page: textOf(apiPage(document)),
    policy: PAGE_POLICY,
  };
};

const textOf = (plain: string): Text => ({ plain, packed: gzipSync(plain) });

const sendText = (request: FastifyRequest, reply: FastifyReply, { plain, packed }: Text) => {
  reply.header('cache-control', 'no-cache').header('vary', 'accept-encoding');
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(
    `${request.headers['accept-encoding'] ?? ''}`,
  );
  return takesGzip ? reply.header('content-encoding', 'gzip').send(packed) : reply.send(plain);
};
