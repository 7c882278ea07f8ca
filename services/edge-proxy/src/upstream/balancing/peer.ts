import type { Target as TargetEntity } from '@sluice/gateway-config';
import { type Counters, noCounts } from '../health/health-counters.ts';
import { bracketed, type Target } from '../target.ts';

/** One address of one target: what a balancer chooses among, and what it knows about it. */
export interface Peer {
  /** `host:port` as configured. */
  readonly target: string;
  /** Name or address as configured, without brackets: what Host headers and certificates speak of. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  weight: number;
  isHealthy: boolean;
  counters: Counters;
  /** Attempts and answers under way. */
  connections: number;
  /** Moving average of the time to an answer, in ms, and when it was last renewed (`performance.now()`). */
  latencyMs: number | undefined;
  latencyAt: number;
  /** What round-robin owes this peer. */
  credit: number;
  /** Ready-made targets by protocol, for as long as the upstream's Host header stays. */
  readonly made: Map<Target['protocol'], Target>;
}

/** `address:port`, the name under which a peer keeps its health. */
export const addressOf = ({ address, port }: Pick<Peer, 'address' | 'port'>): string =>
  `${bracketed(address)}:${port}`;

export const newPeer = (
  at: Pick<Peer, 'target' | 'host' | 'address' | 'port' | 'weight'> & { latencyMs: number | undefined },
): Peer => ({
  ...at,
  isHealthy: true,
  counters: noCounts(),
  connections: 0,
  latencyAt: 0,
  credit: 0,
  made: new Map(),
});

/** Host and port of a target entity; the port is always written. */
export const splitTarget = ({ target }: Pick<TargetEntity, 'target'>): { host: string; port: number } => {
  const colon = target.lastIndexOf(':');
  return { host: target.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(target.slice(colon + 1)) };
};
