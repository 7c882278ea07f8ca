import { isDeepStrictEqual } from 'node:util';
import type { StoredCommit } from '@sluice/config-log';
import type { AuditChange, ConfigOp } from '@sluice/contracts';
import { redactEntity } from '@sluice/gateway-config';
import type { Note } from './audit-log.ts';

/** A message of the bus takes 1 MiB; the record needs room for its other fields. */
const MAX_CHANGES_CHARS = 256 * 1024;
const MAX_CHANGES = 500;

type Entity = Readonly<Record<string, unknown>>;

/** An operation and what stood there before it; undefined: nothing, or it is not known any more. */
export interface KnownOp {
  readonly op: ConfigOp;
  readonly before: Entity | undefined;
}

/** What a commit changed, for the audit: the author, and each entity before and after, without secrets. */
export const noteOfCommit = (
  { eventId, commit, actor, occurredAt }: StoredCommit,
  known: readonly KnownOp[],
  isRepeated: boolean,
): Note => {
  const { epoch, version, prevVersion, message, sourceAddress, rollbackOf } = commit;
  const { changes, leftOut } = fitting(known);
  return {
    ...{ actor, occurredAt, isRepeated, eventId: `commit:${eventId}`.slice(0, 128) },
    entry: {
      action: 'config.committed',
      outcome: 'done',
      address: sourceAddress,
      revision: { epoch, version, prevVersion },
      ...(message === undefined ? {} : { message }),
      ...(rollbackOf === undefined ? {} : { details: { rollbackOf } }),
      changes,
      ...(leftOut === 0 ? {} : { changesLeftOut: leftOut }),
    },
  };
};

/** As many as a record holds; a first import of thousands is told by its beginning and a count. */
const fitting = (known: readonly KnownOp[]): { changes: AuditChange[]; leftOut: number } => {
  const changes: AuditChange[] = [];
  let chars = 0;
  for (const one of known) {
    const change = changeOf(one);
    chars += JSON.stringify(change).length;
    if (chars > MAX_CHANGES_CHARS || changes.length === MAX_CHANGES) break;
    changes.push(change);
  }
  return { changes, leftOut: known.length - changes.length };
};

const changeOf = ({ op, before }: KnownOp): AuditChange => {
  const { kind, id } = op;
  if (op.op === 'delete') return { op: 'deleted', kind, id, before: shown(kind, before), after: null };
  const after = { ...op.entity };
  if (before === undefined) return { op: 'created', kind, id, before: null, after: shown(kind, after) };
  return { op: 'updated', kind, id, ...difference(kind, before, after) };
};

const shown = (kind: string, entity: Entity | undefined): Record<string, unknown> | null =>
  entity === undefined ? null : redactEntity(kind, entity);

/** The fields that differ; of a secret one both sides are censored, and that it is listed says that it changed. */
const difference = (kind: string, before: Entity, after: Entity) => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => name !== 'updated_at' && !isDeepStrictEqual(before[name], after[name]),
  );
  const of = (entity: Entity) => {
    const censored = redactEntity(kind, entity);
    return Object.fromEntries(names.filter((name) => name in censored).map((name) => [name, censored[name]]));
  };
  return { before: of(before), after: of(after) };
};
