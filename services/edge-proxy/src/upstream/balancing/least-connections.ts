import type { MakeAlgorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/**
 * The peer with the fewest connections for its weight, `(connections + 1) / weight`. A repeated request avoids
 * peers it was sent to, until there is no other; equals take turns.
 */
export const leastConnections: MakeAlgorithm = (peers) => {
  let turn = 0;
  const leastLoaded = (excluded: ReadonlySet<Peer>): Peer | undefined => {
    let best: Peer | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < peers.length; i++) {
      const peer = peers[(turn + i) % peers.length] as Peer;
      const load = (peer.connections + 1) / peer.weight;
      if (!peer.isHealthy || load >= least || excluded.has(peer)) continue;
      best = peer;
      least = load;
    }
    turn = (turn + 1) % peers.length;
    return best;
  };
  return { pick: ({ tried }) => leastLoaded(tried) ?? (tried.size > 0 ? leastLoaded(new Set()) : undefined) };
};
