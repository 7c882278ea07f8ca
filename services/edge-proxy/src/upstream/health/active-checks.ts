import { isDeepStrictEqual } from 'node:util';
import type { HealthcheckActive } from '@sluice/gateway-config';
import type { Balancer } from '../balancing/balancer.ts';
import type { Peer } from '../balancing/peer.ts';
import { type ClientPair, probe } from './probe.ts';

/**
 * Probes the addresses of one upstream entity: the healthy and the unhealthy ones at intervals of their own, a
 * round at a time, never more than `concurrency` at once. A round starts when checks start and whenever the
 * interval has passed and the round before is over.
 */
export class ActiveChecks {
  readonly #balancer: Balancer;
  readonly #clientPair: () => ClientPair | undefined;
  #active: HealthcheckActive | undefined;
  #timers: NodeJS.Timeout[] = [];

  constructor(balancer: Balancer, clientPair: () => ClientPair | undefined) {
    this.#balancer = balancer;
    this.#clientPair = clientPair;
  }

  /** Starts, or starts over when what is to be checked has changed. */
  update(): void {
    const { active } = this.#balancer.upstream.healthchecks;
    if (isDeepStrictEqual(active, this.#active)) return;
    this.stop();
    this.#active = active;
    this.#every(active.healthy.interval, active, ({ isHealthy }) => isHealthy);
    this.#every(active.unhealthy.interval, active, ({ isHealthy }) => !isHealthy);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#active = undefined;
  }

  #every(seconds: number, active: HealthcheckActive, isMeant: (peer: Peer) => boolean): void {
    if (seconds === 0) return;
    let isRunning = false;
    const round = async () => {
      if (isRunning) return;
      isRunning = true;
      await this.#probeAll(this.#balancer.peers.filter(isMeant), active);
      isRunning = false;
    };
    const timer = setInterval(() => void round(), seconds * 1000);
    timer.unref();
    this.#timers.push(timer);
    void round();
  }

  async #probeAll(peers: readonly Peer[], active: HealthcheckActive): Promise<void> {
    const waiting = [...peers];
    const work = async () => {
      for (let peer = waiting.shift(); peer !== undefined; peer = waiting.shift()) {
        const outcome = await probe(peer, active, this.#clientPair());
        // A check that was stopped or changed meanwhile says nothing any more.
        if (this.#active === active) this.#balancer.report(peer, outcome, 'active');
      }
    };
    await Promise.all(Array.from({ length: Math.min(active.concurrency, waiting.length) }, work));
  }
}
