import type { PluginEntity } from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import { scopeOf } from './plugin-table.ts';
import { type Resolve, resolveReferences } from './resolve-references.ts';

/**
 * What a plugin makes of an instance's configuration, in the form its handlers take.
 * @throws Error naming plugin, instance and field.
 */
export const prepareInstance = (plugin: Plugin, entity: PluginEntity, resolve: Resolve): unknown => {
  const parsed = plugin.config.safeParse(withoutNulls(entity.config));
  if (!parsed.success)
    throw new Error(
      `plugin ${entity.name} (${entity.id}): ${parsed.error.issues.map((i) => `config.${i.path.join('.')}: ${i.message}`).join('; ')}`,
    );
  try {
    return plugin.prepare(resolveReferences(parsed.data, resolve), scopeOf(entity));
  } catch (error) {
    throw new Error(`plugin ${entity.name} (${entity.id}): ${(error as Error).message}`, { cause: error });
  }
};

/** Stored entities show unset fields as null; schemas know them as absent. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
};
