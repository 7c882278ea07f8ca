import type { PluginEntity } from '@sluice/gateway-config';

/** What plugins read whatever their configuration says. */
const ALWAYS_READ: Readonly<Record<string, readonly string[]>> = {
  'bot-detection': ['user-agent'],
  cors: ['origin', 'access-control-request-method', 'access-control-request-headers'],
  'hmac-auth': ['date', 'x-date', 'digest'],
  opentelemetry: ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'uber-trace-id'],
  'proxy-cache': ['cache-control'],
  zipkin: ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'uber-trace-id'],
};

const NAMES = /[A-Za-z0-9_-]{2,64}/g;
const MAX_TEXT = 4096; // characters; a longer one is a schema or a page, not a header's name

const known = new WeakMap<PluginEntity, ReadonlySet<string>>();

/**
 * Every name, in lower case, that stands in a plugin's configuration, templates included: the headers it may read
 * are among them. A client may not have one of those removed (`Connection:`), nor send it in a spelling that an
 * upstream could take for it.
 */
const namesReadBy = (entity: PluginEntity): ReadonlySet<string> => {
  const before = known.get(entity);
  if (before !== undefined) return before;
  const names = new Set(ALWAYS_READ[entity.name]);
  collect(entity.config, names);
  known.set(entity, names);
  return names;
};

/** As `namesReadBy`, of all of them. */
export const namesReadByAll = (entities: readonly PluginEntity[]): ReadonlySet<string> => {
  const all = new Set<string>();
  for (const entity of entities) for (const name of namesReadBy(entity)) all.add(name);
  return all;
};

const collect = (value: unknown, names: Set<string>): void => {
  if (typeof value === 'string') {
    if (value.length <= MAX_TEXT) for (const [name] of value.matchAll(NAMES)) names.add(name.toLowerCase());
  } else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) collect(inner, names);
};
