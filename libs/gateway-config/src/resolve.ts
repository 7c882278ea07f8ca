import type { Kind } from '@sluice/contracts';
import { isSecretField } from './errors/redact.ts';
import type { Draft, Violation } from './errors/violation.ts';
import { idGiver } from './ids.ts';
import { isRecord, type Path } from './path.ts';
import { requireSchema } from './schema/entities.ts';
import { type EntitySchema, foreignFields } from './schema/entity.ts';

interface Index {
  readonly byKey: Map<string, Draft>;
  readonly byId: Map<string, Draft>;
  /** The keys, for suggestions; listed once and only when a reference is wrong. */
  keys?: readonly string[];
}

/**
 * Second stage, after the schemas passed: gives ids, finds duplicates, turns references into ids. The drafts'
 * entities are completed in place; what is wrong is returned in Kong's shapes (kong-compat 1.5).
 */
export const resolveDrafts = (drafts: readonly Draft[]): Violation[] => {
  const violations: Violation[] = [];
  const giveId = idGiver();
  for (const draft of drafts) {
    draft.entity.id = giveId(draft);
    if (draft.parent !== undefined) draft.entity[draft.parent.field] = referenceTo(draft.parent.draft);
  }
  const indexes = indexDrafts(drafts, violations);
  for (const draft of drafts) resolveReferences(draft, indexes, violations);
  findRepeatedValues(drafts, violations);
  return violations;
};

/** One object for all who refer to it. */
const referenceTo = (draft: Draft): { readonly id: unknown } => {
  draft.reference ??= { id: draft.entity.id };
  return draft.reference;
};

const newIndex = (): Index => ({ byKey: new Map(), byId: new Map() });

const candidatesOf = (index: Index | undefined): readonly string[] => {
  if (index === undefined) return [];
  index.keys ??= [...index.byKey.keys()];
  return index.keys;
};

const indexDrafts = (drafts: readonly Draft[], violations: Violation[]): ReadonlyMap<Kind, Index> => {
  const indexes = new Map<Kind, Index>();
  for (const draft of drafts) {
    const index = indexes.get(draft.kind) ?? newIndex();
    indexes.set(draft.kind, index);
    const { endpointKey } = requireSchema(draft.kind);
    const key = endpointKey === undefined ? null : draft.entity[endpointKey];
    const id = String(draft.entity.id);
    if (typeof key === 'string' && index.byKey.has(key)) {
      const shown = shownValue(draft.kind, endpointKey ?? '', key);
      violations.push(repeated(draft, endpointKey ?? '', shown, [...draft.path, endpointKey ?? '']));
      continue;
    }
    if (index.byId.has(id)) violations.push(repeated(draft, 'primary key', id, draft.path));
    else index.byId.set(id, draft);
    if (typeof key === 'string') index.byKey.set(key, draft);
  }
  return indexes;
};

const shownValue = (kind: Kind, field: string, value: string): string =>
  isSecretField(kind, field) ? '[redacted]' : value;

const repetition = (kind: Kind, what: string, value: string): string =>
  `uniqueness violation: '${kind}' entity with ${what} set to '${value}' already declared`;

const repeated = (draft: Draft, what: string, value: string, path: Path): Violation => ({
  path,
  message: repetition(draft.kind, what, value),
  scope: 'whole',
  draft,
  shownAt: { path: draft.path, as: 'text' },
});

/** Where Kong shows errors of the second stage: under the entity's name, not its position. */
const shownName = ({ kind, entity }: Draft): string => {
  const { endpointKey } = requireSchema(kind);
  const key = endpointKey === undefined || isSecretField(kind, endpointKey) ? undefined : entity[endpointKey];
  return typeof key === 'string' ? key : String(entity.id);
};

const foreignOf = new Map<Kind, [name: string, reference: Kind][]>();
const foreignFieldsOf = (schema: EntitySchema): [name: string, reference: Kind][] => {
  const known = foreignOf.get(schema.kind);
  if (known !== undefined) return known;
  const found = foreignFields(schema);
  foreignOf.set(schema.kind, found);
  return found;
};

const resolveReferences = (
  draft: Draft,
  indexes: ReadonlyMap<Kind, Index>,
  violations: Violation[],
): void => {
  const fields = foreignFieldsOf(requireSchema(draft.kind));
  for (let at = 0; at < fields.length; at += 1) {
    const [field, kind] = fields[at] as [string, Kind];
    const written = draft.entity[field];
    if (written === null || field === draft.parent?.field) continue;
    const index = indexes.get(kind);
    const word = typeof written === 'string' ? written : String(isRecord(written) ? written.id : written);
    const byKey = typeof written === 'string' ? index?.byKey.get(word) : undefined;
    const found = byKey ?? index?.byId.get(word);
    if (found !== undefined) {
      draft.entity[field] = referenceTo(found);
      continue;
    }
    const shown = typeof written === 'string' ? written : JSON.stringify(written);
    violations.push({
      path: [...draft.path, field],
      message: `invalid reference '${field}: ${shown}' (no such entry in '${kind}')`,
      scope: 'field',
      draft,
      candidates: candidatesOf(index),
      shownAt: { path: [draft.kind, shownName(draft)], as: 'list' },
    });
  }
};

/** Unique fields other than the endpoint key. */
const findRepeatedValues = (drafts: readonly Draft[], violations: Violation[]): void => {
  const seen = new Set<string>();
  for (const draft of drafts) {
    const { unique } = requireSchema(draft.kind);
    if (unique.length === 0) continue;
    for (const field of unique) {
      const value = draft.entity[field];
      if (typeof value !== 'string') continue;
      const key = `${draft.kind}\0${field}\0${value}`;
      if (seen.has(key))
        violations.push({
          path: [...draft.path, field],
          message: repetition(draft.kind, field, value),
          scope: 'whole',
          draft,
          shownAt: { path: [draft.kind, shownName(draft)], as: 'text' },
        });
      seen.add(key);
    }
  }
};
