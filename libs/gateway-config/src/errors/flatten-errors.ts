import type { Path } from '../path.ts';
import { isUuid } from '../schema/check-fields.ts';
import { requireSchema } from '../schema/entities.ts';
import { isName } from '../schema/typedefs.ts';
import { redactEntity } from './redact.ts';
import type { Draft, Violation } from './violation.ts';

/** One entity and all that is wrong with it (kong-compat 1.5, `flatten_errors=1`). */
export interface FlattenedError {
  readonly entity_type: string;
  readonly entity_id?: string;
  readonly entity_name?: string;
  readonly entity_tags?: readonly string[];
  /** As submitted, without children and secrets; the parent as `{id}` when it had an id. */
  readonly entity: Readonly<Record<string, unknown>>;
  readonly errors: readonly (
    | { readonly type: 'field'; readonly field: string; readonly message: string }
    | { readonly type: 'entity'; readonly message: string }
  )[];
}

/** The violations grouped by entity, in document order. Those without an entity are left out. */
export const flattenErrors = (violations: readonly Violation[]): FlattenedError[] => {
  const byEntity = new Map<Draft, Violation[]>();
  for (const violation of violations) {
    if (violation.draft === undefined) continue;
    const group = byEntity.get(violation.draft);
    if (group === undefined) byEntity.set(violation.draft, [violation]);
    else group.push(violation);
  }
  return [...byEntity].map(([draft, group]) => ({
    entity_type: draft.kind.replace(/s$/, ''),
    ...identityOf(draft),
    entity: submittedOf(draft),
    errors: group.map((violation) => errorOf(draft, violation)),
  }));
};

const errorOf = (draft: Draft, violation: Violation): FlattenedError['errors'][number] => {
  const { message, scope } = violation;
  if (scope !== 'field' || violation.shownAt !== undefined) return { type: 'entity', message };
  return { type: 'field', field: fieldName(violation.path.slice(draft.path.length)), message };
};

/** Array elements count from 1, as in Lua. */
const fieldName = (path: Path): string =>
  path.map((step) => (typeof step === 'number' ? step + 1 : step)).join('.');

const idOf = (draft: Draft): unknown => draft.submitted.id ?? draft.entity.id;

/** Only what is valid identifies the entity. */
const identityOf = (draft: Draft): Pick<FlattenedError, 'entity_id' | 'entity_name' | 'entity_tags'> => {
  const id = idOf(draft);
  const { name, tags } = draft.submitted;
  const isTags = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && !/[,/]/.test(tag));
  return {
    ...(isUuid(id) ? { entity_id: id } : {}),
    ...(typeof name === 'string' && isName(name) ? { entity_name: name } : {}),
    ...(isTags ? { entity_tags: tags as string[] } : {}),
  };
};

const submittedOf = (draft: Draft): Record<string, unknown> => {
  const children = requireSchema(draft.kind).children;
  const own = Object.entries(draft.submitted).filter(([key]) => !Object.hasOwn(children, key));
  const entity = redactEntity(draft.kind, Object.fromEntries(own));
  if (draft.parent !== undefined) {
    const id = idOf(draft.parent.draft);
    if (isUuid(id)) entity[draft.parent.field] = { id };
  }
  return entity;
};
