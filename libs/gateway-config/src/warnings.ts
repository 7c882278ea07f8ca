import type { PluginCatalog } from './catalog.ts';
import type { Draft } from './errors/violation.ts';
import type { PluginEntity, Route } from './model.ts';
import { isRecord } from './path.ts';
import type { ConfigState } from './state.ts';

/** Plugins that ask who is calling. */
const AUTHENTICATION = new Set(['jwt', 'oidc', 'key-auth', 'basic-auth', 'hmac-auth', 'oauth2', 'ldap-auth']);
/** Routes named one by one; the rest is counted. */
const MAX_NAMED = 20;

const authenticates = (plugin: PluginEntity): boolean =>
  plugin.enabled &&
  plugin.consumer === null &&
  (plugin.mode ?? 'enforce') === 'enforce' &&
  AUTHENTICATION.has(plugin.name);

/** Routes that anyone can call: no authentication plugin on them, on their service or on everything. */
const openRoutes = (state: ConfigState): Route[] => {
  const [routes, services, pairs] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const plugin of state.list('plugins')) {
    if (!authenticates(plugin)) continue;
    const { route, service } = plugin;
    if (route === null && service === null) return [];
    if (service === null) routes.add(route?.id ?? '');
    else if (route === null) services.add(service.id);
    else pairs.add(`${route.id} ${service.id}`);
  }
  const open: Route[] = [];
  for (const route of state.list('routes')) {
    const service = route.service?.id ?? '';
    const isGuarded =
      routes.has(route.id) ||
      services.has(service) ||
      (pairs.size > 0 && pairs.has(`${route.id} ${service}`));
    if (!isGuarded) open.push(route);
  }
  return open;
};

/** Sentences about a valid configuration that people should know about. */
export const warningsOf = (
  state: ConfigState,
  drafts: readonly Draft[],
  catalog: PluginCatalog,
  environment: Readonly<Record<string, string | undefined>>,
): string[] => {
  const open = openRoutes(state);
  const named = open
    .slice(0, MAX_NAMED)
    .map(({ name, id }) => `route '${name ?? id}' has no authentication plugin: anyone can call it`);
  const rest = open.length - named.length;
  const more = rest > 0 ? [`${rest} more routes have no authentication plugin`] : [];
  return [...named, ...more, ...pluginWarnings(drafts, catalog, environment)];
};

/** Each sentence once: a hundred instances with the same block say the same. */
const pluginWarnings = (
  drafts: readonly Draft[],
  catalog: PluginCatalog,
  environment: Readonly<Record<string, string | undefined>>,
): string[] => {
  const warnings = new Set<string>();
  for (const { kind, entity, submitted } of drafts) {
    if (kind !== 'plugins') continue;
    const rules = catalog.get(String(entity.name));
    const context = { submitted: isRecord(submitted.config) ? submitted.config : {}, environment };
    for (const warning of rules?.warnings?.(entity.config, context) ?? [])
      warnings.add(`plugin '${String(entity.name)}': ${warning}`);
  }
  return [...warnings];
};
