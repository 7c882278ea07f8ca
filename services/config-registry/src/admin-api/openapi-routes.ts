import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { apiPage, PAGE_POLICY } from '../openapi/api-page.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { AdminParts } from './admin-api.ts';
import { endpoint } from './endpoint.ts';

interface Description {
  /** The plugins that are described; a user's own may come and go. */
  readonly of: string;
  readonly document: Text;
  readonly page: Text;
}
interface Text {
  readonly plain: string;
  readonly packed: Buffer;
}

/** `/openapi.json`, and `/sluice/api` for people: what this API takes and answers. */
export const openApiRoutes = (app: FastifyInstance, { plugins }: Pick<AdminParts, 'plugins'>): void => {
  let made: Description | undefined;
  const current = (): Description => {
    const all = plugins.all();
    const of = all.map(({ name }) => name).join();
    if (made?.of !== of) made = descriptionOf(of, openApiDocument(all));
    return made;
  };
  endpoint(app, '/openapi.json', {
    GET: (request, reply) =>
      sendText(request, reply.type('application/json; charset=utf-8'), current().document),
  });
  endpoint(app, '/sluice/api', {
    GET: (request, reply) => {
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', PAGE_POLICY)
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-opener-policy', 'same-origin');
      return sendText(request, reply, current().page);
    },
  });
};

const descriptionOf = (of: string, document: ReturnType<typeof openApiDocument>): Description => ({
  of,
  document: textOf(JSON.stringify(document)),
  page: textOf(apiPage(document)),
});

const textOf = (plain: string): Text => ({ plain, packed: gzipSync(plain) });

const sendText = (request: FastifyRequest, reply: FastifyReply, { plain, packed }: Text) => {
  reply.header('cache-control', 'no-cache').header('vary', 'accept-encoding');
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(
    `${request.headers['accept-encoding'] ?? ''}`,
  );
  return takesGzip ? reply.header('content-encoding', 'gzip').send(packed) : reply.send(plain);
};
