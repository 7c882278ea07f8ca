import type { ConfigOp, Kind } from '@sluice/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { changeEntities } from '../change-entities.ts';
import type { StoredEntity, World } from '../entities/complete-entity.ts';
import { type EntityProblem, NOT_FOUND } from '../entities/entity-problem.ts';
import {
  createEntity,
  removeEntity,
  replaceEntity,
  type Submission,
  updateEntity,
  type Written,
} from '../entities/write-entity.ts';
import type { AdminParts } from './admin-api.ts';
import { authorship, sayStale, sayWhere } from './authorship.ts';
import type { EntityWrites } from './entity-routes.ts';
import { type Located, type Place, paramsOf, showEntity } from './places.ts';
import { readSubmission } from './read-submission.ts';

/** Single-entity writes as Kong with a database does them; each is a version of its own. */
export const entityWrites = (parts: AdminParts): EntityWrites => ({
  create: (place) => async (request, reply) => {
    const submission = await readSubmission(request, reply);
    if (submission === undefined) return reply;
    const write = (world: World): Written => {
      const given = place.given(world, paramsOf(request));
      return given === undefined ? absent() : createEntity(world, place.kind, submission, given);
    };
    return save(parts, { request, reply, verb: 'create', kind: place.kind, status: 201, write });
  },
  replace: (place) => async (request, reply) => {
    const submission = await readSubmission(request, reply);
    if (submission === undefined) return reply;
    const write = (world: World) =>
      replaceAt(world, place, place.locate(world, paramsOf(request)), submission);
    return save(parts, { request, reply, verb: 'replace', kind: place.kind, status: 200, write });
  },
  update: (place) => async (request, reply) => {
    const submission = await readSubmission(request, reply);
    if (submission === undefined) return reply;
    const write = (world: World) =>
      updateAt(world, place, place.locate(world, paramsOf(request)), submission);
    return save(parts, { request, reply, verb: 'update', kind: place.kind, status: 200, write });
  },
  remove: (place) => (request, reply) => removeAt(parts, place, request, reply),
});

const absent = (problem: EntityProblem = NOT_FOUND): { ok: false; problem: EntityProblem } => ({
  ok: false,
  problem,
});

const replaceAt = (
  world: World,
  { kind, isExisting }: Place,
  located: Located | undefined,
  submission: Submission,
): Written => {
  if (located === undefined) return absent();
  const { entity, isHere, id, given, invalid } = located;
  if (invalid !== undefined) return absent(invalid);
  if (isExisting === true && (entity === undefined || !isHere)) return absent();
  return replaceEntity(world, kind, submission, { id, before: entity, given });
};

const updateAt = (
  world: World,
  { kind, isNested }: Place,
  located: Located | undefined,
  submission: Submission,
): Written => {
  if (located?.entity === undefined || !located.isHere)
    return absent(located?.invalid ?? located?.absent.change);
  const { entity, given } = located;
  return updateEntity(world, kind, submission, {
    before: entity,
    given: isNested === true ? parentIn(given) : {},
  });
};

/** A change may rename what its path names, but not move it to another parent. */
const parentIn = (given: Located['given']): Located['given'] =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'object'));

const MAX_LABEL = 200;

/** What a person calls an entity; no field that may be secret. */
const labelOf = (entity: StoredEntity): string => {
  const { name, username, custom_id, prefix, target, group, id } = entity;
  return String(name ?? username ?? custom_id ?? prefix ?? target ?? group ?? id).slice(0, MAX_LABEL);
};

interface Save {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly verb: 'create' | 'replace' | 'update';
  readonly kind: Kind;
  readonly status: number;
  readonly write: (world: World) => Written;
}

const save = async (parts: AdminParts, { request, reply, verb, kind, status, write }: Save) => {
  const changed = await changeEntities(parts, {
    ...authorship(request),
    decide: (world) => {
      const written = write(world);
      if (!written.ok) return written;
      const { ops, entity } = written;
      return { ok: true, ops, summary: `${verb} ${kind} ${labelOf(entity)}`, result: entity };
    },
  });
  if (changed.outcome === 'refused') return refuse(reply, changed.refusal);
  if (changed.outcome === 'stale') return sayStale(reply, changed.at);
  sayWhere(reply, changed);
  const view = { state: parts.follower.state, index: parts.index };
  return reply.code(status).send(showEntity(view, kind, changed.result));
};

const refuse = (reply: FastifyReply, { status, body }: EntityProblem) => reply.code(status).send(body);

const removeAt = async (parts: AdminParts, place: Place, request: FastifyRequest, reply: FastifyReply) => {
  const remove = (world: World) => {
    const located = place.locate(world, paramsOf(request));
    const entity = located?.isHere === true ? located.entity : undefined;
    if (entity !== undefined) return { entity, removed: removeEntity(world, place.kind, entity.id) };
    if (located?.invalid !== undefined) return { entity, removed: absent(located.invalid) };
    const isFine = located !== undefined && place.isNested !== true;
    const nothing: { ok: true; ops: readonly ConfigOp[] } = { ok: true, ops: [] };
    return { entity, removed: isFine ? nothing : absent() };
  };
  const changed = await changeEntities(parts, {
    ...authorship(request),
    decide: (world) => {
      const { entity, removed } = remove(world);
      if (!removed.ok) return removed;
      const summary = entity === undefined ? '' : `delete ${place.kind} ${labelOf(entity)}`;
      return { ok: true, ops: removed.ops, summary, result: undefined };
    },
  });
  if (changed.outcome === 'refused') return refuse(reply, changed.refusal);
  if (changed.outcome === 'stale') return sayStale(reply, changed.at);
  sayWhere(reply, changed);
  return reply.code(204).send();
};
