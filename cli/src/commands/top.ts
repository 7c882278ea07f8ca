import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface TopOptions extends AdminOptions {
  readonly seconds: number;
  readonly once?: boolean;
}

interface Share {
  readonly name: string;
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p99Us: number;
}
interface Traffic {
  readonly instance: string;
  readonly spanMs: number;
  readonly total: Share;
  readonly tenants: readonly Share[];
  readonly routes: readonly Share[];
  readonly refusals: readonly { readonly code: string; readonly count: number }[];
}
interface Answer {
  readonly data: readonly Traffic[];
  readonly edges: { readonly live: number; readonly answered: number };
}

/** One line of the view: per second, over all edges. */
interface Row {
  readonly name: string;
  readonly perSecond: number;
  readonly refusedPerSecond: number;
  readonly failedPerSecond: number;
  /** Of the edges' own figures: the mean by requests, and the largest. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}
interface View {
  readonly edges: Answer['edges'];
  readonly total: Row;
  readonly tenants: readonly Row[];
  readonly routes: readonly Row[];
  readonly refusals: readonly { readonly code: string; readonly perSecond: number }[];
}

const ROWS = 10;
const LOOK_EVERY_MS = 1000;
const HOME_AND_CLEAR = '\u001B[H\u001B[2J';

/** Who uses the gateway now: tenants, routes, refusals, latency. With --json or --once one view and no more. */
export const top = async (options: TopOptions, io: Surroundings): Promise<number> => {
  const path = `/traffic?seconds=${options.seconds}&top=100`;
  for (;;) {
    const answer = await readAdmin<Answer>(options, io, path);
    if (!answer.ok) return refuse(io, answer.exitCode, answer.why, options);
    const view = viewOf(answer.value);
    if (options.json) printJson(io.out, view);
    else {
      if (options.once !== true) io.out.write(HOME_AND_CLEAR);
      for (const line of linesOf(view, options.seconds, io)) printLine(io.out, line);
    }
    if (options.once === true || options.json === true) return EXIT.ok;
    await sleep(LOOK_EVERY_MS);
  }
};

const viewOf = ({ data, edges }: Answer): View => ({
  edges,
  total: rowsOf(data, ({ total }) => [total])[0] ?? rowOf('all', []),
  tenants: rowsOf(data, ({ tenants }) => tenants).slice(0, ROWS),
  routes: rowsOf(data, ({ routes }) => routes).slice(0, ROWS),
  refusals: refusalsOf(data),
});

type Part = { readonly share: Share; readonly spanMs: number };

const rowsOf = (data: readonly Traffic[], sharesOf: (traffic: Traffic) => readonly Share[]): Row[] => {
  const byName = new Map<string, Part[]>();
  for (const traffic of data)
    for (const share of sharesOf(traffic)) {
      const parts = byName.get(share.name) ?? [];
      parts.push({ share, spanMs: traffic.spanMs });
      byName.set(share.name, parts);
    }
  return [...byName].map(([name, parts]) => rowOf(name, parts)).sort((a, b) => b.perSecond - a.perSecond);
};

const rowOf = (name: string, parts: readonly Part[]): Row => {
  const rate = (count: (share: Share) => number): number =>
    parts.reduce((sum, { share, spanMs }) => sum + (count(share) * 1000) / spanMs, 0);
  const requests = parts.reduce((sum, { share }) => sum + share.requests, 0);
  const weighted = parts.reduce((sum, { share }) => sum + share.p50Us * share.requests, 0);
  return {
    name,
    perSecond: rate((share) => share.requests),
    refusedPerSecond: rate((share) => share.refused),
    failedPerSecond: rate((share) => share.failed),
    p50Ms: requests === 0 ? 0 : weighted / requests / 1000,
    p99Ms: Math.max(0, ...parts.map(({ share }) => share.p99Us)) / 1000,
  };
};

const refusalsOf = (data: readonly Traffic[]): View['refusals'] => {
  const byCode = new Map<string, number>();
  for (const { refusals, spanMs } of data)
    for (const { code, count } of refusals)
      byCode.set(code, (byCode.get(code) ?? 0) + (count * 1000) / spanMs);
  return [...byCode]
    .map(([code, perSecond]) => ({ code, perSecond }))
    .sort((a, b) => b.perSecond - a.perSecond);
};

const HEAD = ['req/s', 'refused/s', '5xx/s', 'p50 ms', 'p99 ms'];
const WIDTH = 10;

const linesOf = (view: View, seconds: number, io: Surroundings): string[] => {
  const head = HEAD.map((title) => title.padStart(WIDTH)).join('');
  const section = (title: string, rows: readonly Row[]): string[] => [
    '',
    paint(io.out, 'bold', `${head}  ${title}`),
    ...rows.map(cellsOf),
  ];
  const { live, answered } = view.edges;
  return [
    `last ${seconds} s · ${answered} of ${live} edges answered`,
    ...section('', [view.total]),
    ...section('tenant', view.tenants),
    ...section('route', view.routes),
    ...(view.refusals.length === 0 ? [] : ['', paint(io.out, 'bold', `${'per s'.padStart(WIDTH)}  refusal`)]),
    ...view.refusals.map(({ code, perSecond }) => `${perSecond.toFixed(1).padStart(WIDTH)}  ${code}`),
  ];
};

const cellsOf = ({ name, perSecond, refusedPerSecond, failedPerSecond, p50Ms, p99Ms }: Row): string =>
  [perSecond, refusedPerSecond, failedPerSecond, p50Ms, p99Ms]
    .map((value) => value.toFixed(1).padStart(WIDTH))
    .concat(`  ${printable(name)}`)
    .join('');
