import type { Figure } from '../report/figures.ts';
import type { Row } from '../report/summary.ts';

/** What a variant may cost (DESIGN.md section 10 and section 6.2 of its study), as a ratio or in ms. */
interface Budget {
  readonly variant: string;
  readonly what: string;
  readonly unit: string;
  /** `other`: the variant that `beside` names; NaN figures when it was not measured. */
  readonly of: (row: Row, other: Row) => number;
  readonly beside?: string;
  readonly demand: number;
  readonly stretch?: number;
}

const BARE = 'http-proxy-3';
const X_BARE = '× bare';
const sum = ({ toBare }: Row): number => toBare;
const addedP50 = (row: Row, other: Row): number => row.p50Ms - other.p50Ms;

const BUDGETS: readonly Budget[] = [
  { variant: 'plain', what: 'plain route', unit: X_BARE, of: sum, demand: 0.65, stretch: 0.55 },
  { variant: 'plain', what: 'plain route', unit: '× nginx', of: ({ toNginx }) => toNginx, demand: 3 },
  { variant: 'full', what: 'full chain', unit: X_BARE, of: sum, demand: 0.8, stretch: 0.7 },
  {
    ...{ variant: 'full', what: 'full chain, all but the edge', unit: X_BARE },
    ...{ of: ({ othersToBare }) => othersToBare, demand: 0.05, stretch: 0.02 },
  },
  {
    ...{ variant: 'full', what: 'full chain, p50', unit: X_BARE, beside: BARE },
    ...{ of: (row, other) => row.p50Ms / other.p50Ms, demand: 1 },
  },
  {
    ...{ variant: 'full', what: 'full chain, p99', unit: X_BARE, beside: BARE },
    ...{ of: (row, other) => row.p99Ms / other.p99Ms, demand: 1.6 },
  },
  {
    ...{ variant: 'full-traced', what: 'full chain, log, records, traces', unit: X_BARE },
    ...{ of: sum, demand: 0.95, stretch: 0.8 },
  },
  {
    ...{ variant: 'full-traced', what: 'full chain, log, records, traces', unit: '× nginx' },
    ...{ of: ({ toNginx }) => toNginx, demand: 4.7 },
  },
  {
    ...{ variant: 'full-hp3', what: 'the same by http-proxy-3', unit: X_BARE },
    ...{ of: sum, demand: 1.6, stretch: 1.35 },
  },
  {
    ...{ variant: 'exact', what: 'exact limits, the edge', unit: X_BARE },
    ...{ of: ({ edgeToBare }) => edgeToBare, demand: 1.4, stretch: 1.2 },
  },
  {
    ...{ variant: 'exact', what: 'exact limits, the others', unit: X_BARE },
    ...{ of: ({ othersToBare }) => othersToBare, demand: 0.5, stretch: 0.4 },
  },
  {
    ...{
      variant: 'full-light',
      what: 'p50 added by the full chain, leases',
      unit: 'ms',
      beside: 'plain-light',
    },
    ...{ of: addedP50, demand: 0.15 },
  },
  {
    ...{
      variant: 'exact-light',
      what: 'p50 added by the full chain, exact',
      unit: 'ms',
      beside: 'plain-light',
    },
    ...{ of: addedP50, demand: 1.2 },
  },
];

/** The budgets of the variants that were measured. */
export const chainFigures = (rows: readonly Row[]): Figure[] =>
  BUDGETS.flatMap(({ variant, what, unit, of, beside, demand, stretch }) => {
    const row = rows.find(({ id }) => id === variant);
    const other = rows.find(({ id }) => id === (beside ?? variant));
    if (row === undefined || other === undefined) return [];
    const figure = { what, unit, measured: of(row, other), is: 'at most', demand } as const;
    return [stretch === undefined ? figure : { ...figure, stretch }];
  });
