import { leaseTerms } from '../../services/edge-proxy/src/decide/lease-terms.ts';
import type { Figures } from './figures.ts';

/** What is assumed and not measured; docs/scale.md says so. */
export const ASSUMED = {
  /** How far a core is loaded: beyond, waiting times grow faster than the load. */
  load: 0.6,
  /** Cores of one server of the bus, of which there are three. */
  natsServers: 3,
  natsCores: 4,
  /** Of three servers two thirds of all questions cross to another one, which handles them again. */
  natsHops: 1 + 2 / 3,
  /** A user's requests in a second, by one token each. */
  perUser: 1,
  /** How long an edge keeps a verdict, in s: VERDICT_CACHE_MAX_MS. */
  verdictSeconds: 60,
  /** A tenant's limit is twice what it asks for. */
  headroom: 2,
  /** An edge that leases gets at least so many requests of the tenant in one life of a lease. */
  perLease: 4,
} as const;

/** So many tenants that ask so much each, in requests a second. */
export interface Tenants {
  readonly count: number;
  readonly rate: number;
}
export type Spread = 'anywhere' | 'pinned' | 'exact';

export interface Load {
  readonly requests: number;
  readonly edges: number;
  /** Checks and leases with their returns, in a second. */
  readonly checks: number;
  readonly leases: number;
  /** Questions to auth, in a second. */
  readonly verifies: number;
  /** Cores that are busy. */
  readonly nats: number;
  readonly redis: number;
  readonly limiters: number;
  readonly auth: number;
  /** What the bus carries, in MB/s. */
  readonly megabytes: number;
}

/** The edges that see a tenant: all, or as few as can carry it. */
const edgesOf = (rate: number, edges: number, spread: Spread, edgeUs: number): number =>
  spread === 'pinned' ? Math.min(edges, Math.max(2, edgesFor(rate, edgeUs))) : edges;

const edgesFor = (rate: number, edgeUs: number): number => Math.ceil((rate * edgeUs) / 1e6 / ASSUMED.load);

interface Asked {
  readonly checks: number;
  readonly leases: number;
  readonly verifies: number;
}

/** What one tenant makes the edges ask in a second. */
const askedBy = (rate: number, edges: number, isExact: boolean): Asked => {
  const { lifeMs, tokensPerLife } = leaseTerms([
    { period: 'minute', limit: Math.max(1, Math.round(rate * 60 * ASSUMED.headroom)) },
  ]);
  const demand = (rate * lifeMs) / 1000 / edges;
  const isLeased = !isExact && tokensPerLife >= ASSUMED.perLease * edges && demand >= ASSUMED.perLease;
  // A user's next request comes to the same edge once in edges / perUser seconds; later than the verdict lives it is asked.
  const missed = 1 / (1 + (ASSUMED.verdictSeconds * ASSUMED.perUser) / edges);
  return {
    checks: isLeased ? 0 : rate,
    leases: isLeased ? edges * (1000 / lifeMs) : 0,
    verifies: rate * missed,
  };
};

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** What a fleet of that many edges is asked, and what that costs. */
const loadWith = (figures: Figures, mix: readonly Tenants[], spread: Spread, edges: number): Load => {
  const edgeUs = spread === 'exact' ? figures.edgeExactUs : figures.edgeLeasedUs;
  const asked = mix.map(({ count, rate }) => {
    const one = askedBy(rate, edgesOf(rate, edges, spread, edgeUs), spread === 'exact');
    return { checks: count * one.checks, leases: count * one.leases, verifies: count * one.verifies };
  });
  const checks = sum(asked.map((one) => one.checks));
  const leases = sum(asked.map((one) => one.leases));
  const verifies = sum(asked.map((one) => one.verifies));
  const requests = sum(mix.map(({ count, rate }) => count * rate));
  const questions = checks + 2 * leases + verifies;
  const edgeCores =
    ((requests - checks) * figures.edgeLeasedUs + checks * figures.edgeExactUs) / 1e6 +
    (verifies * (figures.newTokenUs / 2)) / 1e6; // asking is taken for half of it
  return {
    ...{ requests, checks, leases, verifies },
    edges: Math.max(2, Math.ceil(edgeCores / ASSUMED.load)),
    nats: (questions * figures.natsQuestionUs * ASSUMED.natsHops) / 1e6,
    redis: (checks * figures.redisCheckUs + leases * figures.redisLeaseUs) / 1e6,
    limiters: ((checks + 2 * leases) * figures.limiterUs) / 1e6,
    auth: (verifies * (figures.newTokenUs / 2)) / 1e6,
    megabytes: (questions * figures.questionBytes) / 1e6,
  };
};

/** The load of a mix: how many edges it takes decides what they ask, which decides how many it takes. */
export const loadOf = (figures: Figures, mix: readonly Tenants[], spread: Spread): Load => {
  let load = loadWith(figures, mix, spread, 2);
  for (let round = 0; round < 50; round++) {
    const next = loadWith(figures, mix, spread, load.edges);
    if (next.edges <= load.edges) return loadWith(figures, mix, spread, load.edges);
    load = next;
  }
  return load;
};

/** What one cluster of NATS and one primary of Redis carry of cores. */
export const CARRIED = {
  nats: ASSUMED.natsServers * ASSUMED.natsCores * ASSUMED.load,
  redis: ASSUMED.load,
} as const;

/** Which of the two is at its bound first, and at how many times the load. */
export const breaksFirst = ({ nats, redis }: Load): { what: 'NATS' | 'Redis'; times: number } => {
  const [ofNats, ofRedis] = [CARRIED.nats / nats, CARRIED.redis / redis];
  return ofRedis <= ofNats ? { what: 'Redis', times: ofRedis } : { what: 'NATS', times: ofNats };
};
