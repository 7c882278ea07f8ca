import type { Health, TargetHealth } from '../upstream/balancing/balancer.ts';
import type { HealthGauge } from './kong-families.ts';

const STATES: Readonly<Record<Health, string>> = {
  HEALTHCHECKS_OFF: 'healthchecks_off',
  HEALTHY: 'healthy',
  UNHEALTHY: 'unhealthy',
  DNS_ERROR: 'dns_error',
};

type Labels = Readonly<Record<'upstream' | 'target' | 'address' | 'state' | 'subsystem', string>>;

/** `kong_upstream_target_health` of upstream entities: for each address four states, of which one is 1. */
export class UpstreamHealthGauge {
  source: () => Iterable<TargetHealth & { readonly upstream: string }> = () => [];
  #exported: Labels[] = [];

  /** Called at each scrape; targets that are gone leave no line behind. */
  renew(gauge: HealthGauge): void {
    for (const labels of this.#exported) gauge.remove(labels);
    this.#exported = [];
    for (const { upstream, target, address, health } of this.source())
      for (const state of Object.values(STATES)) {
        const labels: Labels = { upstream, target, address, state, subsystem: 'http' };
        gauge.set(labels, STATES[health] === state ? 1 : 0);
        this.#exported.push(labels);
      }
  }
}
