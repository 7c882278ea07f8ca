import { isReference } from '@sluice/gateway-config';

/** What a text of the configuration stands for; empty where that cannot be found. */
export type Resolve = (text: string) => string;

/** A configuration with its references resolved; the same object when it has none. */
export const resolveReferences = <T>(value: T, resolve: Resolve): T => {
  if (typeof value === 'string') return (isReference(value) ? resolve(value) : value) as T;
  if (typeof value !== 'object' || value === null) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, field] of Object.entries(value)) {
    const resolved: unknown = resolveReferences(field, resolve);
    if (resolved === field) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = resolved;
  }
  return (copy ?? value) as T;
};
