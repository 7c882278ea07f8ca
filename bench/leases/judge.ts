import { leaseTerms } from '../../services/edge-proxy/src/decide/lease-terms.ts';
import type { Figure } from '../report/figures.ts';
import type { Window } from './ledger.ts';
import type { Scenario } from './scenarios.ts';
import type { Outcome } from './simulate.ts';

/** Of a limit that is wanted in full, what has to be admitted (DESIGN.md section 10, through section 6.2 of its study). */
const ADMITTED_SHARE = 0.97;
/** Of all requests, refused while tokens are left at other edges (DESIGN.md section 8). */
const EARLY_SHARE = 0.011;
/** An edge keeps a refusal for so long, in ms. */
const REFUSAL_MS = 250;

/** What a scenario came to over all seeds: the worst of each. */
export interface Summary {
  readonly name: string;
  readonly requests: number;
  readonly askedPerRequest: number;
  /** Admitted beyond the limit in one window, and how much of it is stated for the trouble of the scenario. */
  readonly over: number;
  readonly overStated: number;
  /** Not admitted of a limit that was wanted in full; and what trouble had taken from that window. */
  readonly under: number;
  readonly underStated: number;
  readonly earlyShare: number;
  readonly earlyMs: number;
  readonly earlyMsStated: number;
  /** Tokens at edges while somebody was refused. */
  readonly stranded: number;
}

/** Beyond the limit is what the new server did not know of, and what edges admit alone: one more limit at most. */
const overStatedOf = ({ missed, alone, limit }: Window): number => missed + Math.min(alone, limit);

const overOf = ({ admitted, limit }: Window): number => admitted - limit;

const underOf = ({ offered, admitted, limit }: Window): number => (offered < limit ? 0 : limit - admitted);

const underStatedOf = ({ limit, lost }: Window): number => lost + Math.floor(limit * (1 - ADMITTED_SHARE));

/** The window with the largest figure; of those that break what is stated, if there are any. */
const worst = (
  windows: readonly Window[],
  of: (window: Window) => number,
  statedOf: (window: Window) => number,
): Window | undefined => {
  const broken = windows.filter((window) => of(window) > statedOf(window));
  return (broken.length > 0 ? broken : windows).toSorted((a, b) => of(b) - of(a))[0];
};

export const summariseOutcomes = ({ name, limits }: Scenario, outcomes: readonly Outcome[]): Summary => {
  const windows = outcomes.flatMap((outcome) => outcome.windows);
  const over = worst(windows, overOf, overStatedOf);
  const under = worst(windows, underOf, underStatedOf);
  const early = outcomes.map(
    (outcome) => outcome.windows.reduce((all, one) => all + one.early, 0) / outcome.requests,
  );
  return {
    name,
    requests: outcomes.reduce((all, { requests }) => all + requests, 0),
    askedPerRequest: Math.max(...outcomes.map(({ askedPerRequest }) => askedPerRequest)),
    over: over === undefined ? 0 : Math.max(0, overOf(over)),
    overStated: over === undefined ? 0 : overStatedOf(over),
    under: under === undefined ? 0 : Math.max(0, underOf(under)),
    underStated: under === undefined ? 0 : underStatedOf(under),
    earlyShare: Math.max(...early),
    earlyMs: Math.max(0, ...windows.map(({ longestEarlyMs }) => longestEarlyMs)),
    earlyMsStated: leaseTerms(limits).lifeMs + REFUSAL_MS,
    stranded: Math.max(0, ...windows.map(({ stranded }) => stranded)),
  };
};

const figure = (what: string, unit: string, measured: number, demand: number): Figure => ({
  ...{ what, unit, measured, is: 'at most', demand },
});

/** What is promised (docs/adr/0011 and 0012), beside what came of it. */
export const boundsOf = (summary: Summary): Figure[] => {
  const { name, over, overStated, under, underStated, earlyMs, earlyMsStated } = summary;
  return [
    figure(`${name}: over`, 'requests', over, overStated),
    figure(`${name}: under`, 'requests', under, underStated),
    figure(`${name}: refused early for`, 'ms', earlyMs, earlyMsStated),
  ];
};

/** How much of it there should be: an aim, because it depends on the load. */
export const budgetOf = ({ name, earlyShare }: Summary): Figure =>
  figure(`${name}: refused early`, '% of requests', earlyShare * 100, EARLY_SHARE * 100);
