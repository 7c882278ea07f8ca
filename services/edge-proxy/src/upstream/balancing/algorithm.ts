import type { Upstream } from '@sluice/gateway-config';
import type { Peer } from './peer.ts';

/** What a choice may depend on. */
export interface PickOptions {
  /** What consistent hashing hashes; empty for the others. */
  readonly key: string;
  /** Peers this request has already been sent to. */
  readonly tried: ReadonlySet<Peer>;
}

/** Chooses among peers of weight above 0; made anew when these change, not when their health does. */
export interface Algorithm {
  pick(options: PickOptions): Peer | undefined;
}

/** Chance and time, given from outside so that choices can be repeated. */
export interface Chance {
  /** As `Math.random`. */
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export type MakeAlgorithm = (
  peers: readonly Peer[],
  upstream: Pick<Upstream, 'slots'>,
  chance: Chance,
) => Algorithm;
