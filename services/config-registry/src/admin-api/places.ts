import type { Kind } from '@sluice/contracts';
import { isUuid, publicEntity, schemaOf } from '@sluice/gateway-config';
import type { FastifyRequest } from 'fastify';
import { snisOf } from '../entities/certificate-snis.ts';
import type { StoredEntity } from '../entities/complete-entity.ts';
import {
  type EntityProblem,
  invalidKey,
  invalidName,
  NOT_FOUND,
  unknownEntity,
} from '../entities/entity-problem.ts';
import { COLLECTIONS, findEntity, keyFieldOf, type Nested, referenceOf, type View } from './collections.ts';

export type Params = Readonly<Record<'key' | 'child', string>>;
export const paramsOf = (request: FastifyRequest): Params => request.params as Params;

type Values = Readonly<Record<string, unknown>>;

/** What the path of a single entity leads to. */
export interface Located {
  readonly entity: StoredEntity | undefined;
  /** False: it exists, but not under the parent that the path names. */
  readonly isHere: boolean;
  /** The id that the path says. */
  readonly id: string | undefined;
  /** Fields that the path says: a name, a parent. */
  readonly given: Values;
  /** What a reader, and what a change, is told when it is not there. */
  readonly absent: { readonly read: EntityProblem; readonly change: EntityProblem };
  /** Set when nothing can be under that path. */
  readonly invalid?: EntityProblem | undefined;
}

/** A path of one entity. Undefined: its parent does not exist. */
export interface Place {
  readonly kind: Kind;
  readonly locate: (view: View, params: Params) => Located | undefined;
  /** Only what is there can be replaced. */
  readonly isExisting?: boolean;
  /** Removing what is not there is no success: the path names a child that its parent does not have. */
  readonly isNested?: boolean;
}

/** A path of a list. `given`: the fields that the path says; undefined: its parent does not exist. */
export interface ListPlace {
  readonly kind: Kind;
  readonly given: (view: View, params: Params) => Values | undefined;
}

const SNI_NOT_FOUND: EntityProblem = { status: 404, body: { message: 'SNI not found' } };
const nowhere = { read: NOT_FOUND, change: NOT_FOUND };

const kindAt = (path: string): Kind => {
  const kind = COLLECTIONS[path];
  if (kind === undefined) throw new Error(`no collection '${path}'`);
  return kind;
};

/** A key that is neither an id nor what the kind's name field takes. */
const problemOf = (kind: Kind, key: string, field: string | undefined): EntityProblem | undefined => {
  if (isUuid(key)) return undefined;
  if (field === undefined) return invalidKey(key);
  const check = schemaOf(kind)?.fields[field]?.check as ((value: string) => string | undefined) | undefined;
  const why = check?.(key);
  return why === undefined ? undefined : invalidName(field, why);
};

const givenBy = (key: string, field: string | undefined): Values =>
  isUuid(key) || field === undefined ? {} : { [field]: key };

/** `/{collection}/{key}`. */
export const singlePlace = (kind: Kind): Place => ({
  kind,
  locate: (view, { key }) => {
    const entity = findEntity(view, kind, key);
    const field = keyFieldOf(kind, { isNested: false });
    const id = isUuid(key) ? key.toLowerCase() : undefined;
    const at = { entity, isHere: true, id };
    if (kind === 'certificates' && id === undefined)
      return {
        ...at,
        given: entity === undefined ? { snis: [key] } : {},
        absent: { read: SNI_NOT_FOUND, change: SNI_NOT_FOUND },
      };
    const change = unknownEntity(id === undefined ? (field ?? 'id') : 'id', id ?? key);
    const invalid = problemOf(kind, key, field);
    return { ...at, given: givenBy(key, field), absent: { read: NOT_FOUND, change }, invalid };
  },
});

const parentIn = (view: View, { parent }: Nested, key: string): StoredEntity | undefined =>
  findEntity(view, kindAt(parent), key);

/** `/{parent}/{key}/{children}/{child}`. */
export const nestedPlace = (nested: Nested): Place => ({
  kind: nested.kind,
  isNested: true,
  isExisting: nested.kind === 'targets',
  locate: (view, { key, child }) => {
    const parent = parentIn(view, nested, key);
    if (parent === undefined) return undefined;
    const { kind, field } = nested;
    const entity = findEntity(view, kind, child, { field, id: parent.id });
    const keyField = keyFieldOf(kind, { isNested: true });
    const id = isUuid(child) ? child.toLowerCase() : undefined;
    return {
      entity,
      isHere: entity !== undefined && referenceOf(entity, field) === parent.id,
      id,
      given: { ...givenBy(child, keyField), [field]: { id: parent.id } },
      absent: nowhere,
      invalid: kind === 'targets' || kind === 'acls' ? undefined : problemOf(kind, child, keyField),
    };
  },
});

/** `/{child}/{key}/{field}`: the entity that a field refers to. */
export const referredPlace = (from: string, field: string, kind: Kind): Place => ({
  kind,
  isExisting: true,
  locate: (view, { key }) => {
    const child = findEntity(view, kindAt(from), key);
    const id = child === undefined ? undefined : referenceOf(child, field);
    const entity = id === undefined ? undefined : (view.state.get(kind, id) as StoredEntity | undefined);
    return { entity, isHere: true, id, given: {}, absent: nowhere };
  },
});

/** `/{collection}`. */
export const collectionPlace = (kind: Kind): ListPlace => ({ kind, given: () => ({}) });

/** `/{parent}/{key}/{children}`. */
export const childrenPlace = (nested: Nested): ListPlace => ({
  kind: nested.kind,
  given: (view, { key }) => {
    const parent = parentIn(view, nested, key);
    return parent === undefined ? undefined : { [nested.field]: { id: parent.id } };
  },
});

/** The children of the parent that a path names; undefined: it does not exist. */
export const childrenOf = (view: View, nested: Nested, { key }: Params): StoredEntity[] | undefined => {
  const parent = parentIn(view, nested, key);
  if (parent === undefined) return undefined;
  return view.index
    .referrersOf(kindAt(nested.parent), parent.id)
    .filter(({ kind, field }) => kind === nested.kind && field === nested.field)
    .flatMap(({ kind, id }) => (view.state.get(kind, id) as StoredEntity | undefined) ?? []);
};

/** An entity as answers show it. */
export const showEntity = ({ state, index }: View, kind: Kind, entity: StoredEntity): Values => {
  const shown = publicEntity(kind, entity);
  if (kind !== 'certificates') return shown;
  return { ...shown, snis: snisOf(index, (id) => state.get('snis', id)?.name, entity.id) };
};
