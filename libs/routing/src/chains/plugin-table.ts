import type { PluginEntity } from '@sluice/gateway-config';
import type { Plugin, PluginScope } from '@sluice/plugins';
import { boundByDefault } from './default-binding.ts';
import { namesReadByAll } from './read-headers.ts';

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
  /** A plugin of it tells what took how long. */
  readonly isTraced: boolean;
  /** A plugin of it asks who is calling. */
  readonly isGuarded: boolean;
  /** Prefix of the Redis key of a tenant's quota, when the chain reads quotas. */
  readonly quotaKeyPrefix: string | undefined;
  /** The tenant-binding instance that has identities signed for upstreams. */
  readonly signedBy: string | undefined;
  /** Headers in lower case that its plugins go by. */
  readonly namesRead: ReadonlySet<string>;
  /** Under which a request's correlation id is kept, when the chain gives it one. */
  readonly correlationKey: string | undefined;
  /** The configuration of the instance that runs for a consumer, for what the edge itself does in its name. */
  readonly configOf: (plugin: string, consumerId?: string) => Readonly<Record<string, unknown>> | undefined;
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

let lastRevision = 0;
const nextRevision = (): number => {
  lastRevision += 1;
  return lastRevision;
};

/**
 * All plugin instances, found by name and scope. One instance of a name runs per request, the most specific
 * (kong-compat 2.5): route+service+consumer, route+consumer, service+consumer, route+service, consumer, route,
 * service, global.
 */
export class PluginTable {
  readonly #instances = new Map<string, PluginInstance>();
  /** Instances of each plugin name, filed under the route or service they are bound to, else under `''`. */
  readonly #byName = new Map<string, Map<string, Set<PluginInstance>>>();
  /** Another one after every change, of any table: chains made before it are made again when next used. */
  revision = nextRevision();

  put(instance: PluginInstance): void {
    this.remove(instance.entity.id);
    this.#instances.set(instance.entity.id, instance);
    const name = instance.plugin.name;
    const shelves = this.#byName.get(name) ?? new Map<string, Set<PluginInstance>>();
    this.#byName.set(name, shelves);
    const shelf = shelves.get(shelfOf(instance)) ?? new Set();
    shelves.set(shelfOf(instance), shelf);
    shelf.add(instance);
    this.revision = nextRevision();
  }

  remove(id: string): void {
    const instance = this.#instances.get(id);
    if (instance === undefined) return;
    this.#instances.delete(id);
    const shelves = this.#byName.get(instance.plugin.name);
    const shelf = shelves?.get(shelfOf(instance));
    shelf?.delete(instance);
    if (shelf?.size === 0) shelves?.delete(shelfOf(instance));
    this.revision = nextRevision();
  }

  get(id: string): PluginInstance | undefined {
    return this.#instances.get(id);
  }

  /** Instances whose plugin is another one by now, by its name. */
  stale(pluginNamed: (name: string) => Plugin | undefined): ReadonlyMap<string, readonly PluginInstance[]> {
    const byName = new Map<string, PluginInstance[]>();
    for (const instance of this.#instances.values()) {
      const { name } = instance.plugin;
      const now = pluginNamed(name);
      if (now === undefined || now === instance.plugin) continue;
      byName.set(name, [...(byName.get(name) ?? []), instance]);
    }
    return byName;
  }

  some(isMeant: (instance: PluginInstance) => boolean): boolean {
    return [...this.#instances.values()].some(isMeant);
  }

  /** The chain of a route and its service; of nothing, for requests that match no route. */
  chainFor(routeId: string | undefined, serviceId: string | undefined): Chain {
    const steps: (ChainStep & { order: number; name: string })[] = [];
    const all: PluginInstance[] = [];
    for (const [name, shelves] of this.#byName) {
      const near = ['', routeId, serviceId].flatMap((id) =>
        id === undefined ? [] : [...(shelves.get(id) ?? [])],
      );
      const applying = near.filter((i) => isServing(i.entity) && applies(i.entity, routeId, serviceId));
      const first = applying[0];
      all.push(...applying);
      if (first !== undefined) steps.push({ ...stepOf(applying), order: first.plugin.priority, name });
    }
    boundByDefault(steps);
    steps.sort((a, b) => b.order - a.order || (a.name < b.name ? 1 : -1));
    const byName = new Map(steps.map((step) => [step.name, step]));
    const quotaKeyPrefix = byName.get('quota-mirror')?.anyone?.entity.config.quota_key_prefix;
    return {
      steps,
      isGuarded: steps.some(isGuarding),
      isTraced: byName.has('opentelemetry') || byName.has('zipkin'),
      signedBy: signedByOf(byName.get('tenant-binding')),
      namesRead: namesReadByAll(all),
      quotaKeyPrefix: typeof quotaKeyPrefix === 'string' ? quotaKeyPrefix : undefined,
      correlationKey: correlationKeyOf(byName.get('correlation-id') ?? byName.get('request-id')),
      configOf: (plugin, consumerId) => {
        const step = byName.get(plugin);
        return step && instanceFor(step, consumerId)?.entity.config;
      },
    };
  }
}

const correlationKeyOf = (step: ChainStep | undefined): string | undefined => {
  const { memoKey } = (step?.anyone?.prepared ?? {}) as { readonly memoKey?: unknown };
  return typeof memoKey === 'string' ? memoKey : undefined;
};
const signedByOf = (step: ChainStep | undefined): string | undefined => {
  const entity = step?.anyone?.entity;
  return typeof entity?.config.identity_audience === 'string' ? entity.id : undefined;
};

/** It refuses callers for who they are; with a plugin of the user's own comes tenant-binding, which does. */
const isGuarding = ({ anyone, byConsumer }: ChainStep): boolean => {
  const plugin = (anyone ?? byConsumer?.values().next().value)?.plugin;
  return plugin?.guards === true || plugin?.authenticates === true;
};

const shelfOf = ({ entity }: PluginInstance): string => entity.route?.id ?? entity.service?.id ?? '';

const HTTP_PROTOCOLS = ['http', 'https', 'grpc', 'grpcs'];
/** As in Kong, `protocols` says whether an instance is meant for HTTP at all, not for which kind of it. */
const isServing = ({ enabled, mode, protocols }: PluginEntity): boolean =>
  enabled && mode !== 'off' && protocols.some((protocol) => HTTP_PROTOCOLS.includes(protocol));

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
