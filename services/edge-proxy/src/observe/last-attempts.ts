import type { ProxyExchange } from '../exchange.ts';
import type { KongFamilies } from './kong-families.ts';

const BALANCED_AND = { up: 'balanced, healthy', down: 'balanced, unhealthy' } as const;
const STATES = ['healthy', 'unhealthy', 'dns_error', 'healthchecks_off'] as const;

/** A place that requests of a service may go to, `host:port`. */
export interface ConfiguredTarget {
  readonly service: string;
  readonly target: string;
}

/**
 * The health of targets by the last attempt. Setting six gauges costs more than the rest of a request's record, so they
 * are set when it changes; and a target that is in the configuration no more leaves no line behind: it would be called
 * unhealthy for ever, and each that comes and goes would cost memory and lines.
 */
export class LastAttempts {
  readonly #kong: Pick<KongFamilies, 'targetHealth' | 'legacyHealth'>;
  /** What the gauges say, by service and target. */
  readonly #saidOf = new Map<string, Map<string, string>>();

  constructor(kong: Pick<KongFamilies, 'targetHealth' | 'legacyHealth'>) {
    this.#kong = kong;
  }

  /** Takes note of what a finished request met. */
  record({ target, service, upstream, errorCode, isBalanced }: ProxyExchange): void {
    if (target === undefined || errorCode === 'GW_NO_PEER') return;
    const name = service?.name ?? service?.host ?? '';
    const state = upstream !== undefined ? 'healthy' : (errorCode ?? 'unhealthy');
    let said = this.#saidOf.get(name);
    if (said === undefined) {
      said = new Map();
      this.#saidOf.set(name, said);
    }
    const now = isBalanced ? BALANCED_AND[state === 'healthy' ? 'up' : 'down'] : state;
    if (said.get(target) === now) return;
    said.set(target, now);
    const isHealthy = upstream !== undefined ? 1 : 0;
    this.#kong.legacyHealth.set({ upstream: name, target }, isHealthy);
    if (isBalanced) return; // its balancer knows better
    const scope = { upstream: name, target, address: target, subsystem: 'http' };
    this.#kong.targetHealth.set({ ...scope, state: 'healthy' }, isHealthy);
    this.#kong.targetHealth.set({ ...scope, state: 'unhealthy' }, 1 - isHealthy);
    const isUnknown = errorCode === 'GW_NAME_NOT_RESOLVED';
    this.#kong.targetHealth.set({ ...scope, state: 'dns_error' }, isUnknown ? 1 : 0);
    this.#kong.targetHealth.set({ ...scope, state: 'healthchecks_off' }, 0);
  }

  /** Forgets all others. */
  keepOnly(configured: Iterable<ConfiguredTarget>): void {
    if (this.#saidOf.size === 0) return;
    const kept = new Map<string, Set<string>>();
    for (const { service, target } of configured)
      kept.set(service, (kept.get(service) ?? new Set()).add(target));
    for (const [service, said] of this.#saidOf) {
      for (const target of said.keys())
        if (kept.get(service)?.has(target) !== true) this.#forget(service, target, said);
      if (said.size === 0) this.#saidOf.delete(service);
    }
  }

  #forget(upstream: string, target: string, said: Map<string, string>): void {
    said.delete(target);
    this.#kong.legacyHealth.remove({ upstream, target });
    for (const state of STATES)
      this.#kong.targetHealth.remove({ upstream, target, address: target, state, subsystem: 'http' });
  }
}
