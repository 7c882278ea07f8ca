import type { ChangeCounts, ConfigChanges } from '@sluice/contracts';
import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { changeLines, countsText } from '../change-lines.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

interface Generation {
  readonly version: number;
  readonly time: string;
  readonly author: string;
  readonly message: string | null;
  readonly rollbackOf: number | null;
  /** Null: made by a release that did not count. */
  readonly counts: ChangeCounts | null;
}
interface Page {
  readonly data: readonly Generation[];
  readonly live: number;
}

const AUTHOR_WIDTH = 16;
const COUNTS_WIDTH = 14;

/** Lists the versions of the configuration, the newest first. */
export const history = async (
  options: AdminOptions & { limit: number; before?: string },
  io: Surroundings,
): Promise<number> => {
  const before = options.before === undefined ? '' : `&before=${options.before}`;
  const page = await askAdmin<Page>(options, io, `/sluice/history?limit=${options.limit}${before}`);
  if (typeof page === 'number') return page;
  if (options.json) printJson(io.out, page);
  else for (const generation of page.data) printLine(io.out, lineOf(generation, page.live, io));
  return EXIT.ok;
};

/** Shows one version: what it changed, or with `config` all that it was. */
export const show = async (
  version: string,
  options: AdminOptions & { config?: boolean },
  io: Surroundings,
): Promise<number> => {
  if (options.config === true) {
    const whole = await askAdmin<{ config: string }>(options, io, `/sluice/history/${version}/config`);
    if (typeof whole === 'number') return whole;
    if (options.json) printJson(io.out, whole);
    else io.out.write(whole.config);
    return EXIT.ok;
  }
  const told = await askAdmin<Generation & ConfigChanges>(options, io, `/sluice/history/${version}`);
  if (typeof told === 'number') return told;
  if (options.json) printJson(io.out, told);
  else for (const line of [lineOf(told, undefined, io), ...changeLines(told, io)]) printLine(io.out, line);
  return EXIT.ok;
};

const lineOf = (generation: Generation, live: number | undefined, io: Surroundings): string => {
  const { version, time, author, message, rollbackOf, counts } = generation;
  const name = `r${version}`.padEnd(6);
  const cells = [
    version === live ? paint(io.out, 'green', name) : name,
    time.slice(0, 19).replace('T', ' '),
    printable(author).padEnd(AUTHOR_WIDTH),
    (counts === null ? '' : countsText(counts)).padEnd(COUNTS_WIDTH),
    [rollbackOf === null ? '' : `(back to r${rollbackOf})`, printable(message ?? '')]
      .filter(Boolean)
      .join(' '),
  ];
  return cells.join('  ').trimEnd();
};
