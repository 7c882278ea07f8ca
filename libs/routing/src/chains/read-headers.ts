import type { PluginInstance } from './plugin-table.ts';

const NAMES = /[A-Za-z0-9_-]{2,64}/g;
const MAX_TEXT = 4096; // characters; a longer one is a schema or a page, not a header's name

const known = new WeakMap<PluginInstance, ReadonlySet<string>>();

/** The headers that an instance goes by, in lower case: every word that stands where its configuration names some. */
const namesReadBy = (instance: PluginInstance): ReadonlySet<string> => {
  const before = known.get(instance);
  if (before !== undefined) return before;
  const { reads } = instance.plugin;
  const { config } = instance.entity;
  const names = new Set(reads?.always);
  if (reads === undefined) collect(config, names);
  else for (const field of reads.namedBy ?? []) collect(config[field], names);
  known.set(instance, names);
  return names;
};

/** As `namesReadBy`, of all of them. */
export const namesReadByAll = (instances: readonly PluginInstance[]): ReadonlySet<string> => {
  const all = new Set<string>();
  for (const instance of instances) for (const name of namesReadBy(instance)) all.add(name);
  return all;
};

const collect = (value: unknown, names: Set<string>): void => {
  if (typeof value === 'string') {
    if (value.length <= MAX_TEXT) for (const [name] of value.matchAll(NAMES)) names.add(name.toLowerCase());
  } else if (Array.isArray(value)) for (const one of value) collect(one, names);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      collect(key, names); // a schema's properties, a map's names
      collect(inner, names);
    }
};
