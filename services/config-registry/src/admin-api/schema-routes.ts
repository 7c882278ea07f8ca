import type { Kind } from '@sluice/contracts';
import {
  ENTITY_SCHEMAS,
  isRecord,
  kongPluginSchema,
  kongSchemaOf,
  type PluginCatalog,
  schemaOf,
  submittedFields,
} from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkSubmitted } from '../entities/complete-entity.ts';
import { schemaProblem } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { endpoint, type Handler } from './endpoint.ts';
import { readSubmission } from './read-submission.ts';

const VAULTS = new Set(['env']);

const nameIn = (request: FastifyRequest): string => (request.params as { name: string }).name;
const unknown = (reply: FastifyReply, what: string, name: string) =>
  reply.code(404).send({ message: `No ${what} named '${name}'` });

/** `/schemas/…` (kong-compat 5.4): what may be written, and whether something may. */
export const schemaRoutes = (app: FastifyInstance, { catalog }: AdminParts): void => {
  const ofPlugin: Handler = (request, reply) => {
    const rules = catalog.get(nameIn(request));
    return rules === undefined ? unknown(reply, 'plugin', nameIn(request)) : kongPluginSchema(rules);
  };
  endpoint(app, '/schemas/:name', {
    GET: (request, reply) => {
      const schema = schemaOf(nameIn(request));
      return schema === undefined ? unknown(reply, 'entity', nameIn(request)) : kongSchemaOf(schema.kind);
    },
  });
  endpoint(app, '/schemas/plugins/:name', { GET: ofPlugin });
  endpoint(app, '/plugins/schema/:name', { GET: ofPlugin });
  endpoint(app, '/schemas/vaults/:name', {
    GET: (request, reply) => {
      if (!VAULTS.has(nameIn(request))) return unknown(reply, 'vault', nameIn(request));
      const { entity_checks, fields } = kongSchemaOf('vaults');
      return { entity_checks, fields: fields.filter((field) => Object.hasOwn(field, 'config')) };
    },
  });
  endpoint(app, '/schemas/:name/validate', {
    POST: (request, reply) => {
      const schema = schemaOf(nameIn(request));
      return schema === undefined
        ? unknown(reply, 'entity', nameIn(request))
        : validate(catalog, schema.kind)(request, reply);
    },
  });
  for (const { kind } of ENTITY_SCHEMAS)
    if (kind === 'plugins' || kind === 'vaults')
      endpoint(app, `/schemas/${kind}/validate`, { POST: validate(catalog, kind) });
};

const validate =
  (catalog: PluginCatalog, kind: Kind): Handler =>
  async (request, reply) => {
    const submission = await readSubmission(request, reply);
    if (submission === undefined) return reply;
    const untyped = submission(submittedFields(kind, catalog));
    const name = isRecord(untyped) ? untyped.name : undefined;
    const { findings } = checkSubmitted(catalog, kind, submission(submittedFields(kind, catalog, name)));
    if (findings.length === 0) return { message: 'schema validation successful' };
    const { status, body } = schemaProblem(findings);
    return reply.code(status).send(body);
  };
