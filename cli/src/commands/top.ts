import { setTimeout as sleep } from 'node:timers/promises';
import { type EdgeTraffic, type Rates, sumTraffic, type TrafficView } from '@sluice/contracts';
import { type AdminOptions, readAdmin } from '../ask-admin.ts';
import { EXIT, paint, printJson, printLine, refuse, type Surroundings } from '../surroundings.ts';
import { printable } from './explain.ts';

export interface TopOptions extends AdminOptions {
  readonly seconds: number;
  readonly once?: boolean;
}

interface Answer {
  readonly data: readonly EdgeTraffic[];
  readonly edges: { readonly live: number; readonly answered: number };
}

interface View extends TrafficView {
  readonly edges: Answer['edges'];
}

const LOOK_EVERY_MS = 1000;
const HOME_AND_CLEAR = '\u001B[H\u001B[2J';

/** Who uses the gateway now: tenants, routes, refusals, latency. With --json or --once one view and no more. */
export const top = async (options: TopOptions, io: Surroundings): Promise<number> => {
  const path = `/traffic?seconds=${options.seconds}&top=100`;
  const isLive = options.once !== true && options.json !== true;
  let hasShown = false;
  for (;;) {
    const answer = await readAdmin<Answer>(options, io, path);
    if (!answer.ok && !(isLive && hasShown)) return refuse(io, answer.exitCode, answer.why, options);
    if (!answer.ok) {
      // Who watches an outage must not lose the view with the registry; the last one is not taken for today's.
      io.out.write(HOME_AND_CLEAR);
      printLine(io.out, `${paint(io.out, 'yellow', '!')} ${answer.why}; still trying`);
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    hasShown = true;
    const { data, edges } = answer.value;
    const view = { edges, ...sumTraffic(data) };
    if (options.json) printJson(io.out, view);
    else {
      if (isLive) io.out.write(HOME_AND_CLEAR);
      for (const line of linesOf(view, options.seconds, io)) printLine(io.out, line);
    }
    if (!isLive) return EXIT.ok;
    await sleep(LOOK_EVERY_MS);
  }
};

const HEAD = ['req/s', 'refused/s', '5xx/s', 'p50 ms', 'p99 ms'];
const WIDTH = 10;

const linesOf = (view: View, seconds: number, io: Surroundings): string[] => {
  const head = HEAD.map((title) => title.padStart(WIDTH)).join('');
  const section = (title: string, rows: readonly Rates[]): string[] => [
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

const cellsOf = ({ name, perSecond, refusedPerSecond, failedPerSecond, p50Ms, p99Ms }: Rates): string =>
  [perSecond, refusedPerSecond, failedPerSecond, p50Ms, p99Ms]
    .map((value) => value.toFixed(1).padStart(WIDTH))
    .concat(`  ${printable(name)}`)
    .join('');
