import { isDeepStrictEqual } from 'node:util';
import type { ConfigOp } from '@sluice/contracts';
import { type ConfigState, diffStates, redactEntity } from '@sluice/gateway-config';

type Fields = Readonly<Record<string, unknown>>;

/** One entity that differs, and in what. Values are without secrets: two that differ may look the same. */
interface EntityChange {
  readonly op: 'added' | 'changed' | 'removed';
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  /** Of an entity that changed. */
  readonly fields: readonly { readonly field: string; readonly before?: unknown; readonly after?: unknown }[];
}

const MAX_CHANGES = 200;
const TIMES = new Set(['created_at', 'updated_at']);

/** What a step from one state to another changes, by entity and field; of very many the first 200. */
export const changeList = (from: ConfigState, to: ConfigState) => {
  const ops = diffStates(from, to);
  const counts = { added: 0, changed: 0, removed: 0 };
  for (const op of ops) counts[outcomeOf(op, from)] += 1;
  const changes = ops.slice(0, MAX_CHANGES).map((op) => changeOf(op, from));
  return { counts, changes, changesLeftOut: ops.length - changes.length };
};

const outcomeOf = ({ op, kind, id }: ConfigOp, from: ConfigState): EntityChange['op'] =>
  op === 'delete' ? 'removed' : from.get(kind, id) === undefined ? 'added' : 'changed';

const changeOf = (op: ConfigOp, from: ConfigState): EntityChange => {
  const before = from.get(op.kind, op.id) as Fields | undefined;
  const after = op.op === 'put' ? (op.entity as Fields) : undefined;
  return {
    op: outcomeOf(op, from),
    kind: op.kind,
    id: op.id,
    name: nameOf(after ?? before ?? {}) ?? op.id,
    fields: before === undefined || after === undefined ? [] : fieldsOf(op.kind, before, after),
  };
};

const nameOf = ({ name, username, target, host }: Fields): string | undefined =>
  [name, username, target, host].find((text): text is string => typeof text === 'string');

const fieldsOf = (kind: string, before: Fields, after: Fields): EntityChange['fields'] => {
  const [old, fresh] = [leavesOf(before), leavesOf(after)];
  const [oldShown, freshShown] = [leavesOf(redactEntity(kind, before)), leavesOf(redactEntity(kind, after))];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((field) => !TIMES.has(field) && !isDeepStrictEqual(old.get(field), fresh.get(field)))
    .map((field) => ({ field, before: oldShown.get(field), after: freshShown.get(field) }));
};

/** `{config: {minute: 5}}` as `config.minute → 5`; lists are values. */
const leavesOf = (value: Fields, prefix = ''): Map<string, unknown> => {
  const leaves = new Map<string, unknown>();
  for (const [key, one] of Object.entries(value))
    if (typeof one === 'object' && one !== null && !Array.isArray(one))
      for (const [path, leaf] of leavesOf(one as Fields, `${prefix}${key}.`)) leaves.set(path, leaf);
    else leaves.set(`${prefix}${key}`, one);
  return leaves;
};
