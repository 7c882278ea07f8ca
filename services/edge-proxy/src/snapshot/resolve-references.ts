import { type Environment, isReference, resolveReference } from '@sluice/gateway-config';
import type { Logger } from '@sluice/service-kit';

/** What a text of the configuration stands for; empty where that cannot be found. */
export type Resolve = (text: string) => string;

/**
 * Vault references (`{vault://env/name}`) are read by who uses them, from its own environment: the secret is in no
 * commit and in no answer of the Admin API. One that cannot be resolved becomes empty, as in Kong, and is logged.
 */
export const referenceResolver =
  (environment: Environment, logger: Logger): Resolve =>
  (text) => {
    const found = resolveReference(text, environment);
    if (found === undefined)
      logger.error({ reference: text }, 'vault reference not resolved: set its environment variable');
    return found ?? '';
  };

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
