import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicros, foreignMicros, rssMb } from './cpu.ts';
import { sum } from './statistics.ts';
import { type Load, type WrkResult, wrk } from './wrk.ts';

/** Something that answers, and whose CPU counts. */
export interface Subject {
  readonly id: string;
  readonly port: number;
  readonly load: Load;
  /** Process ids by the name they are reported under. */
  readonly processes: Readonly<Record<string, readonly number[]>>;
}

/** What one burst of requests cost. */
export interface Burst extends WrkResult {
  /** CPU-µs for each request, by process name. */
  readonly cpu: Readonly<Record<string, number>>;
  /** By process name, after the burst. */
  readonly rssMb: Readonly<Record<string, number>>;
  /** Share of the machine's CPU that went to processes which are no part of the bench. */
  readonly foreign: number;
}

const SETTLE_MS = 30; // the last answers' metrics and log lines

const cpuOf = (processes: Subject['processes']): ReadonlyMap<string, number> =>
  new Map(Object.entries(processes).map(([name, pids]) => [name, sum(pids.map(cpuMicros))]));

/** Loads one subject for whole seconds. `pids`: all processes of the bench that live. */
export const measure = async (
  subject: Subject,
  seconds: number,
  pids: ReadonlySet<number>,
): Promise<Burst> => {
  const before = cpuOf(subject.processes);
  const foreignBefore = foreignMicros(pids);
  const begun = performance.now();
  const result = await wrk(subject.port, subject.load, seconds);
  await sleep(SETTLE_MS);
  const after = cpuOf(subject.processes);
  const available = (performance.now() - begun) * 1000 * availableParallelism();
  const foreign = Math.max(0, foreignMicros(pids) - foreignBefore) / available;
  const perRequest = (name: string): number =>
    ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / Math.max(1, result.requests);
  const byName = Object.entries(subject.processes);
  return {
    ...result,
    foreign,
    cpu: Object.fromEntries(byName.map(([name]) => [name, perRequest(name)])),
    rssMb: Object.fromEntries(byName.map(([name, of]) => [name, sum(of.map(rssMb))])),
  };
};

/** Cheaper by less than this is not cheaper. */
const SETTLED = 0.03;
const PATIENCE = 2;
const WARM_UP_SECONDS = 1;

/** Loads one subject until a request gets no cheaper, at most so many seconds: its code is compiled by then. */
export const warmUp = async (
  subject: Subject,
  maxSeconds: number,
  pids: ReadonlySet<number>,
): Promise<void> => {
  let best = Number.POSITIVE_INFINITY;
  let inVain = 0;
  for (let second = 0; second < maxSeconds && inVain < PATIENCE; second += WARM_UP_SECONDS) {
    const { cpu } = await measure(subject, WARM_UP_SECONDS, pids);
    const cost = sum(Object.values(cpu));
    inVain = cost > best * (1 - SETTLED) ? inVain + 1 : 0;
    best = Math.min(best, cost);
  }
};
