import { GROUPS, type Group } from '../chain/variants.ts';
import { FIGURE_HEAD, type Figure, figureCells, isMet } from './figures.ts';
import type { Surroundings } from './save.ts';
import type { Row } from './summary.ts';
import { barChart, COLOURS, escaped, lineChart } from './svg.ts';
import { fixed, ROW_HEAD, rowCells } from './table.ts';

/** What a run of the chain came to. */
export interface ChainResult {
  readonly on: Surroundings;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
}

const PROCESSES = ['edge', 'nats', 'auth', 'ratelimit', 'redis', 'quota-mirror', 'registry'] as const;

const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .5rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.over { color: #a40000; font-weight: bold; }
figure { margin: 1.5rem 0; overflow-x: auto; }
figcaption { font-weight: bold; margin-bottom: .4rem; }
svg text { font-size: 12px; fill: #222; }
svg .note { fill: #555; }
svg .mark { stroke: #a40000; stroke-width: 2; stroke-dasharray: 3 2; fill: none; }
svg .axis { stroke: #888; fill: none; }
.key span { display: inline-block; margin-right: 1rem; }
.key i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
@media (prefers-color-scheme: dark) {
  body { background: #1d1f21; color: #ddd; }
  th, td { border-color: #444; }
  svg text { fill: #ddd; } svg .note { fill: #aaa; }
  .over { color: #ff7b72; }
}`;

const tableHtml = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}${cell === 'over' ? ' class="over"' : ''}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${cells('th', head)}\n${rows.map((row) => cells('td', row)).join('\n')}</table>`;
};

/** Budgets as a table; those that are not met stand out. */
export const figuresHtml = (figures: readonly Figure[]): string =>
  tableHtml(FIGURE_HEAD, figures.map(figureCells));

/** What a result was measured on, as a line. */
export const surroundingsText = (on: Surroundings): string =>
  [
    on.at.slice(0, 16).replace('T', ' '),
    `commit ${on.commit}`,
    `${on.cpu}, ${on.cores} cores, ${on.memoryGib} GiB`,
    on.system,
    `Node ${on.node.slice(1)}, nats-server ${on.nats}, Redis ${on.redis}, processes from ${on.processes}`,
  ].join(' · ');

/** A page that needs nothing else. */
const page = (title: string, on: Surroundings, body: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${STYLE}</style>
<h1>${escaped(title)}</h1>
<p>${escaped(surroundingsText(on))}</p>
${body}
</html>
`;

const key = PROCESSES.map(
  (name, n) => `<span><i style="background:${COLOURS[n % COLOURS.length]}"></i>${name}</span>`,
).join('');

const cpuChart = (rows: readonly Row[]): string =>
  barChart(
    'CPU µs for a request, by process',
    rows.map((row) => {
      const known = PROCESSES.map((name) => row.cpuByProcess[name] ?? 0);
      const isOurs = row.cpuByProcess.edge !== undefined;
      const note = `${fixed(row.cpu, 1)} ± ${fixed(row.cpuHalfRange, 1)}, ${fixed(row.toBare, 2)} × bare`;
      return { label: row.title, parts: isOurs ? known : [0, 0, 0, 0, 0, row.cpu], note };
    }),
  );

const simpleChart = (title: string, rows: readonly Row[], of: (row: Row) => number, digits: number): string =>
  barChart(
    title,
    rows.map((row) => ({ label: row.title, parts: [of(row)], note: fixed(of(row), digits) })),
  );

const groupHtml = (group: Group, rows: readonly Row[]): string => `<h2>${escaped(GROUPS[group])}</h2>
<p class="key">${key} <span>grey without a process: another gateway</span></p>
${cpuChart(rows)}
${simpleChart('Requests per second', rows, ({ perSecond }) => perSecond, 0)}
${simpleChart('p50, ms', rows, ({ p50Ms }) => p50Ms, 2)}
${simpleChart('p99, ms', rows, ({ p99Ms }) => p99Ms, 2)}
${simpleChart('Resident memory of the gateway, MB', rows, ({ rssMb }) => rssMb, 0)}
${tableHtml(ROW_HEAD, rows.map(rowCells))}`;

const budgetChart = (figures: readonly Figure[]): string =>
  barChart(
    'Budgets: measured, as a share of what is demanded (the mark)',
    figures.map((figure) => ({
      label: `${figure.what}, ${figure.unit}`,
      parts: [figure.measured / figure.demand],
      note: `${fixed(figure.measured, 2)} of ${fixed(figure.demand, 2)}${isMet(figure) ? '' : ' – over'}`,
      mark: 1,
    })),
  );

/** The chain's result to look at. */
export const chainPage = ({ on, rounds, seconds, rows, figures }: ChainResult): string => {
  const groups = (Object.keys(GROUPS) as Group[]).map(
    (group) => [group, rows.filter((row) => row.group === group)] as const,
  );
  return page(
    'What a request costs',
    on,
    `<p>Medians of ${rounds} rounds of ${seconds} s; ± is half the range of the rounds.</p>
${budgetChart(figures)}
${figuresHtml(figures)}
${groups.flatMap(([group, ofGroup]) => (ofGroup.length === 0 ? [] : groupHtml(group, ofGroup))).join('\n')}`,
  );
};

/** The memory of an edge over time, with its limit. */
export const memoryPage = (
  on: Surroundings,
  {
    points,
    limitMb,
    figures,
  }: {
    readonly points: readonly { readonly x: number; readonly y: number }[];
    readonly limitMb: number;
    readonly figures: readonly Figure[];
  },
): string => {
  const last = points.at(-1);
  const range = `0 to ${fixed(last?.x ?? 0, 0)} s, up to ${fixed(Math.max(...points.map(({ y }) => y)), 0)} MB`;
  return page(
    'Memory of an edge',
    on,
    `${lineChart(`Resident memory over time (${range}); the mark is ${limitMb} MB`, points, limitMb)}
${figuresHtml(figures)}`,
  );
};
