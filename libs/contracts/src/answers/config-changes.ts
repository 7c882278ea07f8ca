import { z } from 'zod';
import { kindNames } from '../config/entity.ts';

const count = z.int().nonnegative();

/** How many entities differ. */
export const changeCounts = z.object({ added: count, changed: count, removed: count });
export type ChangeCounts = z.output<typeof changeCounts>;

/** One field of an entity; a side that has no such field is absent. */
export const fieldChange = z.object({
  field: z.string().describe('Its path, such as config.minute.'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type FieldChange = z.output<typeof fieldChange>;

/** What became of one entity. Secrets are censored: that such a field is listed says that it changed. */
export const entityChange = z.object({
  op: z.enum(['added', 'changed', 'removed']),
  kind: z.enum(kindNames),
  id: z.string(),
  name: z.string().describe('What people call it; its id where it has no name.'),
  of: z.record(z.string(), z.string()).describe('Names of what it refers to, by field.'),
  fields: z.array(fieldChange).describe('Of an entity that is new or gone, those that are set.'),
});
export type EntityChange = z.output<typeof entityChange>;

/** What leads from one configuration to another, by entity and field: part of every answer that compares two. */
export const configChanges = z.object({
  counts: changeCounts,
  changes: z.array(entityChange),
  changesLeftOut: count.describe('Entities that changed and are not in changes.'),
});
export type ConfigChanges = z.output<typeof configChanges>;

/** For the golden answers and the description of the Admin API. */
export const exampleChanges: z.input<typeof configChanges> = {
  counts: { added: 0, changed: 1, removed: 0 },
  changes: [
    {
      ...{ op: 'changed', kind: 'plugins', id: '5f1c3e2a-9b1d-5a55-9a3e-6c1f0d2b7e22' },
      ...{ name: 'rate-limiting', of: { route: 'agent-workflows' } },
      fields: [{ field: 'config.minute', before: 100, after: 200 }],
    },
  ],
  changesLeftOut: 0,
};
