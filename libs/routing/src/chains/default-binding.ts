import { type Plugin, pluginCatalog } from '@sluice/plugins';
import type { ChainStep, PluginInstance } from './plugin-table.ts';

const NAME = 'tenant-binding';
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** tenant-binding with its defaults: identity is bound unless a configuration says otherwise in so many words. */
const byDefault = ((): PluginInstance => {
  const plugin = pluginCatalog.get(NAME) as Plugin;
  const config = plugin.config.parse({}) as Record<string, unknown>;
  const scope = { pluginId: NIL_UUID, routeId: null, serviceId: null, consumerId: null };
  const stored = { id: NIL_UUID, created_at: null, updated_at: null, tags: null };
  const anywhere = { route: null, service: null, consumer: null, protocols: [], instance_name: null };
  return {
    entity: { ...stored, ...anywhere, name: NAME, config, enabled: true },
    plugin,
    prepared: plugin.prepare(config, scope),
  };
})();

interface NamedStep extends ChainStep {
  readonly order: number;
  readonly name: string;
}

/** A plugin of the user's own may say who is calling, whatever it declares. */
const mayIdentify = ({ anyone, byConsumer }: ChainStep): boolean => {
  const instance = anyone ?? byConsumer?.values().next().value;
  // One in shadow refuses nobody, and neither should what comes with it.
  if (instance === undefined || instance.entity.mode === 'shadow') return false;
  const { plugin } = instance;
  return plugin.authenticates === true || pluginCatalog.get(plugin.name) !== plugin;
};

/** Adds the default instance to the steps of a route, for everybody for whom none is configured. */
export const boundByDefault = (steps: NamedStep[]): void => {
  if (!steps.some(mayIdentify)) return;
  const at = steps.findIndex(({ name }) => name === NAME);
  const configured = steps[at];
  if (configured?.anyone !== undefined) return;
  const step = {
    anyone: byDefault,
    byConsumer: configured?.byConsumer,
    order: byDefault.plugin.priority,
    name: NAME,
  };
  if (configured === undefined) steps.push(step);
  else steps[at] = step;
};
