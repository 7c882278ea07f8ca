import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROUPS, type Group } from '../chain/variants.ts';
import { FIGURE_HEAD, figureCells } from './figures.ts';
import { type ChainResult, surroundingsText } from './page.ts';
import type { Row } from './summary.ts';
import { fixed } from './table.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');

const HEAD = ['', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs', '±', 'RSS MB', '× nginx', '× bare'] as const;

const cellsOf = (row: Row): string[] => [
  row.title,
  fixed(row.perSecond, 0),
  fixed(row.p50Ms, 2),
  fixed(row.p99Ms, 2),
  fixed(row.cpu, 1),
  fixed(row.cpuHalfRange, 1),
  fixed(row.rssMb, 0),
  fixed(row.toNginx, 2),
  fixed(row.toBare, 2),
];

/** A table of Markdown, its columns aligned: the first to the left, the others to the right. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((cell, at) => Math.max(3, cell.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, at) => {
      const cell = cells[at] ?? '';
      return at === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
};

/** Puts the section between the marks of that name. @throws Error when they are not there */
export const between = (text: string, section: string, name = 'chain'): string => {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no marks ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${section}\n\n${text.slice(to)}`;
};

/** Writes the chain's tables into docs/performance.md. */
export const writeDocs = ({ on, rounds, seconds, rows, figures }: ChainResult): void => {
  const tables = (Object.keys(GROUPS) as Group[]).flatMap((group) => {
    const ofGroup = rows.filter((row) => row.group === group);
    return ofGroup.length === 0 ? [] : [`${GROUPS[group]}:\n\n${markdownTable(HEAD, ofGroup.map(cellsOf))}`];
  });
  const section = [
    `Medians of ${rounds} rounds of ${seconds} s. ${surroundingsText(on)}.`,
    ...tables,
    markdownTable(FIGURE_HEAD, figures.map(figureCells)),
  ].join('\n\n');
  writeFileSync(FILE, between(readFileSync(FILE, 'utf8'), section));
};
