import { randomOf } from '../../bench/measure/random.ts';

const LINK_FAULTS = ['partition', 'refuse', 'delay', 'reset', 'garbage', 'throttle'] as const;
const SERVER_FAULTS = ['kill', 'stop', 'restart'] as const;

/** What can be hurt, and how. Links are fault proxies before a server. */
export const PARTS = {
  nats: SERVER_FAULTS,
  redis: SERVER_FAULTS,
  'quota-mirror-1': SERVER_FAULTS,
  'quota-mirror-2': SERVER_FAULTS,
  'config-registry': SERVER_FAULTS,
  'edge-1': SERVER_FAULTS,
  'edge-2': SERVER_FAULTS,
  'link mirrors-nats': LINK_FAULTS,
  'link mirrors-redis': LINK_FAULTS,
  'link config-nats': LINK_FAULTS,
  auth: SERVER_FAULTS,
  ratelimit: SERVER_FAULTS,
  'link decisions-nats': LINK_FAULTS,
  'link limits-redis': LINK_FAULTS,
  'link issuer': LINK_FAULTS,
  'link upstream-1': LINK_FAULTS,
  'link upstream-2': LINK_FAULTS,
} as const satisfies Record<string, readonly string[]>;
export type Part = keyof typeof PARTS;
export type Fault = (typeof LINK_FAULTS)[number] | (typeof SERVER_FAULTS)[number];

export interface Planned {
  readonly part: Part;
  readonly fault: Fault;
  /** After the round began. */
  readonly atMs: number;
  readonly forMs: number;
}

const FAULTS_OF_A_ROUND = 6;
const LATEST_START_MS = 1200;
const SHORTEST_MS = 150;
const LONGEST_MS = 1500;

/** A round of a seed: the same whenever it is asked for, whatever ran before it. */
export const roundOf = (seed: number, round: number): readonly Planned[] => {
  const random = randomOf(seed * 1_000_003 + round);
  const below = (count: number) => Math.floor(random() * count);
  const parts = Object.keys(PARTS) as Part[];
  const planned = Array.from({ length: FAULTS_OF_A_ROUND }, (): Planned => {
    const [part = 'nats'] = parts.splice(below(parts.length), 1);
    const faults: readonly Fault[] = PARTS[part];
    return {
      part,
      fault: faults[below(faults.length)] ?? 'kill',
      atMs: below(LATEST_START_MS),
      forMs: SHORTEST_MS + below(LONGEST_MS - SHORTEST_MS),
    };
  });
  return planned.toSorted((a, b) => a.atMs - b.atMs);
};

export const describePlan = (plan: readonly Planned[]): string =>
  plan.map(({ part, fault, atMs, forMs }) => `${atMs} ms ${part} ${fault} ${forMs} ms`).join(' · ');
