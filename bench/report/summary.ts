import type { Group } from '../chain/variants.ts';
import type { Burst } from '../measure/burst.ts';
import { halfRange, median, sum } from '../measure/statistics.ts';

/** The bursts of one variant, one for each round. */
export interface Measured {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly connections: number;
  readonly bursts: readonly Burst[];
}

/** Medians over the rounds. Ratios are made within a round, then their median is taken. */
export interface Row {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mbPerSecond: number;
  /** CPU-µs for a request, of all processes that count. */
  readonly cpu: number;
  /** Half the distance between the cheapest and the dearest round. */
  readonly cpuHalfRange: number;
  readonly cpuByProcess: Readonly<Record<string, number>>;
  /** Of the first process: the gateway itself. */
  readonly rssMb: number;
  readonly failures: number;
  readonly foreign: number;
  readonly toNginx: number;
  readonly toBare: number;
  /** Of the edge alone, and of everything behind it. */
  readonly edgeToBare: number;
  readonly othersToBare: number;
}

const total = ({ cpu }: Burst): number => sum(Object.values(cpu));
const first = ({ cpu }: Burst): number => Object.values(cpu)[0] ?? Number.NaN;

const ratio = ({ bursts }: Measured, reference: Measured | undefined, of: (burst: Burst) => number): number =>
  median(
    bursts.flatMap((burst, round) => {
      const other = reference?.bursts[round];
      return other === undefined ? [] : [of(burst) / total(other)];
    }),
  );

const processMedians = (bursts: readonly Burst[]): Record<string, number> =>
  Object.fromEntries(
    Object.keys(bursts[0]?.cpu ?? {}).map((name) => [name, median(bursts.map(({ cpu }) => cpu[name] ?? 0))]),
  );

/** What a variant came to, beside its references. */
export const summarise = (
  measured: Measured,
  { nginx, bare }: { nginx: Measured | undefined; bare: Measured | undefined },
): Row => {
  const { id, group, title, connections, bursts } = measured;
  const middle = (of: (burst: Burst) => number): number => median(bursts.map(of));
  return {
    ...{ id, group, title, connections },
    perSecond: middle(({ perSecond }) => perSecond),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    mbPerSecond: middle(({ mbPerSecond }) => mbPerSecond),
    cpu: middle(total),
    cpuHalfRange: halfRange(bursts.map(total)),
    cpuByProcess: processMedians(bursts),
    rssMb: middle(({ rssMb }) => Object.values(rssMb)[0] ?? 0),
    failures: sum(bursts.map(({ failures }) => failures)),
    foreign: middle(({ foreign }) => foreign),
    toNginx: ratio(measured, nginx, total),
    toBare: ratio(measured, bare, total),
    edgeToBare: ratio(measured, bare, first),
    othersToBare: ratio(measured, bare, (burst) => total(burst) - first(burst)),
  };
};
