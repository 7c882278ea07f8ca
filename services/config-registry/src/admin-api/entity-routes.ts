import type { Kind } from '@sluice/contracts';
import { checkEntity, isUuid, publicEntity, type Stored, schemaOf } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AdminParts } from './admin-api.ts';
import {
  COLLECTIONS,
  findEntity,
  keyFieldOf,
  NESTED,
  type Nested,
  REFERRED,
  referenceOf,
  refersTo,
} from './collections.ts';
import { endpoint, type Handler } from './endpoint.ts';
import { pageOf } from './page.ts';
import { readBody } from './read-body.ts';
import { schemaViolation } from './schema-violation.ts';

type Params = Readonly<Record<'key' | 'child', string>>;
const paramsOf = (request: FastifyRequest): Params => request.params as Params;
const notFound = (reply: FastifyReply) => reply.code(404).send({ message: 'Not found' });

/** Lists and single entities, by the rules of Kong without a database: reads work, writes say why not. */
export const entityRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  for (const [path, kind] of Object.entries(COLLECTIONS)) {
    endpoint(app, `/${path}`, { GET: listOf(parts, path, kind), POST: refuseWrite(parts, kind, 'create') });
    endpoint(app, `/${path}/:key`, singleOf(parts, kind));
  }
  for (const nested of NESTED) nestedRoutes(app, parts, nested);
  for (const { child, path, kind } of REFERRED)
    endpoint(app, `/${child}/:key/${path}`, {
      GET: (request, reply) => {
        const { state } = parts.follower;
        const from = findEntity(state, COLLECTIONS[child] as Kind, paramsOf(request).key);
        const id = from === undefined ? undefined : referenceOf(from, path);
        const entity = id === undefined ? undefined : state.get(kind, id);
        return entity === undefined ? notFound(reply) : publicEntity(kind, entity);
      },
    });
};

const listOf =
  ({ follower }: AdminParts, path: string, kind: Kind): Handler =>
  (request, reply) => {
    const query = request.query as Record<string, unknown>;
    if (kind === 'consumers' && query.custom_id !== undefined) {
      const found = [...follower.state.list('consumers')].filter((one) => one.custom_id === query.custom_id);
      return { data: found.map((one) => publicEntity(kind, one)), next: null };
    }
    return sendPage(
      reply,
      kind,
      pageOf(follower.state.list(kind) as Iterable<Stored>, query, { path: `/${path}` }),
    );
  };

const sendPage = (reply: FastifyReply, kind: Kind, paged: ReturnType<typeof pageOf<Stored>>) =>
  paged.ok
    ? { ...paged.page, data: paged.page.data.map((entity) => publicEntity(kind, entity)) }
    : reply.code(400).send(paged.problem);

const singleOf = (parts: AdminParts, kind: Kind) => {
  const find = (request: FastifyRequest) => findEntity(parts.follower.state, kind, paramsOf(request).key);
  return {
    GET: (request: FastifyRequest, reply: FastifyReply) => {
      const entity = find(request);
      return entity === undefined ? notFound(reply) : publicEntity(kind, entity);
    },
    PUT: refuseWrite(parts, kind, 'create or update'),
    PATCH: (request: FastifyRequest, reply: FastifyReply) =>
      find(request) === undefined
        ? reply.code(404).send(unknownEntity(kind, paramsOf(request).key))
        : refuse(reply, kind, 'update', paramsOf(request).key),
    DELETE: (request: FastifyRequest, reply: FastifyReply) =>
      find(request) === undefined
        ? reply.code(204).send()
        : refuse(reply, kind, 'remove', paramsOf(request).key),
  };
};

const nestedRoutes = (app: FastifyInstance, parts: AdminParts, nested: Nested): void => {
  const { parent, path, kind, field } = nested;
  const parentOf = (request: FastifyRequest) =>
    findEntity(parts.follower.state, COLLECTIONS[parent] as Kind, paramsOf(request).key);
  const childOf = (request: FastifyRequest) => {
    const owner = parentOf(request);
    if (owner === undefined) return undefined;
    const isChild = (entity: Stored) => refersTo(entity, field, owner.id);
    return findEntity(parts.follower.state, kind, paramsOf(request).child, isChild);
  };
  const list: Handler = (request, reply) => {
    const owner = parentOf(request);
    if (owner === undefined) return notFound(reply);
    const all = [...(parts.follower.state.list(kind) as Iterable<Stored>)];
    const children = all.filter((entity) => refersTo(entity, field, owner.id));
    const options = { path: `/${parent}/${paramsOf(request).key}/${path}`, isNested: true };
    const query = request.query as Record<string, unknown>;
    return sendPage(
      reply,
      kind,
      pageOf(children, query, kind === 'targets' ? { ...options, compare: newestFirst } : options),
    );
  };
  endpoint(app, `/${parent}/:key/${path}`, {
    GET: list,
    POST: (request, reply) =>
      parentOf(request) === undefined
        ? notFound(reply)
        : refuseWrite(parts, kind, 'create', field)(request, reply),
  });
  if (kind === 'targets') endpoint(app, `/${parent}/:key/${path}/all`, { GET: list });
  endpoint(app, `/${parent}/:key/${path}/:child`, {
    GET: (request, reply) => {
      const entity = childOf(request);
      return entity === undefined ? notFound(reply) : publicEntity(kind, entity);
    },
    PUT: (request, reply) =>
      parentOf(request) === undefined
        ? notFound(reply)
        : refuseWrite(parts, kind, 'create or update', field)(request, reply),
    PATCH: (request, reply) =>
      childOf(request) === undefined
        ? notFound(reply)
        : refuse(reply, kind, 'update', paramsOf(request).child),
    DELETE: (request, reply) =>
      childOf(request) === undefined
        ? notFound(reply)
        : refuse(reply, kind, 'remove', paramsOf(request).child),
  });
};

const newestFirst = (a: Stored, b: Stored): number =>
  (b.created_at ?? 0) - (a.created_at ?? 0) || (a.id < b.id ? -1 : 1);

type Verb = 'create' | 'create or update' | 'update' | 'remove';

/** A write that breaks the schema is told so first (400), then that there is no database (405). */
const refuseWrite =
  (parts: AdminParts, kind: Kind, verb: Verb, given?: string): Handler =>
  async (request, reply) => {
    const body = await readBody(request);
    if (body.kind === 'unsupported' || body.kind === 'yaml') return reply.code(415).send();
    if (body.kind === 'bad-json') return reply.code(400).send({ message: 'Cannot parse JSON body' });
    const key = paramsOf(request).child ?? paramsOf(request).key;
    const named = verb === 'create' ? undefined : key;
    if (body.kind !== 'form' && schemaOf(kind) !== undefined) {
      const submitted = body.kind === 'json' ? body.value : {};
      const { findings } = checkEntity(kind, withKey(kind, submitted, named), parts.catalog, {
        given: given === undefined ? [] : [given],
      });
      if (findings.length > 0) return reply.code(400).send(schemaViolation(findings));
    }
    return refuse(reply, kind, verb, named);
  };

/** A body may leave out the name that its path says. */
const withKey = (kind: Kind, submitted: unknown, key: string | undefined): unknown => {
  const field = keyFieldOf(kind);
  if (key === undefined || field === undefined || isUuid(key)) return submitted;
  return typeof submitted === 'object' && submitted !== null ? { [field]: key, ...submitted } : submitted;
};

const refuse = (reply: FastifyReply, kind: Kind, verb: Verb, key?: string) => {
  const by = key === undefined || isUuid(key) ? '' : ` by '${keyFieldOf(kind) ?? 'id'}'`;
  const message = `cannot ${verb} '${kind}' entities${by} when not using a database`;
  return reply.code(405).send({ code: 12, name: 'operation unsupported', message });
};

const unknownEntity = (kind: Kind, key: string) => {
  const field = isUuid(key) ? 'id' : (keyFieldOf(kind) ?? 'id');
  const message = `could not find the entity with primary key '{${field}="${key}"}'`;
  return { code: 6, name: 'not found', message, fields: { [field]: key } };
};
