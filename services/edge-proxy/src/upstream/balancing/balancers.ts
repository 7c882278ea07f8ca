import type { Upstream } from '@sluice/gateway-config';
import type { CompiledConfig } from '../../snapshot/compile.ts';
import { ActiveChecks } from '../health/active-checks.ts';
import {
  Balancer,
  type BalancerParts,
  type HealthSet,
  type TargetAddress,
  type TargetHealth,
} from './balancer.ts';

/** The balancers of all upstream entities, kept in step with the configuration in use. */
export class Balancers {
  readonly #parts: BalancerParts;
  readonly #running = new Map<string, { readonly balancer: Balancer; readonly checks: ActiveChecks }>();
  #compiled: CompiledConfig | undefined;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
  }

  /** Called after every change of the configuration: only upstreams that it touched are looked at. */
  follow(compiled: CompiledConfig): void {
    const changed = compiled.takeChangedUpstreams();
    const ids = compiled === this.#compiled ? changed : new Set([...this.#running.keys(), ...changed]);
    this.#compiled = compiled;
    for (const id of ids) this.#update(id, compiled);
  }

  /** The balancer of an upstream; one without targets when the upstream has left the configuration. */
  of(upstream: Upstream): Balancer {
    return this.#running.get(upstream.id)?.balancer ?? new Balancer(upstream, this.#parts);
  }

  /** Health of an upstream's targets; empty when this edge has no such upstream. */
  health(upstreamId: string): TargetHealth[] {
    return this.#running.get(upstreamId)?.balancer.health() ?? [];
  }

  /** Marks a target of an upstream until checks say otherwise. */
  setHealth(upstreamId: string, at: TargetAddress, isHealthy: boolean): HealthSet {
    return this.#running.get(upstreamId)?.balancer.setHealth(at, isHealthy) ?? 'absent';
  }

  /** Health of all targets, with the name of their upstream. */
  *allHealth(): Generator<TargetHealth & { readonly upstream: string }> {
    for (const { balancer } of this.#running.values())
      for (const health of balancer.health()) yield { ...health, upstream: balancer.upstream.name };
  }

  close(): void {
    for (const { balancer, checks } of this.#running.values()) {
      checks.stop();
      balancer.close();
    }
    this.#running.clear();
  }

  #update(id: string, compiled: CompiledConfig): void {
    const upstream = compiled.upstream(id);
    const known = this.#running.get(id);
    if (upstream === undefined) {
      known?.checks.stop();
      known?.balancer.close();
      this.#running.delete(id);
      return;
    }
    const { balancer, checks } = known ?? this.#begin(upstream);
    balancer.update(upstream, compiled.targetsOf(id));
    checks.update();
  }

  #begin(upstream: Upstream) {
    const balancer = new Balancer(upstream, this.#parts);
    const checks = new ActiveChecks(balancer, () =>
      this.#compiled?.certificates.clientPair(balancer.upstream.client_certificate?.id),
    );
    const begun = { balancer, checks };
    this.#running.set(upstream.id, begun);
    return begun;
  }
}
