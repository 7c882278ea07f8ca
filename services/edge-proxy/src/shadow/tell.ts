import { type EdgeShadow, MAX_SHADOW_EXAMPLES, MAX_SHADOW_ROUTES } from '@sluice/contracts';
import type { RouteLedger, ShadowLedger } from './ledger.ts';

/** What an edge tells of its copies: the routes with most differences first, and the newest differences of each. */
export const tellShadow = (
  ledger: ShadowLedger,
  { route, examples }: { readonly route?: string | undefined; readonly examples: number },
): Omit<EdgeShadow, 'instance'> => {
  let left = MAX_SHADOW_EXAMPLES;
  const routes = [...ledger.routes]
    .filter((one) => route === undefined || one.route === route)
    .sort((a, b) => differencesIn(b) - differencesIn(a))
    .slice(0, MAX_SHADOW_ROUTES)
    .map((one) => {
      const told = one.examples.slice(Math.max(0, one.examples.length - Math.min(examples, left))).reverse();
      left -= told.length;
      return toldOf(one, told);
    });
  return { since: ledger.since, routes };
};

const differencesIn = ({ outcomes }: RouteLedger): number => outcomes.get('different') ?? 0;

const countsOf = (counts: ReadonlyMap<string, number>): EdgeShadow['routes'][number]['outcomes'] =>
  [...counts].map(([name, count]) => ({ name, count }));

const toldOf = (
  { route, outcomes, skipped, uncompared }: RouteLedger,
  examples: RouteLedger['examples'],
): EdgeShadow['routes'][number] => ({
  ...{ route, uncompared },
  outcomes: countsOf(outcomes),
  skipped: countsOf(skipped),
  examples: examples.map((one) => ({ ...one, differences: [...one.differences] })),
});
