import { bracketed } from '../target.ts';
import type { MakeAlgorithm } from './algorithm.ts';
import { addressOf, type Peer } from './peer.ts';
import { xxHash32 } from './xxhash32.ts';

/** Points a peer has on the ring when all weights are equal. */
const POINTS_PER_TARGET = 160;
const MIN_SLOTS = 1000;

/** The occupied slots of a ring in rising order, and who stands in each. */
interface Ring {
  readonly size: number;
  readonly slots: readonly number[];
  readonly peers: readonly Peer[];
}

/**
 * Kong's ring (kong-compat 2.3), so that a fleet that moves from one to the other keeps its keys where they are:
 * a key goes to the next occupied slot at or below its own whose peer is healthy.
 */
export const consistentHashing: MakeAlgorithm = (peers, { slots }) => {
  const ring = buildRing(peers, Math.max(slots, MIN_SLOTS));
  return { pick: ({ key }) => walkDown(ring, xxHash32(key) % ring.size) };
};

const buildRing = (peers: readonly Peer[], size: number): Ring => {
  const owners = new Map<number, Peer>();
  const totalWeight = peers.reduce((sum, peer) => sum + peer.weight, 0);
  const targets = new Set(peers.map((peer) => peer.target)).size;
  for (const peer of [...peers].sort(byNameAndAddress)) {
    let points = Math.max(1, Math.floor((peer.weight / totalWeight) * targets * POINTS_PER_TARGET));
    const name = `${bracketed(peer.address)}::${peer.port}`; // two colons: Kong joins address and ":port" by one
    for (let i = 1; i <= points && i <= size; i++) {
      const slot = xxHash32(`${name} ${i}`) % size;
      if (owners.has(slot)) points += 1;
      else owners.set(slot, peer);
    }
  }
  const slots = [...owners.keys()].sort((a, b) => a - b);
  return { size, slots, peers: slots.map((slot) => owners.get(slot) as Peer) };
};

/** Kong's order, which decides who gets a slot that two peers hash to. */
const byNameAndAddress = (a: Peer, b: Peer): number =>
  compare(a.host, b.host) || portOf(a) - portOf(b) || compare(addressOf(a), addressOf(b));
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const portOf = ({ target }: Peer): number => Number(target.slice(target.lastIndexOf(':') + 1));

const walkDown = ({ slots, peers }: Ring, start: number): Peer | undefined => {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle] as number) <= start) low = middle + 1;
    else high = middle;
  }
  for (let step = 1; step <= slots.length; step++) {
    const peer = peers[(low - step + slots.length) % slots.length];
    if (peer?.isHealthy === true) return peer;
  }
  return undefined;
};
