import type { MakeAlgorithm } from './algorithm.ts';
import type { Peer } from './peer.ts';

/**
 * Each peer in proportion to its weight, and none twice in a row where others are due: every turn pays each peer
 * its weight, and the richest pays for the turn. The order is shuffled so that edges do not march in step.
 */
export const roundRobin: MakeAlgorithm = (peers, _upstream, { random }) => {
  const order = shuffled(peers, random);
  return {
    pick: () => {
      let richest: Peer | undefined;
      let total = 0;
      for (const peer of order) {
        if (!peer.isHealthy) continue;
        peer.credit += peer.weight;
        total += peer.weight;
        if (richest === undefined || peer.credit > richest.credit) richest = peer;
      }
      if (richest !== undefined) richest.credit -= total;
      return richest;
    },
  };
};

const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
};
