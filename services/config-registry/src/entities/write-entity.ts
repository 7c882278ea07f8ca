import type { ConfigOp, Kind } from '@sluice/contracts';
import {
  type Fields,
  isRecord,
  isUuid,
  mergeFields,
  pluginFields,
  sameButTimes,
  submittedFields,
} from '@sluice/gateway-config';
import { changeSnis, separateSnis } from './certificate-snis.ts';
import { type Completion, completeEntity, type StoredEntity, type World } from './complete-entity.ts';
import { certificateInUse, type EntityProblem, stillReferenced, takenId } from './entity-problem.ts';

/** What a write does, or why it does nothing. */
export type Written =
  | { readonly ok: true; readonly entity: StoredEntity; readonly ops: readonly ConfigOp[] }
  | { readonly ok: false; readonly problem: EntityProblem };
export type Removed =
  | { readonly ok: true; readonly ops: readonly ConfigOp[] }
  | { readonly ok: false; readonly problem: EntityProblem };

type Values = Readonly<Record<string, unknown>>;
/** A body; how a form is read depends on the fields of what it is about. */
export type Submission = (fields: Fields) => unknown;

const put = (kind: Kind, entity: StoredEntity): ConfigOp => ({ op: 'put', kind, id: entity.id, entity });

const store = (world: World, kind: Kind, submitted: unknown, completion: Completion): Written => {
  const { certificate, snis } = separateSnis(kind, submitted);
  const completed = completeEntity(world, kind, certificate, completion);
  if (!completed.ok) return completed;
  const { entity } = completed;
  const { before } = completion;
  const changed = snis === undefined ? { ok: true as const, ops: [] } : changeSnis(world, entity.id, snis);
  if (!changed.ok) return changed;
  // What is stored already makes no version: only its times would differ.
  if (before !== undefined && sameButTimes(before, entity))
    return { ok: true, entity: before as StoredEntity, ops: changed.ops };
  return { ok: true, entity, ops: [put(kind, entity), ...changed.ops] };
};

/** The body as a record of fields; a plugin's `config` is read by the plugin that the body names. */
const read = ({ catalog }: World, kind: Kind, submission: Submission, pluginName?: unknown): unknown => {
  if (kind !== 'plugins') return submission(submittedFields(kind, catalog));
  const untyped = submission(submittedFields(kind, catalog));
  const name = isRecord(untyped) && typeof untyped.name === 'string' ? untyped.name : pluginName;
  return submission(submittedFields(kind, catalog, name));
};

const withFields = (submitted: unknown, more: Values): unknown =>
  isRecord(submitted) ? { ...submitted, ...more } : submitted;

/** POST: a new entity, under the id it brings or a random one. */
export const createEntity = (world: World, kind: Kind, submission: Submission, given: Values): Written => {
  const submitted = withFields(read(world, kind, submission), given);
  const id = idIn(submitted) ?? crypto.randomUUID();
  if (world.state.get(kind, id) !== undefined) return { ok: false, problem: takenId(id) };
  return store(world, kind, submitted, { id, before: undefined });
};

const idIn = (submitted: unknown): string | undefined =>
  isRecord(submitted) && isUuid(submitted.id) ? submitted.id.toLowerCase() : undefined;

export interface Replacement {
  /** The id that the path says. */
  readonly id: string | undefined;
  readonly before: StoredEntity | undefined;
  /** Fields that the path says: a name, a parent. */
  readonly given: Values;
}

/** PUT: the whole entity; what is left out has its default again. */
export const replaceEntity = (
  world: World,
  kind: Kind,
  submission: Submission,
  { id: named, before, given }: Replacement,
): Written => {
  const submitted = withFields(read(world, kind, submission, before?.name), given);
  const own = named ?? before?.id;
  const id = own ?? idIn(submitted) ?? crypto.randomUUID();
  if (own === undefined && world.state.get(kind, id) !== undefined)
    return { ok: false, problem: takenId(id) };
  return store(world, kind, isRecord(submitted) ? { ...submitted, id } : submitted, { id, before });
};

/** PATCH: some fields; records inside are merged, lists replaced. */
export const updateEntity = (
  world: World,
  kind: Kind,
  submission: Submission,
  { before, given }: { before: StoredEntity; given: Values },
): Written => {
  const { id } = before;
  const submitted = withFields(read(world, kind, submission, before.name), given);
  if (!isRecord(submitted)) return store(world, kind, submitted, { id, before });
  const change = { ...submitted, id };
  const fields = submittedFields(kind, world.catalog, submitted.name ?? before.name);
  const base = kind === 'plugins' ? withoutShorthands(world, before) : before;
  const { updated_at: _old, ...merged } = mergeFields(fields, base, change);
  return store(world, kind, merged, { id, before, change });
};

/** Old names echo a value that lives elsewhere now; kept, they would contradict a change there. */
const withoutShorthands = ({ catalog }: World, plugin: StoredEntity): Values => {
  const rules = catalog.get(String(plugin.name));
  if (rules === undefined || !isRecord(plugin.config)) return plugin;
  const { shorthands } = pluginFields(rules.config);
  const config = Object.entries(plugin.config).filter(([name]) => !Object.hasOwn(shorthands, name));
  return { ...plugin, config: Object.fromEntries(config) };
};

/** References that stop a removal; all others go with what they refer to. */
const RESTRICTED = new Set(['routes.service', 'services.client_certificate', 'upstreams.client_certificate']);

/** DELETE: the entity and all that hangs on it, children first. */
export const removeEntity = (world: World, kind: Kind, id: string): Removed => {
  const problem = kind === 'ca_certificates' ? serviceWith(world, id) : undefined;
  if (problem !== undefined) return { ok: false, problem };
  const ops: ConfigOp[] = [];
  const referrers = world.index.referrersOf(kind, id);
  const restricting = referrers.find((one) => RESTRICTED.has(`${one.kind}.${one.field}`));
  if (restricting !== undefined) return { ok: false, problem: stillReferenced(kind, restricting.kind) };
  for (const one of referrers) {
    const removed = removeEntity(world, one.kind, one.id);
    if (!removed.ok) return removed;
    ops.push(...removed.ops);
  }
  return { ok: true, ops: [...ops, { op: 'delete', kind, id }] };
};

const serviceWith = ({ state }: World, certificateId: string): EntityProblem | undefined => {
  for (const service of state.list('services'))
    if (service.ca_certificates?.includes(certificateId))
      return certificateInUse(certificateId, 'services', service.id);
  return undefined;
};
