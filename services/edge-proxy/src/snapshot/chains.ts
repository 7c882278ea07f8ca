import type { PluginEntity } from '@sluice/gateway-config';
import type { Plugin, PluginScope } from '@sluice/plugins';

/** A plugin entity made ready to run. */
export interface PluginInstance {
  readonly entity: PluginEntity;
  readonly plugin: Plugin;
  readonly prepared: unknown;
}

/** One plugin's place in a chain; which instance of it runs may depend on who calls. */
export interface ChainStep {
  readonly anyone: PluginInstance | undefined;
  readonly byConsumer: ReadonlyMap<string, PluginInstance> | undefined;
}

/** The plugins of one route in order. */
export interface Chain {
  readonly steps: readonly ChainStep[];
  /** Prefix of the Redis key of a tenant's quota, when the chain reads quotas. */
  readonly quotaKeyPrefix: string | undefined;
  /** The configuration of an instance in this chain, for what the edge itself does in its name. */
  readonly configOf: (plugin: string) => Readonly<Record<string, unknown>> | undefined;
}

/** The instance of a step for a consumer, or for nobody in particular. */
export const instanceFor = (step: ChainStep, consumerId: string | undefined): PluginInstance | undefined =>
  (consumerId === undefined ? undefined : step.byConsumer?.get(consumerId)) ?? step.anyone;

export const scopeOf = (entity: PluginEntity): PluginScope => ({
  pluginId: entity.id,
  routeId: entity.route?.id ?? null,
  serviceId: entity.service?.id ?? null,
  consumerId: entity.consumer?.id ?? null,
});

/**
 * All plugin instances, found by name and scope. One instance of a name runs per request, the most specific
 * (kong-compat 2.5): route+service+consumer, route+consumer, service+consumer, route+service, consumer, route,
 * service, global.
 */
export class PluginTable {
  readonly #instances = new Map<string, PluginInstance>();
  /** Instances of each plugin name, filed under the route or service they are bound to, else under `''`. */
  readonly #byName = new Map<string, Map<string, Set<PluginInstance>>>();
  /** Raised by every change: chains made before it are made again when next used. */
  revision = 0;

  put(instance: PluginInstance): void {
    this.remove(instance.entity.id);
    this.#instances.set(instance.entity.id, instance);
    const name = instance.plugin.name;
    const shelves = this.#byName.get(name) ?? new Map<string, Set<PluginInstance>>();
    this.#byName.set(name, shelves);
    const shelf = shelves.get(shelfOf(instance)) ?? new Set();
    shelves.set(shelfOf(instance), shelf);
    shelf.add(instance);
    this.revision += 1;
  }

  remove(id: string): void {
    const instance = this.#instances.get(id);
    if (instance === undefined) return;
    this.#instances.delete(id);
    const shelves = this.#byName.get(instance.plugin.name);
    const shelf = shelves?.get(shelfOf(instance));
    shelf?.delete(instance);
    if (shelf?.size === 0) shelves?.delete(shelfOf(instance));
    this.revision += 1;
  }

  get(id: string): PluginInstance | undefined {
    return this.#instances.get(id);
  }

  some(isMeant: (instance: PluginInstance) => boolean): boolean {
    return [...this.#instances.values()].some(isMeant);
  }

  /** The chain of a route and its service; of nothing, for requests that match no route. */
  chainFor(routeId: string | undefined, serviceId: string | undefined): Chain {
    const steps: (ChainStep & { order: number; name: string })[] = [];
    for (const [name, shelves] of this.#byName) {
      const near = ['', routeId, serviceId].flatMap((id) =>
        id === undefined ? [] : [...(shelves.get(id) ?? [])],
      );
      const applying = near.filter((i) => i.entity.enabled && applies(i.entity, routeId, serviceId));
      const first = applying[0];
      if (first !== undefined) steps.push({ ...stepOf(applying), order: first.plugin.priority, name });
    }
    steps.sort((a, b) => b.order - a.order || (a.name < b.name ? 1 : -1));
    const byName = new Map(steps.map((step) => [step.name, step.anyone?.entity.config]));
    const quotaKeyPrefix = byName.get('quota-mirror')?.quota_key_prefix;
    return {
      steps,
      quotaKeyPrefix: typeof quotaKeyPrefix === 'string' ? quotaKeyPrefix : undefined,
      configOf: (plugin) => byName.get(plugin),
    };
  }
}

const shelfOf = ({ entity }: PluginInstance): string => entity.route?.id ?? entity.service?.id ?? '';

const applies = (entity: PluginEntity, routeId: string | undefined, serviceId: string | undefined): boolean =>
  (entity.route === null || entity.route.id === routeId) &&
  (entity.service === null || entity.service.id === serviceId);

/** Higher is more specific, in Kong's order. */
const specificity = ({ route, service, consumer }: PluginEntity): number => {
  if (consumer !== null) return route !== null ? (service !== null ? 8 : 7) : service !== null ? 6 : 4;
  return route !== null ? (service !== null ? 5 : 3) : service !== null ? 2 : 1;
};

const stepOf = (applying: readonly PluginInstance[]): ChainStep => {
  const ranked = [...applying].sort((a, b) => specificity(b.entity) - specificity(a.entity));
  const anyone = ranked.find((i) => i.entity.consumer === null);
  const byConsumer = new Map<string, PluginInstance>();
  for (const instance of ranked) {
    const consumer = instance.entity.consumer?.id;
    if (consumer === undefined || byConsumer.has(consumer)) continue;
    // route+service (5) outranks consumer alone (4)
    const isWeaker = anyone !== undefined && specificity(anyone.entity) > specificity(instance.entity);
    if (!isWeaker) byConsumer.set(consumer, instance);
  }
  return { anyone, byConsumer: byConsumer.size > 0 ? byConsumer : undefined };
};
