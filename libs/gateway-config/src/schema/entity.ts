import type { Kind } from '@sluice/contracts';
import type { EntityCheck, Field, Fields } from './field.ts';
import { idField, tagsField, timeField } from './typedefs.ts';

/** A kind of entity: its fields and what holds between them and other entities. */
export interface EntitySchema {
  readonly kind: Kind;
  /** Every field, `id`, `tags` and times included, in the order they are shown. */
  readonly fields: Fields;
  /** The unique field by which others refer to it, beside `id`. */
  readonly endpointKey?: string;
  /** Unique fields besides the endpoint key. */
  readonly unique: readonly string[];
  /** Kinds that may be nested in it, with their field that refers back. */
  readonly children: Readonly<Partial<Record<Kind, string>>>;
  readonly checks: readonly EntityCheck[];
  /** Fields that together make the deterministic id (kong-compat 1.3); else the endpoint key does. */
  readonly cacheKey?: readonly string[];
  /**
   * What is checked in place of what was submitted: shorthands, values that follow from others. Returns the same
   * object where there is nothing to rewrite, and never changes it.
   */
  readonly prepare?: (submitted: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Fields beyond the known ones are kept as they are. */
  readonly loose?: boolean;
  /** Fields that answers do not show. */
  readonly hidden?: readonly string[];
}

type Definition = Omit<EntitySchema, 'unique' | 'children' | 'checks'> &
  Partial<Pick<EntitySchema, 'unique' | 'children' | 'checks'>>;

/** Declares a kind of entity; `id`, `tags` and the times are added. */
export const entitySchema = (definition: Definition): EntitySchema => ({
  unique: [],
  children: {},
  checks: [],
  ...definition,
  fields: {
    id: idField,
    ...definition.fields,
    tags: tagsField,
    created_at: timeField,
    updated_at: timeField,
  },
});

/** The fields of an entity that refer to others, with the kind they refer to. */
export const foreignFields = (schema: EntitySchema): [name: string, reference: Kind][] =>
  Object.entries(schema.fields).flatMap(([name, field]: [string, Field]) =>
    field.type === 'foreign' ? [[name, field.reference]] : [],
  );
