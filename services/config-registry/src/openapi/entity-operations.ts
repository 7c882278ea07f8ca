import { type Kind, kindNames } from '@sluice/contracts';
import { publicEntity, schemaOf } from '@sluice/gateway-config';
import { COLLECTIONS, NESTED, REFERRED } from '../admin-api/collections.ts';
import { answeredExample, writtenExample } from './entity-examples.ts';
import { nameOfOne, needed } from './entity-schemas.ts';
import {
  answer,
  componentOf,
  empty,
  type Json,
  type Operation,
  type Operations,
  queryParameter,
  responseRef,
  schemaRef,
} from './operation.ts';

const LIST = ['size', 'offset', 'tags'].map((name) => componentOf('parameters', name));
const NESTED_LIST = ['size', 'offset'].map((name) => componentOf('parameters', name));
const WRITE = ['author', 'message', 'expectedGeneration'].map((name) => componentOf('parameters', name));

const BAD = responseRef('KongBadRequest');
const MISSING = responseRef('KongNotFound');
const TAKEN = responseRef('KongConflict');
const WRITE_ERRORS = {
  400: BAD,
  405: responseRef('KongReadOnly'),
  409: TAKEN,
  415: responseRef('KongMediaType'),
  503: responseRef('LogUnavailable'),
};

const phrase = (kind: Kind): string => kind.replaceAll('_', ' ');
const onePhrase = (kind: Kind): string => {
  const one = phrase(kind).replace(/s$/, '');
  return `${/^[aeio]/.test(one) ? 'an' : 'a'} ${one}`;
};

const find = (kind: Kind, tag: string, where: string): Operation => ({
  tag,
  summary: `Read ${onePhrase(kind)}${where}`,
  responses: { 200: responseRef(nameOfOne(kind)), 404: MISSING },
});

const list = (kind: Kind, tag: string, where: string): Operation => ({
  ...{ tag, summary: `List ${phrase(kind)}${where}` },
  parameters: [
    ...(where === '' ? LIST : NESTED_LIST),
    ...(kind === 'consumers' && where === '' ? [CUSTOM_ID] : []),
  ],
  responses: {
    200: responseRef(`${nameOfOne(kind)}List`),
    400: BAD,
    ...(where === '' ? {} : { 404: MISSING }),
  },
});

const CUSTOM_ID = queryParameter('custom_id', { type: 'string' }, 'Only the consumer with this custom_id.');

const create = (kind: Kind, tag: string, where: string): Operation => ({
  ...{ tag, summary: `Create ${onePhrase(kind)}${where}`, parameters: WRITE },
  requestBody: componentOf('requestBodies', `New${nameOfOne(kind)}`),
  responses: {
    201: responseRef(nameOfOne(kind)),
    ...WRITE_ERRORS,
    ...(where === '' ? {} : { 404: MISSING }),
  },
});

const replace = (kind: Kind, tag: string, where: string): Operation => ({
  tag,
  summary: `Create or replace ${onePhrase(kind)}${where}`,
  description: 'What the body leaves out returns to its default.',
  parameters: WRITE,
  requestBody: componentOf('requestBodies', `New${nameOfOne(kind)}`),
  responses: { 200: responseRef(nameOfOne(kind)), ...WRITE_ERRORS, 404: MISSING },
});

const update = (kind: Kind, tag: string, where: string): Operation => ({
  tag,
  summary: `Change fields of ${onePhrase(kind)}${where}`,
  description: 'Records such as `config` are merged, lists replaced; null clears a field.',
  parameters: WRITE,
  requestBody: componentOf('requestBodies', `${nameOfOne(kind)}Change`),
  responses: { 200: responseRef(nameOfOne(kind)), ...WRITE_ERRORS, 404: MISSING },
});

const remove = (kind: Kind, tag: string, where: string): Operation => ({
  ...{ tag, summary: `Delete ${onePhrase(kind)}${where}`, parameters: WRITE },
  description:
    where === '' ? 'Also 204 where there is none.' : 'Only where it belongs to what the path names.',
  responses: {
    204: empty('It is gone.'),
    ...{ 400: BAD, 405: responseRef('KongReadOnly'), 503: responseRef('LogUnavailable') },
    ...(where === '' ? {} : { 404: MISSING }),
  },
});

const onOne = (path: string, kind: Kind, tag: string, where: string): Operations => ({
  [`GET ${path}`]: find(kind, tag, where),
  [`PUT ${path}`]: replace(kind, tag, where),
  [`PATCH ${path}`]: update(kind, tag, where),
  [`DELETE ${path}`]: remove(kind, tag, where),
});

const onList = (path: string, kind: Kind, tag: string, where: string): Operations => ({
  [`GET ${path}`]: list(kind, tag, where),
  [`POST ${path}`]: create(kind, tag, where),
});

/** Lists and single entities, top level, nested and referred to: the same tables that the routes are made from. */
export const entityOperations = (): Operations => {
  const all: Record<string, Operation> = {};
  for (const [path, kind] of Object.entries(COLLECTIONS))
    Object.assign(all, onList(`/${path}`, kind, path, ''), onOne(`/${path}/:key`, kind, path, ''));
  for (const { parent, path, kind } of NESTED) {
    const where = ` of ${onePhrase(COLLECTIONS[parent] as Kind)}`;
    const place = `/${parent}/:key/${path}`;
    Object.assign(all, onList(place, kind, parent, where), onOne(`${place}/:child`, kind, parent, where));
    if (kind === 'targets') all[`GET ${place}/all`] = list(kind, parent, where);
  }
  for (const { child, path, kind } of REFERRED) {
    const where = ` of ${onePhrase(COLLECTIONS[child] as Kind)}`;
    const { [`DELETE /${child}/:key/${path}`]: _, ...others } = onOne(
      `/${child}/:key/${path}`,
      kind,
      child,
      where,
    );
    Object.assign(all, others);
  }
  return all;
};

const bodyOf = (schema: Json, example: unknown): Json => ({
  required: true,
  content: {
    'application/json': { schema, ...(example === undefined ? {} : { example }) },
    'application/x-www-form-urlencoded': { schema },
    'multipart/form-data': { schema },
  },
});

const kinds = kindNames.filter((kind) => schemaOf(kind) !== undefined);
const byKind = (make: (kind: Kind, name: string) => Record<string, Json>): Record<string, Json> =>
  Object.assign({}, ...kinds.map((kind) => make(kind, nameOfOne(kind))));

/** `NewService`, `ServiceChange`. Forms name fields by path: `config.minute=5`, `paths[]=/a`. */
export const entityBodies = (): Record<string, Json> =>
  byKind((kind, name) => {
    const fields = schemaRef(`${name}Fields`);
    return {
      [`New${name}`]: bodyOf({ ...fields, ...needed(kind) }, writtenExample(kind)),
      [`${name}Change`]: bodyOf(fields, { tags: ['blue'] }),
    };
  });

/** `Service`, `ServiceList`. */
export const entityResponses = (): Record<string, Json> =>
  byKind((kind, name) => {
    const one = answeredExample(kind);
    const example = one === undefined ? undefined : publicEntity(kind, one);
    const page = {
      type: 'object',
      properties: {
        data: { type: 'array', items: schemaRef(name) },
        next: { type: ['string', 'null'], description: 'Path of the next page; null: this is the last.' },
        offset: { type: 'string', description: 'For the next page; absent on the last.' },
      },
      required: ['data', 'next'],
    };
    const listed = example === undefined ? undefined : { data: [example], next: null };
    return {
      [name]: answer(`The ${phrase(kind).replace(/s$/, '')}.`, schemaRef(name), example),
      [`${name}List`]: answer(`One page of ${phrase(kind)}, in the order of their ids.`, page, listed),
    };
  });
