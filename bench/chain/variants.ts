import { type ChainName, PATHS } from './configuration.ts';

/** Kinds of load; each is measured by itself, beside its own references. */
export const GROUPS = {
  main: '64 connections, 1 KB',
  light: '8 connections, 1 KB',
  '100k': '16 connections, 100 KB',
  '10m': '4 connections, 10 MB',
} as const;
export type Group = keyof typeof GROUPS;

/** One way to run the gateway, or a peer, under one kind of load. */
export interface Variant {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly connections: number;
  readonly path: string;
  /**
   * Which tokens the requests carry, also those that nobody reads: what is compared gets the same requests. `many` are
   * more than the small cache of its edge holds.
   */
  readonly tokens: 'few' | 'many';
  /** Variants that have the same object here share its process. */
  readonly runs:
    | { readonly peer: PeerName }
    | {
        readonly chain: ChainName;
        /** Settings of the edge, beside what every edge of the bench has. */
        readonly settings: Readonly<Record<string, string>>;
        readonly isTraced: boolean;
        readonly edges: number;
      };
}

export type PeerName = 'nginx' | 'haproxy' | 'http-proxy-3' | '@fastify/http-proxy' | 'fast-gateway';

const CONNECTIONS = 64;
const ITEM = '/abc?limit=10';
const NGINX = 'nginx';
const BARE = 'http-proxy-3';

const peer = (name: PeerName, title: string = name): Variant => ({
  id: name,
  group: 'main',
  title,
  connections: CONNECTIONS,
  path: `${PATHS.full}${ITEM}`,
  tokens: 'few',
  runs: { peer: name },
});

interface Ours {
  readonly chain: ChainName;
  readonly title: string;
  readonly tokens?: Variant['tokens'];
  readonly settings?: Readonly<Record<string, string>>;
  readonly isTraced?: boolean;
  readonly edges?: number;
}

const ours = (id: string, given: Ours): Variant => {
  const { chain, title, settings = {}, isTraced = false, edges = 1 } = given;
  return {
    id,
    group: 'main',
    title,
    connections: CONNECTIONS,
    path: `${PATHS[chain]}${ITEM}`,
    tokens: given.tokens ?? 'few',
    runs: { chain, settings, isTraced, edges },
  };
};

/** Nothing is written down about a request; metrics are. */
const SILENT = { ACCESS_LOG: 'off', DECISION_RING: '0', DECISION_SAMPLE: '0' };
const NO_CACHE = { VERDICT_CACHE_BYTES: '0' };
/** Holds about a hundred verdicts. */
const SMALL_CACHE = { VERDICT_CACHE_BYTES: `${256 * 1024}` };
const NO_LEASES = { LEASES: 'off' };
const HP3 = { FORWARD_ENGINE: 'http-proxy-3' };

const MAIN: readonly Variant[] = [
  peer(NGINX),
  peer('haproxy'),
  peer(BARE, 'http-proxy-3, bare'),
  peer('@fastify/http-proxy'),
  peer('fast-gateway'),
  ours('plain', { chain: 'plain', title: 'plain route', settings: SILENT }),
  ours('plain-told', { chain: 'plain', title: 'plain route, log, records' }),
  ours('observed', { chain: 'observed', title: '+ correlation-id, prometheus', settings: SILENT }),
  ours('jwt', { chain: 'jwt', title: '+ jwt RS256, verdict cached', settings: SILENT }),
  ours('jwt-cold', {
    chain: 'jwt',
    title: '+ jwt RS256, another token each time',
    tokens: 'many',
    settings: { ...SMALL_CACHE, ...SILENT },
  }),
  ours('full', { chain: 'full', title: 'full chain', settings: SILENT }),
  ours('full-told', { chain: 'full', title: 'full chain, log, records' }),
  ours('full-traced', { chain: 'full', title: 'full chain, log, records, traces', isTraced: true }),
  ours('full-hp3', {
    chain: 'full',
    title: 'the same by http-proxy-3',
    settings: HP3,
    isTraced: true,
  }),
  ours('exact', { chain: 'full', title: 'full chain, leases off', settings: NO_LEASES }),
  ours('exact-uncached', {
    chain: 'full',
    title: 'full chain, leases and cache off',
    settings: { ...NO_LEASES, ...NO_CACHE },
  }),
  ours('two-edges', { chain: 'full', title: 'full chain, 2 edges', edges: 2 }),
];

/** A variant of the first group under another load, in the same process. */
const alike = (base: string, group: Group, change: Pick<Variant, 'connections' | 'path'>): Variant => {
  const variant = MAIN.find(({ id }) => id === base);
  if (variant === undefined) throw new Error(`there is no variant ${base}`);
  return { ...variant, ...change, id: `${base}-${group}`, group };
};

const LIGHT = [NGINX, BARE, 'plain', 'full', 'exact'].map((base) => {
  const path = MAIN.find(({ id }) => id === base)?.path ?? ITEM;
  return alike(base, 'light', { connections: 8, path });
});

const large = (group: '100k' | '10m', connections: number): Variant[] => [
  ...[NGINX, BARE].map((base) => alike(base, group, { connections, path: `/${group}` })),
  alike('plain', group, { connections, path: `${PATHS.plain}/${group}` }),
  alike('full', group, { connections, path: `${PATHS.full}/${group}` }),
];

/** Kept connections; a group's variants are measured in turn, one group after the other. */
export const VARIANTS: readonly Variant[] = [...MAIN, ...LIGHT, ...large('100k', 16), ...large('10m', 4)];

/** What every other variant of the group is compared with, in the same round. */
export const referencesOf = (group: Group): { readonly nginx: string; readonly bare: string } => {
  const idOf = (base: string): string => (group === 'main' ? base : `${base}-${group}`);
  return { nginx: idOf(NGINX), bare: idOf(BARE) };
};
