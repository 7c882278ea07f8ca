import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigOp } from '@sluice/contracts';
import type {
  Acl,
  CaCertificate,
  Certificate,
  ConfigState,
  Consumer,
  PluginEntity,
  Route,
  Service,
  Sni,
  Target,
  Upstream,
  VaultPrefixes,
} from '@sluice/gateway-config';
import { ConsumerGroups, vaultPrefixesOf } from '@sluice/gateway-config';
import type { Plugin } from '@sluice/plugins';
import {
  type Chain,
  type PluginInstance,
  PluginTable,
  type PreparedRoute,
  prepareInstance,
  Router,
} from '@sluice/routing';
import type { UpstreamTls } from '../upstream/upstream-tls.ts';
import { CertificateTable } from './certificates.ts';
import { UnknownPlugin } from './own-plugins.ts';
import type { ResolveIn } from './resolve-references.ts';

/** A route in the index. Its service and chain are looked up when used: they may change without it. */
export interface CompiledRoute {
  readonly route: Route;
  chain: Chain | undefined;
  chainRevision: number;
}

/** Kinds that the edge reads, what is referred to first. */
const ORDER = [
  'certificates',
  'ca_certificates',
  'snis',
  'services',
  'upstreams',
  'targets',
  'consumers',
  'acls',
  'plugins',
  'routes',
] as const;

/** What compiling asks of others. */
export interface CompileParts {
  readonly pluginNamed: (name: string) => Plugin | undefined;
  /** Of vault references. */
  readonly resolve: ResolveIn;
}

/** How long other work waits at most while a whole state is compiled. */
const SLICE_MS = 3;
/** Entities between two looks at the clock: some 0.1 ms. */
const LOOK_EVERY = 8;
/** Of a route whose chain was not made yet. */
const NO_REVISION = -1;

/** A checked change, ready to be made; making it cannot fail. */
type Change = () => void;

/**
 * A configuration in the form requests use: matchers, plugin instances and chains, all made off the request
 * path. It is changed entity by entity; `prepare` does everything that can fail, and nothing is visible before it
 * all succeeded.
 */
export class CompiledConfig {
  readonly router = new Router<CompiledRoute>();
  readonly plugins = new PluginTable();
  readonly certificates: CertificateTable;
  readonly services = new Map<string, Service>();
  readonly groups = new ConsumerGroups();
  readonly #consumers = new Map<string, Consumer>();
  readonly #consumersByName = new Map<string, Consumer>();
  readonly #routes = new Map<string, Route>();
  readonly #routesOfService = new Map<string, Set<string>>();
  readonly #upstreams = new Map<string, Upstream>();
  readonly #upstreamsByName = new Map<string, Upstream>();
  readonly #targets = new Map<string, Target>();
  readonly #targetsOfUpstream = new Map<string, Target[]>();
  #changedUpstreams = new Set<string>();
  readonly #parts: CompileParts;
  readonly #vaults: VaultPrefixes;
  #globalChain: { chain: Chain; revision: number } | undefined;

  constructor(parts: CompileParts, vaults: VaultPrefixes) {
    this.#parts = { ...parts, resolve: (text) => parts.resolve(text, vaults) };
    this.#vaults = vaults;
    this.certificates = new CertificateTable(this.#parts.resolve);
  }

  /**
   * Compiles a whole state, SLICE_MS at a time with the event loop's turn in between; the state may not change
   * meanwhile. What another configuration has made of the same entities is used again, if its references mean the same.
   * @throws Error naming the entity that cannot be used.
   */
  static async of(state: ConfigState, parts: CompileParts, known?: CompiledConfig): Promise<CompiledConfig> {
    const compiled = new CompiledConfig(parts, vaultPrefixesOf(state.list('vaults')));
    const before =
      known !== undefined && isDeepStrictEqual(known.#vaults, compiled.#vaults) ? known : undefined;
    let sliceEnd = performance.now() + SLICE_MS;
    for (const kind of ORDER) {
      const ids = [...state.ids(kind)];
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at] as string;
        compiled.#prepareOne(
          { op: 'put', kind, id, entity: state.get(kind, id) as { id: string } },
          before,
        )();
        if (at % LOOK_EVERY !== 0 || performance.now() < sliceEnd) continue;
        await turn();
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    return compiled;
  }

  /**
   * Checks the operations of a commit, none of them on a vault, and returns the change that makes them all.
   * @throws Error naming the entity that cannot be used; nothing has changed then.
   */
  prepare(ops: readonly ConfigOp[]): Change {
    const changes = ops.map((op) => this.#prepareOne(op));
    return () => {
      for (const change of changes) change();
    };
  }

  /** The plugins for a matched route, or for a request that matched none. */
  chainOf(matched: CompiledRoute | undefined): Chain {
    const { revision } = this.plugins;
    if (matched === undefined) {
      if (this.#globalChain?.revision !== revision)
        this.#globalChain = { chain: this.plugins.chainFor(undefined, undefined), revision };
      return this.#globalChain.chain;
    }
    if (matched.chain === undefined || matched.chainRevision !== revision) {
      matched.chain = this.plugins.chainFor(matched.route.id, matched.route.service?.id);
      matched.chainRevision = revision;
    }
    return matched.chain;
  }

  /** The upstream entity a service's host names; undefined when the host is just a host. */
  upstreamNamed(host: string): Upstream | undefined {
    return this.#upstreamsByName.get(host);
  }

  /** How connections to a service are secured; undefined for one that asks for nothing special. */
  upstreamTls(service: Service): UpstreamTls | undefined {
    return this.certificates.upstreamTls(service, this.#upstreamsByName.get(service.host));
  }

  upstream(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  targetsOf(upstreamId: string): readonly Target[] {
    return this.#targetsOfUpstream.get(upstreamId) ?? [];
  }

  /** Ids of the upstreams that changed, or whose targets did, since this was last asked. */
  takeChangedUpstreams(): ReadonlySet<string> {
    const changed = this.#changedUpstreams;
    this.#changedUpstreams = new Set();
    return changed;
  }

  consumer(idOrUsername: string): Consumer | undefined {
    return this.#consumers.get(idOrUsername) ?? this.#consumersByName.get(idOrUsername);
  }

  #prepareOne(op: ConfigOp, before?: CompiledConfig): Change {
    const entity = op.op === 'put' ? (op.entity as unknown) : undefined;
    if (op.kind === 'routes') return this.#prepareRoute(op.id, entity as Route | undefined, before);
    if (op.kind === 'plugins') return this.#preparePlugin(op.id, entity as PluginEntity | undefined, before);
    if (op.kind === 'services') return () => this.#putService(op.id, entity as Service | undefined);
    if (op.kind === 'acls') return () => this.groups.put(op.id, entity as Acl | undefined);
    if (op.kind === 'consumers') return () => this.#putConsumer(op.id, entity as Consumer | undefined);
    if (op.kind === 'upstreams') return () => this.#putUpstream(op.id, entity as Upstream | undefined);
    if (op.kind === 'targets') return () => this.#putTarget(op.id, entity as Target | undefined);
    if (op.kind === 'certificates')
      return this.certificates.prepareCertificate(op.id, entity as Certificate | undefined);
    if (op.kind === 'ca_certificates')
      return () => this.certificates.putAuthority(op.id, entity as CaCertificate | undefined);
    if (op.kind === 'snis') return () => this.certificates.putSni(op.id, entity as Sni | undefined);
    return () => undefined; // not the edge's: credentials are others' matter
  }

  #prepareRoute(id: string, route: Route | undefined, before?: CompiledConfig): Change {
    const isKnown = before !== undefined && route !== undefined && before.#routes.get(id) === route;
    const known = isKnown ? before.router.prepared(id) : undefined;
    const prepared =
      known ??
      (route && this.router.prepareUpsert(route, { route, chain: undefined, chainRevision: NO_REVISION }));
    return () => {
      const before = this.#routes.get(id);
      if (before?.service) this.#routesOfService.get(before.service.id)?.delete(id);
      if (route === undefined || prepared === undefined) {
        this.#routes.delete(id);
        this.router.remove(id);
        return;
      }
      this.#routes.set(id, route);
      if (route.service !== null) {
        const sisters = this.#routesOfService.get(route.service.id) ?? new Set();
        this.#routesOfService.set(route.service.id, sisters.add(id));
      }
      this.#file(route, prepared);
    };
  }

  /** A route of a disabled service is not matched at all. */
  #file(route: Route, prepared: PreparedRoute<CompiledRoute>): void {
    const service = route.service === null ? undefined : this.services.get(route.service.id);
    if (service?.enabled === false) this.router.remove(route.id);
    else this.router.commitUpsert(prepared);
  }

  #putService(id: string, service: Service | undefined): void {
    const wasEnabled = this.services.get(id)?.enabled ?? true;
    if (service === undefined) this.services.delete(id);
    else this.services.set(id, service);
    if ((service?.enabled ?? true) === wasEnabled) return;
    // A copy: filing a route takes it out of this set and puts it back.
    for (const routeId of [...(this.#routesOfService.get(id) ?? [])]) {
      const route = this.#routes.get(routeId);
      if (route !== undefined) this.#prepareRoute(routeId, route)();
    }
  }

  #preparePlugin(id: string, entity: PluginEntity | undefined, before?: CompiledConfig): Change {
    if (entity === undefined) return () => this.plugins.remove(id);
    const known = before?.plugins.get(id);
    // The code of a user's plugin that is in use stays, even when its file is gone.
    const plugin =
      this.#parts.pluginNamed(entity.name) ?? (known?.entity.name === entity.name ? known.plugin : undefined);
    if (plugin === undefined) throw new UnknownPlugin(id, entity.name);
    if (known?.entity === entity && known.plugin === plugin) return () => this.plugins.put(known);
    const instance: PluginInstance = {
      entity,
      plugin,
      prepared: prepareInstance(plugin, entity, this.#parts.resolve),
    };
    return () => this.plugins.put(instance);
  }

  #putConsumer(id: string, consumer: Consumer | undefined): void {
    const before = this.#consumers.get(id)?.username;
    if (before) this.#consumersByName.delete(before);
    if (consumer === undefined) this.#consumers.delete(id);
    else {
      this.#consumers.set(id, consumer);
      if (consumer.username !== null) this.#consumersByName.set(consumer.username, consumer);
    }
  }

  #putUpstream(id: string, upstream: Upstream | undefined): void {
    this.#changedUpstreams.add(id);
    this.certificates.forgetUpstreamTls();
    const before = this.#upstreams.get(id);
    if (before !== undefined && this.#upstreamsByName.get(before.name) === before)
      this.#upstreamsByName.delete(before.name);
    if (upstream === undefined) this.#upstreams.delete(id);
    else {
      this.#upstreams.set(id, upstream);
      this.#upstreamsByName.set(upstream.name, upstream);
    }
  }

  #putTarget(id: string, target: Target | undefined): void {
    const before = this.#targets.get(id);
    if (before !== undefined) {
      this.#changedUpstreams.add(before.upstream.id);
      const sisters = this.#targetsOfUpstream.get(before.upstream.id) ?? [];
      this.#targetsOfUpstream.set(
        before.upstream.id,
        sisters.filter((sister) => sister.id !== id),
      );
    }
    if (target === undefined) this.#targets.delete(id);
    else {
      this.#changedUpstreams.add(target.upstream.id);
      this.#targets.set(id, target);
      this.#targetsOfUpstream.set(target.upstream.id, [
        ...(this.#targetsOfUpstream.get(target.upstream.id) ?? []),
        target,
      ]);
    }
  }
}
