import { existsSync, readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 1;
const WITHIN_MS = 5000;

const isStopped = (stat: string): boolean => /^\d+ \(.*\) [TtXZ] /s.test(stat);

const allStopped = (tasks: string): boolean => {
  try {
    return readdirSync(tasks).every((task) => isStopped(readFileSync(`${tasks}/${task}/stat`, 'utf8')));
  } catch {
    return true; // it has ended, or a thread of it
  }
};

/**
 * Waits until a process that was sent SIGSTOP stands still: each of its threads goes on until it is its turn to hear of
 * the signal, and may answer in between. Where there is no /proc the signal has to do. Holds up the caller's event loop.
 */
export const untilStill = (pid: number): void => {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return;
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + WITHIN_MS; !allStopped(tasks) && performance.now() < end; )
    Atomics.wait(waiting, 0, 0, LOOK_EVERY_MS);
};
