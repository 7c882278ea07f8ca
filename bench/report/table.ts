import type { Row } from './summary.ts';

/** Columns of text, the first flush left, the others flush right. */
export const tableText = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, at) => (at === 0 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width)))
      .join('  ');
  return [head, ...rows].map(line).join('\n');
};

export const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';

const behind = ({ cpuByProcess }: Row, name: string): string => {
  const value = cpuByProcess[name];
  return value === undefined ? '' : fixed(value, 1);
};

/** The columns of the chain's tables. */
export const ROW_HEAD = [
  ...['', 'req/s', 'MB/s', 'p50 ms', 'p99 ms', 'CPU µs', '±', 'edge', 'nats', 'auth', 'rl', 'redis'],
  ...['RSS MB', '× nginx', '× bare', 'failed', 'foreign'],
] as const;

export const rowCells = (row: Row): string[] => [
  row.title,
  fixed(row.perSecond, 0),
  fixed(row.mbPerSecond, 0),
  fixed(row.p50Ms, 2),
  fixed(row.p99Ms, 2),
  fixed(row.cpu, 1),
  fixed(row.cpuHalfRange, 1),
  ...['edge', 'nats', 'auth', 'ratelimit', 'redis'].map((name) => behind(row, name)),
  fixed(row.rssMb, 0),
  fixed(row.toNginx, 2),
  fixed(row.toBare, 2),
  `${row.failures}`,
  `${fixed(row.foreign * 100, 0)} %`,
];

/** The rows of the chain as a table for the terminal. */
export const rowsText = (rows: readonly Row[]): string => tableText(ROW_HEAD, rows.map(rowCells));
