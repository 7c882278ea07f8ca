import { isDeepStrictEqual } from 'node:util';
import {
  type ConfigChanges,
  type ConfigOp,
  type EntityChange,
  type FieldChange,
  type Kind,
  kindNames,
} from '@sluice/contracts';
import { isSecretField, redactEntity } from './errors/redact.ts';
import { isRecord } from './path.ts';
import { schemaOf } from './schema/entities.ts';
import { foreignFields } from './schema/entity.ts';
import { type ConfigState, diffStates } from './state.ts';

type Entity = Readonly<Record<string, unknown>>;

const NAMES = ['name', 'username', 'custom_id', 'target', 'group', 'kid', 'prefix', 'client_id', 'key'];
const NOT_SHOWN: ReadonlySet<string> = new Set(['id', 'created_at', 'updated_at']);

/** What leads from one state to another, by entity and field, for people; at most so many entities. */
export const describeChanges = (from: ConfigState, to: ConfigState, max: number): ConfigChanges => {
  const ops = diffStates(from, to);
  const counts = { added: 0, changed: 0, removed: 0 };
  for (const op of ops) counts[outcomeOf(op, from)] += 1;
  const inOrder = ops.toSorted((a, b) => kindNames.indexOf(a.kind) - kindNames.indexOf(b.kind));
  const shown = inOrder.slice(0, max).map((op) => changeOf(op, from, to));
  return { counts, changes: shown, changesLeftOut: ops.length - shown.length };
};

const outcomeOf = ({ op, kind, id }: ConfigOp, from: ConfigState): EntityChange['op'] =>
  op === 'delete' ? 'removed' : from.has(kind, id) ? 'changed' : 'added';

const changeOf = (op: ConfigOp, from: ConfigState, to: ConfigState): EntityChange => {
  const { kind, id } = op;
  const before = from.get(kind, id) as Entity | undefined;
  const after = op.op === 'delete' ? undefined : op.entity;
  const state = after === undefined ? from : to;
  const entity = after ?? before ?? { id };
  return {
    op: outcomeOf(op, from),
    ...{ kind, id, name: nameOf(kind, entity), of: referencesOf(state, kind, entity) },
    fields: fieldsOf(kind, before, after),
  };
};

const nameOf = (kind: Kind, entity: Entity): string => {
  const field = NAMES.find((name) => typeof entity[name] === 'string' && !isSecretField(kind, name));
  return field === undefined ? `${entity.id}` : `${entity[field]}`;
};

const referencesOf = (state: ConfigState, kind: Kind, entity: Entity): Record<string, string> => {
  const schema = schemaOf(kind);
  if (schema === undefined) return {};
  return Object.fromEntries(
    foreignFields(schema).flatMap(([field, reference]) => {
      const value = entity[field];
      if (!isRecord(value) || typeof value.id !== 'string') return [];
      const target = state.get(reference, value.id) as Entity | undefined;
      return [[field, target === undefined ? value.id : nameOf(reference, target)]];
    }),
  );
};

const fieldsOf = (kind: Kind, before: Entity | undefined, after: Entity | undefined): FieldChange[] => {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const [wasShown, isShown] = [leavesOf(censored(kind, before)), leavesOf(censored(kind, after))];
  const isWhole = before === undefined || after === undefined;
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((field) => !isDeepStrictEqual(was.get(field), is.get(field)))
    .filter((field) => !isWhole || (was.get(field) ?? is.get(field) ?? null) !== null)
    .map((field) => ({
      field,
      ...(was.has(field) ? { before: wasShown.get(field) } : {}),
      ...(is.has(field) ? { after: isShown.get(field) } : {}),
    }));
};

const censored = (kind: Kind, entity: Entity | undefined): Entity | undefined =>
  entity === undefined ? undefined : redactEntity(kind, entity);

/** Every value that is no record, by its path; a list is one value. */
const leavesOf = (entity: Entity | undefined): Map<string, unknown> => {
  const leaves = new Map<string, unknown>();
  const walk = (record: Entity, prefix: string) => {
    for (const [name, value] of Object.entries(record)) {
      if (prefix === '' && NOT_SHOWN.has(name)) continue;
      if (isRecord(value) && Object.keys(value).length > 0) walk(value, `${prefix}${name}.`);
      else leaves.set(`${prefix}${name}`, value);
    }
  };
  walk(entity ?? {}, '');
  return leaves;
};
