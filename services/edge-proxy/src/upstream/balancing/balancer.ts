import type { Target as TargetEntity, Upstream } from '@sluice/gateway-config';
import { countOutcome, noCounts, type Outcome } from '../health/health-counters.ts';
import type { ConnectTo } from '../target.ts';
import type { Algorithm, Chance, MakeAlgorithm, PickOptions } from './algorithm.ts';
import { consistentHashing } from './consistent-hashing.ts';
import { latency, noteLatency } from './latency.ts';
import { leastConnections } from './least-connections.ts';
import { addressOf, newPeer, type Peer, splitTarget } from './peer.ts';
import type { NameResolver } from './resolve-name.ts';
import { roundRobin } from './round-robin.ts';
import { TargetAddresses } from './target-names.ts';

const ALGORITHMS: Readonly<Record<Upstream['algorithm'], MakeAlgorithm>> = {
  'round-robin': roundRobin,
  'consistent-hashing': consistentHashing,
  'least-connections': leastConnections,
  latency,
};

/** What balancers of a process share. */
export interface BalancerParts {
  readonly resolver: NameResolver;
  readonly connectTo: ConnectTo;
  readonly chance: Chance;
}

/** Health of one address as Kong's Admin API names it. */
export type Health = 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' | 'DNS_ERROR';
export interface TargetHealth {
  /** `host:port` as configured. */
  readonly target: string;
  /** `ip:port`; empty while the name has no address. */
  readonly address: string;
  readonly health: Health;
  readonly weight: number;
}

/** All addresses of a target, or one of them (`ip:port`). */
export interface TargetAddress {
  readonly target: string;
  readonly address: string | undefined;
}

/** What came of an operator's word about a target: `absent` is a target or address this edge does not have. */
export type HealthSet = 'set' | 'unchecked' | 'absent';

/**
 * Chooses among the targets of one upstream entity and remembers what each of their addresses did. It outlives
 * changes of the configuration: a peer whose address stays keeps its health, its connections and its latency. A
 * target that is taken out gets no new requests; those under way hold on to their peer and finish.
 */
export class Balancer {
  readonly #parts: BalancerParts;
  readonly #targets = new Map<string, TargetAddresses>();
  #upstream: Upstream;
  #peers: readonly Peer[] = [];
  #algorithm: Algorithm | undefined;
  #isAvailable = false;
  /** First look-ups of target names that are under way: requests wait for them. */
  settling: Promise<unknown> | undefined;

  constructor(upstream: Upstream, parts: BalancerParts) {
    this.#upstream = upstream;
    this.#parts = parts;
  }

  get upstream(): Upstream {
    return this.#upstream;
  }

  /** Addresses of weight above 0. */
  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Kong's rule for whether there is a checker at all (kong-compat 2.3). */
  get isChecked(): boolean {
    const { active, passive } = this.#upstream.healthchecks;
    const { http_failures: http, tcp_failures: tcp, timeouts } = passive.unhealthy;
    return active.healthy.interval + active.unhealthy.interval + http + tcp + timeouts > 0;
  }

  /** Takes over what the configuration says now; only what changed is made anew. */
  update(upstream: Upstream, targets: readonly TargetEntity[]): void {
    const before = this.#upstream;
    this.#upstream = upstream;
    const isRenamed = before.use_srv_name !== upstream.use_srv_name;
    const wanted = new Map(targets.map((target) => [target.id, target]));
    for (const [id, known] of this.#targets)
      if (isRenamed || wanted.get(id)?.target !== known.entity.target) {
        known.close();
        this.#targets.delete(id);
      }
    for (const entity of targets) {
      const known = this.#targets.get(entity.id);
      if (known !== undefined) known.entity = entity;
      else this.#targets.set(entity.id, this.#addressesOf(entity));
    }
    this.#rebuild();
    this.#settle();
  }

  /** The peer for the next attempt; undefined when there is none, or too few (`threshold`) are left. */
  pick(options: PickOptions): Peer | undefined {
    return this.#isAvailable ? this.#algorithm?.pick(options) : undefined;
  }

  /** Notes how long a peer took to answer, in ms. */
  noteLatency(peer: Peer, tookMs: number): void {
    noteLatency(peer, tookMs, this.#parts.chance);
  }

  /** Counts what an attempt (`passive`) or a probe (`active`) said about a peer. */
  report(peer: Peer, outcome: Outcome, check: 'active' | 'passive'): void {
    if (!this.isChecked) return;
    const limits = this.#upstream.healthchecks[check];
    if (countOutcome(peer, outcome, limits)) this.#weigh();
  }

  /** Believes an operator until checks say otherwise. */
  setHealth({ target, address }: TargetAddress, isHealthy: boolean): HealthSet {
    if (!this.isChecked) return 'unchecked';
    const meant = this.#peers.filter(
      (peer) => peer.target === target && (address === undefined || addressOf(peer) === address),
    );
    for (const peer of meant) {
      peer.isHealthy = isHealthy;
      peer.counters = noCounts();
    }
    this.#weigh();
    return meant.length === 0 ? 'absent' : 'set';
  }

  health(): TargetHealth[] {
    const isChecked = this.isChecked;
    const known = this.#peers.map((peer) => ({
      target: peer.target,
      address: addressOf(peer),
      health: !isChecked ? 'HEALTHCHECKS_OFF' : peer.isHealthy ? 'HEALTHY' : 'UNHEALTHY',
      weight: peer.weight,
    })) satisfies TargetHealth[];
    const unresolved = [...this.#targets.values()].filter(
      ({ entity, addresses }) => entity.weight > 0 && addresses.length === 0,
    );
    return [
      ...known,
      ...unresolved.map(({ entity: { target, weight } }) => ({
        target,
        address: '',
        health: 'DNS_ERROR' as const,
        weight,
      })),
    ];
  }

  close(): void {
    for (const target of this.#targets.values()) target.close();
    this.#targets.clear();
  }

  #addressesOf(entity: TargetEntity): TargetAddresses {
    const { resolver, connectTo } = this.#parts;
    return new TargetAddresses(entity, this.#upstream, {
      resolver,
      connectTo,
      onChange: () => this.#rebuild(),
    });
  }

  #settle(): void {
    const pending = [...this.#targets.values()].flatMap(({ settled }) => settled ?? []);
    if (pending.length === 0) return;
    const settling = Promise.all(pending).then(() => {
      if (this.settling === settling) this.settling = undefined;
    });
    this.settling = settling;
  }

  #rebuild(): void {
    const before = new Map(this.#peers.map((peer) => [keyOf(peer), peer]));
    const figures = this.#peers.flatMap(({ latencyMs }) => latencyMs ?? []);
    // A newcomer without a figure would get every request until its first answer.
    const latencyMs =
      figures.length === 0 ? undefined : figures.reduce((sum, ms) => sum + ms, 0) / figures.length;
    this.#peers = [...this.#targets.values()].flatMap(({ entity, addresses }) => {
      const { host, port } = splitTarget(entity);
      return addresses.flatMap((found) => {
        const weight = entity.weight === 0 ? 0 : (found.weight ?? entity.weight);
        const at = {
          target: entity.target,
          host: found.name ?? host,
          address: found.address,
          port: found.port ?? port,
          weight,
        };
        const peer = before.get(keyOf(at)) ?? newPeer({ ...at, latencyMs });
        peer.weight = weight;
        peer.made.clear(); // the Host header may have changed
        return weight > 0 ? [peer] : [];
      });
    });
    if (!this.isChecked)
      for (const peer of this.#peers) {
        peer.isHealthy = true;
        peer.counters = noCounts();
      }
    this.#algorithm = ALGORITHMS[this.#upstream.algorithm](this.#peers, this.#upstream, this.#parts.chance);
    this.#weigh();
  }

  #weigh(): void {
    let total = 0;
    let available = 0;
    for (const { weight, isHealthy } of this.#peers) {
      total += weight;
      if (isHealthy) available += weight;
    }
    this.#isAvailable = total > 0 && (available / total) * 100 > this.#upstream.healthchecks.threshold;
  }
}

const keyOf = (peer: Pick<Peer, 'target' | 'host' | 'address' | 'port'>): string =>
  `${peer.target} ${peer.host} ${addressOf(peer)}`;
