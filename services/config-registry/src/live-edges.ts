import { configApplied } from '@sluice/contracts';
import type { Bus } from '@sluice/service-kit';

const PRESENT_MS = 3500; // three heartbeats and a half
const TICK_MS = 250;
const LOOK_AGAIN_MS = 250; // for those who fall silent; who answers is heard at once

interface Follower {
  readonly process: string;
  readonly epoch: string;
  readonly version: number;
  readonly digest: string;
  readonly refusal: string | undefined;
  /** What it serves in the place of the log's state. */
  readonly candidate: string | undefined;
  readonly heardAt: number;
}

export interface Acknowledgement {
  /** Live edges that serve the version. */
  readonly applied: number;
  readonly live: number;
  /** Why some process refused it, by instance. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** Who follows the configuration, and where each stands; from their acknowledgements, which are presence too. */
export class LiveEdges {
  readonly #followers = new Map<string, Follower>();
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Set<() => void>();
  /** Time in which this process could hear, in ms: while it is busy with a large document it hears nobody. */
  #heardMs = 0;

  constructor(bus: Bus) {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#heardMs += Math.min(now - last, 2 * TICK_MS);
      last = now;
    }, TICK_MS);
    bus.on(configApplied, ({ process, instance, epoch, version, digest, outcome, reason, candidate }) => {
      if (process === 'config-registry') return;
      if (outcome === 'leaving') this.#followers.delete(instance);
      else
        this.#followers.set(instance, {
          process,
          epoch,
          version,
          digest,
          candidate,
          refusal: outcome === 'refused' ? (reason ?? 'no reason given') : undefined,
          heardAt: this.#heardMs,
        });
      for (const lookAgain of this.#waiting) lookAgain();
    });
  }

  /** Edge proxies heard in the last 3.5 s. */
  get count(): number {
    return this.#live().filter(([, { process }]) => process === 'edge-proxy').length;
  }

  /** The highest version any live process has of an epoch; 0 when none has one. */
  newestVersion(epoch: string): number {
    return Math.max(0, ...this.#live().map(([, one]) => (one.epoch === epoch ? one.version : 0)));
  }

  /** Names of the processes of a kind that were heard in the last 3.5 s. */
  instancesOf(process: string): string[] {
    return this.#live().flatMap(([instance, one]) => (one.process === process ? [instance] : []));
  }

  /** Every process that was heard in the last 3.5 s, and where it stands. */
  processes(): (Omit<Follower, 'heardAt'> & { readonly instance: string })[] {
    return this.#live().map(([instance, { heardAt: _, ...one }]) => ({ instance, ...one }));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Waits until every live process has taken or refused the version; only edges are counted. */
  async acknowledged(epoch: string, version: number, timeoutMs: number): Promise<Acknowledgement> {
    const deadline = performance.now() + timeoutMs;
    const has = (one: Follower) => one.epoch === epoch && one.version >= version;
    while (performance.now() < deadline && !this.#live().every(([, one]) => has(one)))
      await this.#heardOrAfter(Math.min(LOOK_AGAIN_MS, deadline - performance.now()));
    const live = this.#live();
    const edges = live.filter(([, { process }]) => process === 'edge-proxy');
    return {
      live: edges.length,
      applied: edges.filter(([, one]) => has(one) && one.refusal === undefined).length,
      refusals: Object.fromEntries(
        live.flatMap(([name, one]) => (one.refusal === undefined ? [] : [[name, one.refusal]])),
      ),
    };
  }

  #heardOrAfter(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, ms);
      this.#waiting.add(settle);
    });
  }

  #live(): [string, Follower][] {
    const since = this.#heardMs - PRESENT_MS;
    for (const [instance, { heardAt }] of this.#followers)
      if (heardAt < since) this.#followers.delete(instance);
    return [...this.#followers];
  }
}
