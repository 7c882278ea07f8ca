import { stringify } from 'yaml';
import type { Manifest } from './rendered.ts';

type Policy = Extract<Manifest, { kind: 'NetworkPolicy' }>;
type Rule = {
  readonly to?: readonly unknown[];
  readonly from?: readonly unknown[];
  readonly ports?: readonly unknown[];
};

/** The same text for the same value, whatever the order of its fields. */
const inLine = (value: unknown): string =>
  stringify(value, { sortMapEntries: true, collectionStyle: 'flow', lineWidth: 0 }).trim();

/**
 * What policies allow, one line for each of their peers and ports: which policy says so, and in which company, is no
 * matter to Kubernetes, which adds them all up.
 */
export const allowancesOf = (policies: readonly Policy[]): readonly string[] =>
  [...new Set(policies.flatMap(({ spec }) => [...isolations(spec), ...rulesOf(spec)]))].sort();

const isolations = ({ podSelector, policyTypes }: Policy['spec']): string[] =>
  policyTypes.map((type) => `${type} of ${inLine(podSelector)}: nothing else`);

const rulesOf = ({ podSelector, ingress = [], egress = [] }: Policy['spec']): string[] =>
  [
    ...(ingress as readonly Rule[]).map(({ from, ports }) => ['from', from, ports] as const),
    ...(egress as readonly Rule[]).map(({ to, ports }) => ['to', to, ports] as const),
  ].flatMap(([way, peers = ['anyone'], ports = ['any']]) =>
    peers.flatMap((peer) =>
      ports.map((port) => `${inLine(podSelector)} ${way} ${inLine(peer)} at ${inLine(port)}`),
    ),
  );
