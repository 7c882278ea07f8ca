import type { Kind } from '@sluice/contracts';
import { redactEntity, schemaOf } from '@sluice/gateway-config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { seesSecrets } from '../admin-access/sees-secrets.ts';
import type { StoredEntity } from '../entities/complete-entity.ts';
import { type EntityProblem, NOT_FOUND } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { COLLECTIONS, NESTED, type Nested, REFERRED, type View } from './collections.ts';
import { endpoint, type Handler, type Methods } from './endpoint.ts';
import { entityWrites } from './entity-writes.ts';
import { pageOf } from './page.ts';
import {
  childrenOf,
  childrenPlace,
  collectionPlace,
  type ListPlace,
  nestedPlace,
  type Place,
  paramsOf,
  referredPlace,
  showEntity,
  singlePlace,
} from './places.ts';
import { refusedWrites } from './refused-writes.ts';

/** What can be done to entities, as handlers. */
export interface EntityWrites {
  readonly create: (place: ListPlace) => Handler;
  readonly replace: (place: Place) => Handler;
  readonly update: (place: Place) => Handler;
  readonly remove: (place: Place) => Handler;
}

const sendProblem = (reply: FastifyReply, { status, body }: EntityProblem) => reply.code(status).send(body);

/** Lists and single entities, top level and nested (kong-compat 5.4). */
export const entityRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const writes = parts.adminWrites ? entityWrites(parts) : refusedWrites(parts);
  const view = (): View => ({ state: parts.follower.state, index: parts.index });
  const single = (place: Place): Methods => ({
    GET: readOne(view, place),
    ...(schemaOf(place.kind) === undefined
      ? {}
      : { PUT: writes.replace(place), PATCH: writes.update(place), DELETE: writes.remove(place) }),
  });
  const all = (list: Handler, place: ListPlace): Methods => ({
    GET: list,
    ...(schemaOf(place.kind) === undefined ? {} : { POST: writes.create(place) }),
  });
  for (const [path, kind] of Object.entries(COLLECTIONS)) {
    endpoint(app, `/${path}`, all(listOf(view, path, kind), collectionPlace(kind)));
    endpoint(app, `/${path}/:key`, single(singlePlace(kind)));
  }
  for (const nested of NESTED) {
    const list = listNested(view, nested);
    const path = `/${nested.parent}/:key/${nested.path}`;
    endpoint(app, path, all(list, childrenPlace(nested)));
    if (nested.kind === 'targets') endpoint(app, `${path}/all`, { GET: list });
    endpoint(app, `${path}/:child`, single(nestedPlace(nested)));
  }
  for (const { child, path, kind } of REFERRED) {
    const place = referredPlace(child, path, kind);
    const { DELETE: _none, ...methods } = single(place); // what others refer to is not removed through them
    endpoint(app, `/${child}/:key/${path}`, methods);
  }
};

/** Plugins hold secrets, too, beside what everybody may read: those are taken out for whom they are not. */
const shownTo = (request: FastifyRequest, view: View, kind: Kind, entity: StoredEntity) => {
  const shown = showEntity(view, kind, entity);
  return seesSecrets(request) ? shown : redactEntity(kind, shown);
};

const readOne =
  (view: () => View, place: Place): Handler =>
  (request, reply) => {
    const located = place.locate(view(), paramsOf(request));
    if (located?.entity === undefined || !located.isHere)
      return sendProblem(reply, located?.invalid ?? located?.absent.read ?? NOT_FOUND);
    return shownTo(request, view(), place.kind, located.entity);
  };

const listOf = (view: () => View, path: string, kind: Kind): Handler => {
  const ordered = inOrder(view, kind);
  return (request, reply) => {
    const query = queryOf(request);
    const { state } = view();
    if (kind === 'consumers' && query.custom_id !== undefined) {
      const found = [...state.list('consumers')].filter((one) => one.custom_id === query.custom_id);
      return { data: found.map((one) => shownTo(request, view(), kind, { ...one })), next: null };
    }
    return sendPage(request, reply, {
      view: view(),
      kind,
      paged: pageOf(ordered(), query, { path: `/${path}` }),
    });
  };
};

/** All entities of a kind by id; kept while nothing changes, for who reads page after page. */
const inOrder = (view: () => View, kind: Kind): (() => readonly Listed[]) => {
  let known: { readonly digest: string; readonly all: readonly Listed[] } | undefined;
  return () => {
    const { state } = view();
    if (known?.digest === state.digest) return known.all;
    const all = [...(state.list(kind) as Iterable<object> as Iterable<Listed>)];
    all.sort((a, b) => (a.id < b.id ? -1 : 1));
    known = { digest: state.digest, all };
    return all;
  };
};

type Listed = StoredEntity & { readonly tags: readonly string[] | null; readonly created_at: number | null };
const queryOf = (request: FastifyRequest) => request.query as Readonly<Record<string, unknown>>;

interface Paged {
  readonly view: View;
  readonly kind: Kind;
  readonly paged: ReturnType<typeof pageOf<Listed>>;
}
const sendPage = (request: FastifyRequest, reply: FastifyReply, { view, kind, paged }: Paged) =>
  paged.ok
    ? { ...paged.page, data: paged.page.data.map((entity) => shownTo(request, view, kind, entity)) }
    : reply.code(400).send(paged.problem);

const listNested =
  (view: () => View, nested: Nested): Handler =>
  (request, reply) => {
    const children = childrenOf(view(), nested, paramsOf(request)) as Listed[] | undefined;
    if (children === undefined) return sendProblem(reply, NOT_FOUND);
    const { parent, path, kind } = nested;
    const options = { path: `/${parent}/${paramsOf(request).key}/${path}`, isNested: true };
    const order = kind === 'targets' ? { ...options, compare: newestFirst } : options;
    return sendPage(request, reply, { view: view(), kind, paged: pageOf(children, queryOf(request), order) });
  };

const newestFirst = (a: Listed, b: Listed): number =>
  (b.created_at ?? 0) - (a.created_at ?? 0) || (a.id < b.id ? -1 : 1);
