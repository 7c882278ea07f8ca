import { randomOf } from '../measure/random.ts';
import { sum } from '../measure/statistics.ts';
import { EDGES, SimulatedEdge, type Surroundings } from './edge.ts';
import { Ledger, type Window } from './ledger.ts';
import type { Limiter } from './limiter.ts';
import { LEAD_MS, type Scenario, TOTAL_MS } from './scenarios.ts';
import { promisesSettled, Timeline } from './timeline.ts';

/** So far ahead that no counter of the made-up time expires under the real one. */
const BEGINS_AT = Date.UTC(2096, 1, 29, 12, 0, 0) - LEAD_MS;
const LENGTH_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const MOVES_EVERY_MS = 3000;
const BURST_MS = 5000;
const ZIPF = 1.2;

export interface Outcome {
  readonly windows: readonly Window[];
  readonly requests: number;
  /** Questions to the limiter for each request. */
  readonly askedPerRequest: number;
}

const shares = ({ load }: Scenario): number[] => {
  const weights = Array.from({ length: EDGES }, (_, n) => (load === 'even' ? 1 : 1 / (n + 1) ** ZIPF));
  const all = sum(weights);
  return weights.map((weight) => weight / all);
};

/** Which edge a request meets. */
const pickerOf = (scenario: Scenario, random: () => number): ((sinceMs: number) => number) => {
  const weights = shares(scenario);
  return (sinceMs) => {
    let rest = random();
    let edge = weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
    if (edge < 0) edge = EDGES - 1;
    const moves = scenario.load === 'moving' ? Math.floor(sinceMs / MOVES_EVERY_MS) : 0;
    return (edge + 3 * moves) % EDGES; // 3 and 8 have no common divisor: every edge is the first now and then
  };
};

/** Requests per ms. */
const rateOf = ({ limits: [limit], offered, load }: Scenario, sinceMs: number): number => {
  if (limit === undefined || limit.period === 'month' || limit.period === 'year')
    throw new Error('a scenario needs a limit of a second, a minute, an hour or a day');
  const mean = (offered * limit.limit) / LENGTH_MS[limit.period];
  if (load !== 'bursts') return mean;
  return Math.floor(sinceMs / BURST_MS) % 3 === 2 ? 2.6 * mean : 0.2 * mean;
};

const startLoad = (
  scenario: Scenario,
  { timeline, random }: Surroundings,
  edges: readonly SimulatedEdge[],
) => {
  const begun = timeline.now;
  const pick = pickerOf(scenario, random);
  const next = (): void => {
    const sinceMs = timeline.now - begun;
    timeline.after(-Math.log(1 - random()) / rateOf(scenario, sinceMs), async () => {
      const first = edges[pick(timeline.now - begun)];
      const edge = first?.isAlive === true ? first : edges.find(({ isAlive }) => isAlive);
      edge?.request();
      next();
    });
  };
  next();
};

/** Arranges what goes wrong in the scenario. */
const arrangeTrouble = (
  { failover, outage, killedAt }: Scenario,
  { timeline, limiter, ledger, limits }: Surroundings,
  edges: readonly SimulatedEdge[],
): void => {
  if (failover !== undefined) {
    const { at, missedMs } = failover;
    if (missedMs !== 'all') timeline.after(at - missedMs, () => limiter.partReplica());
    timeline.after(at, async () => {
      const missed = await limiter.failOver();
      for (const { period } of limits) {
        const counters = [...missed].filter(([key]) => key.endsWith(`:${period}`));
        ledger.missed(timeline.now, period, Number(counters.toSorted().at(-1)?.[1] ?? 0));
      }
    });
  }
  if (outage !== undefined) {
    const set = (isAway: boolean) => () => {
      limiter.isAway = isAway;
    };
    timeline.after(outage.at, set(true));
    timeline.after(outage.at + outage.ms, set(false));
  }
  if (killedAt !== undefined) timeline.after(killedAt, () => edges[0]?.kill());
};

/** Lets eight edges live through a scenario. */
export const simulate = async (scenario: Scenario, limiter: Limiter, seed: number): Promise<Outcome> => {
  const { limits, failover, lostReturns = 0, lostGrants = 0 } = scenario;
  await limiter.reset();
  if (failover !== undefined && failover.missedMs !== 'all') await limiter.synchronise();
  const timeline = new Timeline(BEGINS_AT);
  const ledger = new Ledger(limits);
  const random = randomOf(seed);
  const edges: SimulatedEdge[] = [];
  const heldByAll = () => sum(edges.filter(({ isAlive }) => isAlive).map(({ held }) => held));
  const around = { ...{ timeline, limiter, ledger, limits, random, lostReturns, lostGrants }, heldByAll };
  for (let n = 0; n < EDGES; n++) edges.push(new SimulatedEdge(around));
  startLoad(scenario, around, edges);
  arrangeTrouble(scenario, around, edges);
  await timeline.runUntil(BEGINS_AT + (scenario.forMs ?? TOTAL_MS));
  for (const edge of edges) edge.close();
  await promisesSettled();
  const { requests } = ledger;
  return { windows: [...ledger.windows.values()], requests, askedPerRequest: limiter.asked / requests };
};
