import { fixed, tableText } from './table.ts';

/** One figure and what it has to be. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  readonly is: 'at most' | 'at least';
  readonly demand: number;
  readonly stretch?: number;
}

/** A figure that was not measured (NaN) meets nothing. */
export const isMet = ({ measured, is, demand }: Figure): boolean =>
  is === 'at most' ? measured <= demand : measured >= demand;

/** Three digits that count, no more: 0.527, 12.3, 61400. */
export const figureText = (value: number): string => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return fixed(value, digits);
};

const SIGNS = { 'at most': '≤', 'at least': '≥' } as const;

/** Figures beside what is demanded of them, as cells of a table. */
export const figureCells = (figure: Figure): string[] => [
  figure.what,
  figure.unit,
  figureText(figure.measured),
  `${SIGNS[figure.is]} ${figureText(figure.demand)}`,
  figure.stretch === undefined ? '' : figureText(figure.stretch),
  isMet(figure) ? 'pass' : 'over',
];

export const FIGURE_HEAD = ['budget', 'in', 'measured', 'demand', 'stretch', ''] as const;

export const figuresText = (figures: readonly Figure[]): string =>
  tableText(FIGURE_HEAD, figures.map(figureCells));
