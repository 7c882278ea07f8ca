import { type AdminOptions, askAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, type Surroundings } from '../surroundings.ts';

export interface Stretch {
  readonly name: string;
  readonly fromUs: number;
  readonly us: number;
}

/** What `GET /explain/{id}` answers, as far as it is shown. */
interface Explanation {
  readonly requestId: string;
  readonly headline: string;
  readonly cause: string;
  readonly decidedBy: { readonly kind: string; readonly name: string; readonly id?: string };
  readonly number?: { readonly name: string; readonly value: number; readonly limit?: number };
  readonly because: readonly string[];
  readonly change: readonly string[];
  readonly waterfall: readonly Stretch[];
  readonly record: { readonly status: number; readonly timing: { readonly totalUs: number } };
}

const BAR_CELLS = 40;

/** Says why a request ended as it did. */
export const explain = async (id: string, options: AdminOptions, io: Surroundings): Promise<number> => {
  const told = await askAdmin<Explanation>(options, io, `/explain/${encodeURIComponent(id)}`);
  if (typeof told === 'number') return told;
  if (options.json) printJson(io.out, told);
  else for (const line of linesOf(told, io)) printLine(io.out, line);
  return EXIT.ok;
};

const linesOf = (told: Explanation, io: Surroundings): string[] => {
  const { decidedBy, number, record } = told;
  const tone = record.status < 400 ? 'green' : 'red';
  const of = number?.limit === undefined ? '' : ` of ${number.limit}`;
  return [
    paint(io.out, ['bold', tone], printable(told.headline)),
    '',
    `  cause       ${told.cause}`,
    `  decided by  ${decidedBy.kind} ${printable(decidedBy.name)}${decidedBy.id === undefined ? '' : ` (${decidedBy.id})`}`,
    ...(number === undefined ? [] : [`  number      ${number.name} ${number.value}${of}`]),
    '',
    ...told.because.map((line) => `  ${printable(line)}`),
    ...(told.change.length === 0 ? [] : ['', paint(io.out, 'bold', 'What can be done')]),
    ...told.change.map((line) => `  → ${printable(line)}`),
    '',
    paint(io.out, 'bold', `Where ${milliseconds(record.timing.totalUs)} went`),
    ...told.waterfall.map((stretch) => `  ${barOf(stretch, record.timing.totalUs)}`),
  ];
};

/** A client chose paths and names: none of it may steer the terminal. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '·');

/** A duration for people. */
export const milliseconds = (us: number): string => `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)} ms`;

/** One line of a waterfall, in the terminal's cells. */
export const barOf = ({ name, fromUs, us }: Stretch, totalUs: number): string => {
  const cells = (part: number) => Math.round((part / Math.max(1, totalUs)) * BAR_CELLS);
  const before = Math.min(BAR_CELLS - 1, cells(fromUs));
  const length = Math.min(BAR_CELLS - before, Math.max(1, cells(us)));
  const bar = `${' '.repeat(before)}${'█'.repeat(length)}`.padEnd(BAR_CELLS);
  return `${bar}  ${milliseconds(us).padStart(10)}  ${printable(name)}`;
};
