import { expect, test } from 'vitest';
import type { Chance, MakeAlgorithm } from '../../src/upstream/balancing/algorithm.ts';
import { consistentHashing } from '../../src/upstream/balancing/consistent-hashing.ts';
import { latency, noteLatency } from '../../src/upstream/balancing/latency.ts';
import { leastConnections } from '../../src/upstream/balancing/least-connections.ts';
import { newPeer, type Peer } from '../../src/upstream/balancing/peer.ts';
import { roundRobin } from '../../src/upstream/balancing/round-robin.ts';

/** A chance that is the same in every run. */
const seeded = (seed: number): Chance & { clock: number } => {
  let state = seed;
  const chance = {
    clock: 1000,
    random: () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
      return state / 0x80_00_00_00;
    },
    now: () => chance.clock,
  };
  return chance;
};

const peer = (name: string, weight = 100): Peer =>
  newPeer({ target: `${name}:80`, host: name, address: name, port: 80, weight, latencyMs: undefined });

const picks = (
  make: MakeAlgorithm,
  peers: readonly Peer[],
  keys: readonly string[],
  tried: ReadonlySet<Peer> = new Set(),
) => {
  const algorithm = make(peers, { slots: 10_000 }, seeded(7));
  return keys.map((key) => algorithm.pick({ key, tried })?.host);
};
const times = (count: number) => Array.from({ length: count }, (_none, i) => `key-${i}`);
const countOf = (hosts: readonly (string | undefined)[], host: string) =>
  hosts.filter((picked) => picked === host).length;

test('round-robin: weights 5, 1, 1 are kept exactly, and the heavy one never comes more than twice in a row', () => {
  const picked = picks(roundRobin, [peer('a', 5), peer('b', 1), peer('c', 1)], times(70));
  expect(['a', 'b', 'c'].map((host) => countOf(picked, host))).toEqual([50, 10, 10]);
  expect(picked.slice(0, 7).join('')).not.toMatch(/aaaa/);
});

test('round-robin: an unhealthy peer is passed over and has its share again when it recovers', () => {
  const [a, b] = [peer('a'), peer('b')];
  const algorithm = roundRobin([a, b], { slots: 0 }, seeded(1));
  const pick = () => algorithm.pick({ key: '', tried: new Set() })?.host;
  a.isHealthy = false;
  expect([pick(), pick(), pick()]).toEqual(['b', 'b', 'b']);
  a.isHealthy = true;
  expect(countOf(times(10).map(pick), 'a')).toBe(5);
});

test('consistent-hashing: a key stays where it is, and only the keys of a lost peer move', () => {
  const peers = [peer('10.0.0.1'), peer('10.0.0.2'), peer('10.0.0.3')];
  const before = picks(consistentHashing, peers, times(600));
  expect(picks(consistentHashing, [...peers].reverse(), times(600))).toEqual(before);
  for (const { host } of peers) expect(countOf(before, host)).toBeGreaterThan(100);
  (peers[1] as Peer).isHealthy = false;
  const after = picks(consistentHashing, peers, times(600));
  expect(countOf(after, '10.0.0.2')).toBe(0);
  for (const [i, host] of before.entries()) if (host !== '10.0.0.2') expect(after[i]).toBe(host);
});

test('consistent-hashing: a retry of the same key goes to the same peer, tried or not', () => {
  const peers = [peer('10.0.0.1'), peer('10.0.0.2')];
  expect(picks(consistentHashing, peers, ['k'], new Set(peers))).toEqual(
    picks(consistentHashing, peers, ['k']),
  );
});

test('consistent-hashing: a heavier peer gets more of the keys', () => {
  const picked = picks(consistentHashing, [peer('10.0.0.1', 300), peer('10.0.0.2', 100)], times(1000));
  const share = countOf(picked, '10.0.0.1') / 1000;
  expect(share).toBeGreaterThan(0.65);
  expect(share).toBeLessThan(0.85);
});

test('least-connections: the fewest for its weight, and a retry goes elsewhere while there is an elsewhere', () => {
  const [a, b] = [peer('a', 200), peer('b', 100)];
  a.connections = 2; // 3/200
  b.connections = 1; // 2/100
  expect(picks(leastConnections, [a, b], ['', ''])).toEqual(['a', 'a']);
  expect(picks(leastConnections, [a, b], [''], new Set([a]))).toEqual(['b']);
  expect(picks(leastConnections, [a, b], [''], new Set([a, b]))).toEqual(['a']);
  b.isHealthy = false;
  a.isHealthy = false;
  expect(picks(leastConnections, [a, b], [''])).toEqual([undefined]);
});

test('latency: the peer that answers sooner is taken, a peak counts at once and fades', () => {
  const chance = seeded(3);
  const [fast, slow] = [peer('fast'), peer('slow')];
  const algorithm = latency([fast, slow], { slots: 0 }, chance);
  const pick = () => algorithm.pick({ key: '', tried: new Set() })?.host;
  noteLatency(fast, 10, chance);
  noteLatency(slow, 50, chance);
  expect(times(20).map(pick)).toEqual(times(20).map(() => 'fast'));
  noteLatency(fast, 500, chance);
  expect(pick()).toBe('slow');
  chance.clock += 60_000;
  noteLatency(fast, 10, chance);
  noteLatency(slow, 50, chance);
  expect(pick()).toBe('fast');
  expect(algorithm.pick({ key: '', tried: new Set([fast]) })?.host).toBe('slow');
});
