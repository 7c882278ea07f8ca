import type { Kind } from '@sluice/contracts';
import { isRecord, schemaOf, submittedFields } from '@sluice/gateway-config';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { checkSubmitted } from '../entities/complete-entity.ts';
import { type EntityProblem, NOT_FOUND, schemaProblem } from '../entities/entity-problem.ts';
import type { AdminParts } from './admin-api.ts';
import { keyFieldOf } from './collections.ts';
import type { EntityWrites } from './entity-routes.ts';
import { type Located, type Place, paramsOf } from './places.ts';
import { readSubmission } from './read-submission.ts';

type Verb = 'create' | 'create or update' | 'update' | 'remove';

/** The writes of Kong without a database: each says why not, after the schema and the path were looked at. */
export const refusedWrites = (parts: AdminParts): EntityWrites => {
  const view = () => ({ state: parts.follower.state, index: parts.index });
  const locate = (place: Place, request: FastifyRequest) => place.locate(view(), paramsOf(request));
  return {
    create: (place) => (request, reply) => {
      const given = place.given(view(), paramsOf(request));
      if (given === undefined) return answer(reply, NOT_FOUND);
      return refuseBody(parts, { request, reply, kind: place.kind, given, verb: 'create' });
    },
    replace: (place) => (request, reply) => {
      const located = locate(place, request);
      if (located === undefined) return answer(reply, NOT_FOUND);
      const { given, id, invalid } = located;
      if (invalid !== undefined) return answer(reply, invalid);
      const by = byField(place, located);
      return refuseBody(parts, { request, reply, kind: place.kind, given, verb: 'create or update', by, id });
    },
    update: (place) => (request, reply) => {
      const located = locate(place, request);
      if (located?.entity === undefined || !located.isHere)
        return answer(reply, located?.invalid ?? located?.absent.change ?? NOT_FOUND);
      return answer(reply, unsupported('update', place.kind, byField(place, located)));
    },
    remove: (place) => (request, reply) => {
      const located = locate(place, request);
      if (located?.entity !== undefined && located.isHere)
        return answer(reply, unsupported('remove', place.kind, byField(place, located)));
      if (located?.invalid !== undefined) return answer(reply, located.invalid);
      return located === undefined || place.isNested === true
        ? answer(reply, NOT_FOUND)
        : reply.code(204).send();
    },
  };
};

const answer = (reply: FastifyReply, { status, body }: EntityProblem) => reply.code(status).send(body);

const byField = ({ kind, isNested }: Place, { id }: Located): string | undefined =>
  id === undefined ? (keyFieldOf(kind, { isNested: isNested === true }) ?? 'id') : undefined;

const unsupported = (verb: Verb, kind: Kind, by?: string): EntityProblem => {
  const how = by === undefined ? '' : ` by '${by}'`;
  const message = `cannot ${verb} '${kind}' entities${how} when not using a database`;
  return { status: 405, body: { code: 12, name: 'operation unsupported', message } };
};

interface Refusal {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly kind: Kind;
  readonly given: Readonly<Record<string, unknown>>;
  readonly verb: Verb;
  readonly by?: string | undefined;
  readonly id?: string | undefined;
}

const refuseBody = async (parts: AdminParts, { request, reply, kind, given, verb, by, id }: Refusal) => {
  const submission = await readSubmission(request, reply);
  if (submission === undefined) return reply;
  if (schemaOf(kind) !== undefined) {
    const read = submission(submittedFields(kind, parts.catalog));
    const submitted = isRecord(read) ? { ...read, ...given, ...(id === undefined ? {} : { id }) } : read;
    const { findings } = checkSubmitted(parts.catalog, kind, submitted);
    if (findings.length > 0) return answer(reply, schemaProblem(findings));
  }
  return answer(reply, unsupported(verb, kind, by));
};
