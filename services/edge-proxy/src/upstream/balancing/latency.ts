import type { Chance, MakeAlgorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/** After this long an old figure counts for a third. */
const DECAY_MS = 10_000;

/**
 * Peak EWMA: of two peers taken at random the one that answers sooner for its weight. Two are enough to keep away
 * from a slow peer, and keep all edges from running to the same fast one. A repeated request avoids peers it was
 * sent to, until there is no other.
 */
export const latency: MakeAlgorithm = (peers, _upstream, chance) => {
  const pickFrom = (candidates: readonly Peer[]): Peer | undefined => {
    const first = Math.floor(chance.random() * candidates.length);
    if (candidates.length < 2) return candidates[first];
    const step = 1 + Math.floor(chance.random() * (candidates.length - 1));
    const pair = [candidates[first] as Peer, candidates[(first + step) % candidates.length] as Peer] as const;
    const now = chance.now();
    return scoreOf(pair[1], now) < scoreOf(pair[0], now) ? pair[1] : pair[0];
  };
  return {
    pick: ({ tried }) => {
      const healthy = peers.filter((peer) => peer.isHealthy);
      const untried = tried.size === 0 ? healthy : healthy.filter((peer) => !tried.has(peer));
      return pickFrom(untried.length > 0 ? untried : healthy);
    },
  };
};

const scoreOf = (peer: Peer, now: number): number =>
  ((peer.latencyMs ?? 0) * Math.exp(-(now - peer.latencyAt) / DECAY_MS)) / peer.weight;

/** Notes how long a peer took to answer. A worse figure counts at once, a better one by and by. */
export const noteLatency = (peer: Peer, tookMs: number, chance: Chance): void => {
  const at = chance.now();
  const share = Math.exp(-(at - peer.latencyAt) / DECAY_MS);
  const averaged = peer.latencyMs === undefined ? tookMs : peer.latencyMs * share + tookMs * (1 - share);
  peer.latencyMs = Math.max(averaged, tookMs);
  peer.latencyAt = at;
};
