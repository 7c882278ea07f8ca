import type { z } from 'zod';
import type { edgeShadow, ShadowRoute } from './shadow.ts';

/** What one edge tells of its copies. */
export type EdgeShadow = z.output<typeof edgeShadow.reply>;

/** How a route's answers compare, over all edges. */
export interface ShadowView extends Omit<ShadowRoute, 'outcomes' | 'skipped'> {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  /** Copies, answered or not. */
  readonly copies: number;
  readonly equal: number;
  readonly different: number;
  /** Copies without an answer. */
  readonly failed: number;
  /** Of the answers that were compared the share that is equal, 0 to 1; undefined: none was. */
  readonly equalShare: number | undefined;
}

/** One view of what the edges told: the routes with most differences first, so many of their differences. */
export const sumShadow = (edges: readonly EdgeShadow[], examples: number): ShadowView[] => {
  const byRoute = new Map<string, ShadowRoute[]>();
  for (const route of edges.flatMap(({ routes }) => routes))
    byRoute.set(route.route, [...(byRoute.get(route.route) ?? []), route]);
  return [...byRoute]
    .map(([route, parts]) => viewOf(route, parts, examples))
    .sort((a, b) => b.different - a.different || b.failed - a.failed || b.copies - a.copies);
};

const viewOf = (route: string, parts: readonly ShadowRoute[], examples: number): ShadowView => {
  const outcomes = summed(parts.map((part) => part.outcomes));
  const { equal = 0, different = 0 } = outcomes;
  const copies = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return {
    ...{ route, outcomes, copies, equal, different, failed: copies - equal - different },
    skipped: summed(parts.map((part) => part.skipped)),
    uncompared: parts.reduce((sum, part) => sum + part.uncompared, 0),
    equalShare: equal + different === 0 ? undefined : equal / (equal + different),
    examples: parts
      .flatMap((part) => part.examples)
      .sort((a, b) => b.at - a.at)
      .slice(0, examples),
  };
};

const summed = (counts: readonly ShadowRoute['outcomes'][]): Record<string, number> => {
  const sums = new Map<string, number>();
  for (const { name, count } of counts.flat()) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
};
