import type { ConfigOp } from '@sluice/contracts';
import { type ConfigState, diffStates, redactEntity } from '@sluice/gateway-config';

type Fields = Readonly<Record<string, unknown>>;

/** One entity that differs, and in what. Values are without secrets: two that differ may look the same. */
export interface EntityChange {
  readonly op: 'create' | 'update' | 'delete';
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly fields: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
}

const MAX_CHANGES = 200;
const TIMES = new Set(['created_at', 'updated_at']);

/** What a step from one state to another changes, by entity and field; of very many the first 200. */
export const changeList = (from: ConfigState, to: ConfigState) => {
  const ops = diffStates(from, to);
  return {
    changes: ops.slice(0, MAX_CHANGES).map((op) => changeOf(op, from)),
    total: ops.length,
  };
};

const changeOf = (op: ConfigOp, from: ConfigState): EntityChange => {
  const before = from.get(op.kind, op.id) as Fields | undefined;
  const after = op.op === 'put' ? (op.entity as Fields) : undefined;
  return {
    op: after === undefined ? 'delete' : before === undefined ? 'create' : 'update',
    kind: op.kind,
    id: op.id,
    name: nameOf(after ?? before ?? {}) ?? op.id,
    fields: before === undefined || after === undefined ? [] : fieldsOf(op.kind, before, after),
  };
};

const nameOf = ({ name, username, target, host }: Fields): string | undefined =>
  [name, username, target, host].find((text): text is string => typeof text === 'string');

const fieldsOf = (kind: string, before: Fields, after: Fields): EntityChange['fields'] => {
  const [old, fresh] = [flat(redactEntity(kind, before)), flat(redactEntity(kind, after))];
  const [oldTrue, freshTrue] = [flat(before), flat(after)];
  const paths = [...new Set([...oldTrue.keys(), ...freshTrue.keys()])];
  return paths
    .filter((path) => !TIMES.has(path) && text(oldTrue.get(path)) !== text(freshTrue.get(path)))
    .map((path) => ({ path, from: old.get(path), to: fresh.get(path) }));
};

const text = (value: unknown): string => JSON.stringify(value) ?? '';

/** `{config: {minute: 5}}` as `config.minute → 5`; lists are values. */
const flat = (value: Fields, prefix = ''): Map<string, unknown> => {
  const leaves = new Map<string, unknown>();
  for (const [key, one] of Object.entries(value))
    if (typeof one === 'object' && one !== null && !Array.isArray(one))
      for (const [path, leaf] of flat(one as Fields, `${prefix}${key}.`)) leaves.set(path, leaf);
    else leaves.set(`${prefix}${key}`, one);
  return leaves;
};
