import { setImmediate as turn } from 'node:timers/promises';
import {
  type ConfigState,
  type Consumer,
  ConsumerGroups,
  type Route,
  type Upstream,
} from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import { type Chain, PluginTable, prepareInstance, Router } from '@sluice/routing';

/** How long other work waits at most while a configuration is made ready. */
const SLICE_MS = 3;
/** Vault references are read by the processes that use them, from their own environment. */
const UNRESOLVED = () => '';

/** A configuration in the form in which requests are tried on it: what an edge compiles, as far as verdicts go. */
export interface Side {
  readonly state: ConfigState;
  readonly router: Router<Route>;
  /** The plugins of a route. */
  readonly chainOf: (route: Route) => Chain;
  readonly groupsOf: (consumerId: string) => readonly string[];
  readonly consumer: (idOrUsername: string) => Consumer | undefined;
  /** Where a request goes that is forwarded to a path. */
  readonly upstreamOf: (serviceId: string, path: string) => string;
}

/** Gives other work its turn, as long as one thing after another is done. */
export const sliced = (): (() => Promise<void> | undefined) => {
  let end = performance.now() + SLICE_MS;
  return () =>
    performance.now() < end
      ? undefined
      : turn().then(() => {
          end = performance.now() + SLICE_MS;
        });
};

/** @throws Error naming the entity that an edge could not use. The state may not change meanwhile. */
export const sideOf = async (
  state: ConfigState,
  pluginNamed: (name: string) => Plugin | undefined,
): Promise<Side> => {
  const pause = sliced();
  const router = new Router<Route>();
  for (const route of state.list('routes')) {
    const service = route.service && state.get('services', route.service.id);
    if (service?.enabled !== false) router.upsert(route, route);
    await pause();
  }
  const plugins = new PluginTable();
  for (const entity of state.list('plugins')) {
    const plugin = pluginNamed(entity.name);
    if (plugin === undefined)
      throw new Error(`plugin ${entity.id}: there is no plugin named "${entity.name}"`);
    plugins.put({ entity, plugin, prepared: prepareInstance(plugin, entity, UNRESOLVED) });
    await pause();
  }
  const groups = new ConsumerGroups();
  for (const acl of state.list('acls')) groups.put(acl.id, acl);
  return { state, router, ...lookUps(state, plugins), groupsOf: (id) => groups.of(id) };
};

const lookUps = (state: ConfigState, plugins: PluginTable) => {
  const chains = new Map<string, Chain>();
  const byName = new Map<string, Consumer>();
  for (const consumer of state.list('consumers'))
    if (consumer.username !== null) byName.set(consumer.username, consumer);
  const targets = targetsByHost(state);
  return {
    chainOf: (route: Route): Chain => {
      const known = chains.get(route.id);
      if (known !== undefined) return known;
      const chain = plugins.chainFor(route.id, route.service?.id);
      chains.set(route.id, chain);
      return chain;
    },
    consumer: (key: string) => state.get('consumers', key) ?? byName.get(key),
    upstreamOf: (serviceId: string, path: string): string => {
      const service = state.get('services', serviceId);
      if (service === undefined) return '';
      return `${service.protocol}://${service.host}:${service.port}${path}${targets.get(service.host) ?? ''}`;
    },
  };
};

/** What stands behind the names of upstreams, in words that are equal when the targets are. */
const targetsByHost = (state: ConfigState): ReadonlyMap<string, string> => {
  const byUpstream = new Map<string, string[]>();
  for (const { upstream, target, weight } of state.list('targets'))
    byUpstream.set(upstream.id, [...(byUpstream.get(upstream.id) ?? []), `${target} (${weight})`]);
  const byHost = new Map<string, string>();
  for (const { id, name } of state.list('upstreams') as Iterable<Upstream>)
    byHost.set(name, ` by ${(byUpstream.get(id) ?? ['no target']).sort().join(', ')}`);
  return byHost;
};
