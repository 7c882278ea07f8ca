import { existsSync, readdirSync, readFileSync } from 'node:fs';

const TICK_MICROS = 10_000; // of /proc on Linux

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // the process is gone, or there is no /proc
  }
};

const statOf = (pid: number): number[] => {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return [];
  // The name before the last bracket may hold anything; the first field after it is the third of the manual.
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
};

/** User and system time a process has used so far, all its threads, in µs; 0 when it is gone. */
export const cpuMicros = (pid: number): number => {
  const [user = 0, system = 0] = statOf(pid).slice(11, 13);
  return (user + system) * TICK_MICROS;
};

/** Resident memory of a process, in MB; 0 when it is gone. */
export const rssMb = (pid: number): number => {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) / 1024;
};

const KERNEL_THREADS = 2; // the parent of them all

/**
 * CPU time of every process that is not one of these, in µs, with that of their children that have ended. The
 * machine's own sum in /proc/stat would be simpler, but it is sampled at clock ticks and wrong by tens of percent.
 */
export const foreignMicros = (ours: ReadonlySet<number>): number => {
  if (!existsSync('/proc/self/stat')) return 0;
  let micros = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= KERNEL_THREADS || ours.has(pid)) continue;
    const fields = statOf(pid);
    const [parent = KERNEL_THREADS] = fields.slice(1);
    if (parent === KERNEL_THREADS) continue;
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    micros += (user + system + childUser + childSystem) * TICK_MICROS;
  }
  return micros;
};

const childrenOf = (pid: number): number[] => {
  const text = read(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.trim().split(' ').filter(Boolean).map(Number);
};

/** A process and all that descend from it: nginx works in a child. */
export const familyOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(familyOf)];
