import type { Kind } from '@sluice/contracts';
import {
  type ConfigState,
  checkEntity,
  type EntitySchema,
  type Finding,
  generateSecrets,
  isRecord,
  isUuid,
  type PluginCatalog,
  schemaOf,
  transformSecrets,
} from '@sluice/gateway-config';
import { type EntityIndex, referencesOf, uniqueValuesOf } from './entity-index.ts';
import {
  type EntityProblem,
  missingReference,
  notUnique,
  schemaProblem,
  type Unresolved,
  unresolvedReferences,
} from './entity-problem.ts';

/** What a write is decided on. */
export interface World {
  readonly state: ConfigState;
  readonly index: EntityIndex;
  readonly catalog: PluginCatalog;
  /** Unix seconds, with decimals. */
  readonly now: number;
}

type Values = Readonly<Record<string, unknown>>;
export type StoredEntity = Record<string, unknown> & { id: string };
export type Completed =
  | { readonly ok: true; readonly entity: StoredEntity }
  | { readonly ok: false; readonly problem: EntityProblem };

export interface Completion {
  readonly id: string;
  /** The entity that is replaced or changed. */
  readonly before: Values | undefined;
  /** A change of some fields: messages about the whole say so, and secrets that are not in it are stored ones. */
  readonly change?: Values;
  /** The id of an entity that is written in the same commit, so it may be referred to. */
  readonly sibling?: string;
}

export const requireSchema = (kind: Kind): EntitySchema => {
  const schema = schemaOf(kind);
  if (schema === undefined) throw new Error(`no schema for '${kind}'`);
  return schema;
};

/** Checks what was submitted and makes it what is stored, or says why not, in Kong's order. */
export const completeEntity = (
  world: World,
  kind: Kind,
  submitted: unknown,
  completion: Completion,
): Completed => {
  const resolved = resolveNames(world, kind, submitted);
  if (!resolved.ok) return resolved;
  const { entity, findings } = checkSubmitted(world.catalog, kind, resolved.submitted);
  if (findings.length === 0) findings.push(...checkPluginProtocols(world, kind, entity));
  findings.push(...clearedFields(kind, completion.change, findings));
  if (findings.length > 0) return refuse(schemaProblem(prefixed(findings, completion.change)));
  const stored = { ...entity, id: completion.id };
  fillTimes(world, kind, stored, completion);
  const problem = danglingReference(world, kind, stored, completion) ?? repeatedValue(world, kind, stored);
  if (problem !== undefined) return refuse(problem);
  generateSecrets(kind, stored, world.state);
  if (completion.change === undefined || Object.hasOwn(completion.change, 'password'))
    transformSecrets(kind, stored);
  return { ok: true, entity: stored };
};

const refuse = (problem: EntityProblem): Completed => ({ ok: false, problem });

/** The entity against its schema alone, as `POST /schemas/…/validate` looks at it. */
export const checkSubmitted = (
  catalog: PluginCatalog,
  kind: Kind,
  submitted: unknown,
): { entity: Record<string, unknown>; findings: Finding[] } => {
  const schema = requireSchema(kind);
  const { entity, findings } = checkEntity(kind, submitted, catalog);
  const more: Finding[] = [];
  if (isRecord(submitted)) {
    for (const child of Object.keys(schema.children))
      if (Object.hasOwn(submitted, child)) more.push({ path: [child], message: 'unknown field' });
    for (const [field] of referencesOf(kind))
      if (typeof entity[field] === 'string') more.push({ path: [field], message: 'expected a record' });
  }
  return { entity, findings: [...findings, ...more] };
};

/** `{name: "x"}` becomes `{id: …}`. */
const resolveNames = (
  { index }: World,
  kind: Kind,
  submitted: unknown,
): { ok: true; submitted: unknown } | { ok: false; problem: EntityProblem } => {
  if (!isRecord(submitted)) return { ok: true, submitted };
  const unresolved: Unresolved[] = [];
  const found: Record<string, unknown> = {};
  for (const [field, parent] of referencesOf(kind)) {
    const reference = Object.hasOwn(submitted, field) ? submitted[field] : undefined;
    const { endpointKey = '', unique } = requireSchema(parent);
    if (!isRecord(reference) || Object.hasOwn(reference, 'id')) continue;
    const key = [endpointKey, ...unique].find((name) => typeof reference[name] === 'string');
    if (key === undefined) continue;
    const value = String(reference[key]);
    const id = index.ownerOf(parent, { [key]: value });
    if (id === undefined) unresolved.push({ field, key, value, parent });
    else found[field] = { id };
  }
  if (unresolved.length > 0) return { ok: false, problem: unresolvedReferences(unresolved) };
  return { ok: true, submitted: { ...submitted, ...found } };
};

/** A required field that a change sets to null does not get its default back. */
const clearedFields = (kind: Kind, change: Values | undefined, found: readonly Finding[]): Finding[] => {
  if (change === undefined) return [];
  const { fields } = requireSchema(kind);
  const known = new Set(found.map(({ path }) => path[0]));
  return Object.keys(change)
    .filter((name) => change[name] === null && fields[name]?.required === true && !known.has(name))
    .map((name) => ({ path: [name], message: 'required field missing' }));
};

const prefixed = (findings: readonly Finding[], change: Values | undefined): readonly Finding[] =>
  change === undefined
    ? findings
    : findings.map((one) =>
        one.path.length === 0 ? { ...one, message: `when updating, ${one.message}` } : one,
      );

const idIn = (entity: Values, field: string): string | undefined =>
  (entity[field] as { id?: string } | null | undefined)?.id?.toLowerCase();

/** A plugin must be able to run: it shares a protocol with its route, or with a route of its service. */
const checkPluginProtocols = ({ state, index }: World, kind: Kind, entity: Values): Finding[] => {
  if (kind !== 'plugins') return [];
  const protocols = new Set(entity.protocols as readonly string[]);
  const shares = (routeId: string) =>
    state.get('routes', routeId)?.protocols.some((protocol) => protocols.has(protocol)) ?? true;
  const route = idIn(entity, 'route');
  const message =
    route === undefined
      ? "must match the protocols of at least one route pointing to this Plugin's service"
      : "must match the associated route's protocols";
  const service = idIn(entity, 'service');
  const routes =
    route === undefined && service !== undefined
      ? index
          .referrersOf('services', service)
          .filter((one) => one.kind === 'routes')
          .map(({ id }) => id)
      : route === undefined
        ? []
        : [route];
  return routes.length === 0 || routes.some(shares) ? [] : [{ path: ['protocols'], message }];
};

const fillTimes = (
  { now }: World,
  kind: Kind,
  entity: StoredEntity,
  { before, change }: Completion,
): void => {
  const time = kind === 'targets' ? now : Math.floor(now);
  entity.created_at = entity.created_at ?? before?.created_at ?? time;
  const given = change === undefined ? entity.updated_at : change.updated_at;
  entity.updated_at = requireSchema(kind).hidden?.includes('updated_at') ? null : (given ?? time);
};

const danglingReference = (
  { state }: World,
  kind: Kind,
  entity: StoredEntity,
  { sibling }: Completion,
): EntityProblem | undefined => {
  for (const [field, parent] of referencesOf(kind)) {
    const id = idIn(entity, field);
    if (id === undefined || !isUuid(id)) continue;
    if (id !== sibling && state.get(parent, id) === undefined) return missingReference(field, id, parent);
    entity[field] = { id };
  }
  return undefined;
};

const repeatedValue = ({ index }: World, kind: Kind, entity: StoredEntity): EntityProblem | undefined => {
  for (const values of uniqueValuesOf(kind, entity)) {
    const owner = index.ownerOf(kind, values);
    if (owner !== undefined && owner !== entity.id) return notUnique(kind, values);
  }
  return undefined;
};
