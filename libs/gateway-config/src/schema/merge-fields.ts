import { isRecord } from '../path.ts';
import type { Fields } from './field.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a PATCH makes of an entity: records are merged field by field; lists and maps are replaced. */
export const mergeFields = (fields: Fields, before: Values, change: Values): Record<string, unknown> => {
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(change)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    merged[name] =
      field?.type === 'record' && isRecord(old) && isRecord(value)
        ? mergeFields(field.fields, old, value)
        : value;
  }
  return merged;
};
