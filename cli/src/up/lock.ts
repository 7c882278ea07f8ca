import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** Pids come round again, a pid with the time of its start does not. */
const Holder = z.object({ pid: z.int(), startedAt: z.string() });
type Holder = z.output<typeof Holder>;

/** Two NATS servers on one store destroy it, so a data directory has one owner. */
const Lock = z.object({ owner: Holder, guard: Holder.optional() });

const GUARD_WITHIN_MS = 7_000; // a little more than the guard itself takes at most
const POLL_MS = 50;

const fileIn = (dataDir: string) => join(dataDir, 'up.lock');

/**
 * Clock ticks after boot: field 22 of /proc/<pid>/stat, the 20th after the name. Empty where there is no /proc,
 * and for a process that has ended and only waits for its parent to look.
 */
const startOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
};

const holderOf = (pid: number): Holder => ({ pid, startedAt: startOf(pid) });

const isAlive = ({ pid, startedAt }: Holder): boolean => {
  try {
    process.kill(pid, 0);
    return startOf(pid) === startedAt;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && startOf(pid) === startedAt;
  }
};

const readLock = (dataDir: string) => {
  try {
    return Lock.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')));
  } catch {
    return undefined; // none, or nothing that can be read: nobody holds it
  }
};

const claim = (dataDir: string): boolean => {
  try {
    writeFileSync(fileIn(dataDir), JSON.stringify({ owner: holderOf(process.pid) }), { flag: 'wx' });
    return true;
  } catch {
    return false; // another start was quicker
  }
};

/** Undefined when the directory is ours now, else the pid of its owner. */
export const lockDataDir = async (dataDir: string): Promise<number | undefined> => {
  mkdirSync(dataDir, { recursive: true });
  const lock = readLock(dataDir);
  if (lock !== undefined && isAlive(lock.owner)) return lock.owner.pid;
  // The owner was killed; what ends its processes may still be at it.
  const until = performance.now() + GUARD_WITHIN_MS;
  while (lock?.guard !== undefined && isAlive(lock.guard) && performance.now() < until) await delay(POLL_MS);
  unlockDataDir(dataDir);
  return claim(dataDir) ? undefined : readLock(dataDir)?.owner.pid;
};

/** Tells the next run whom to wait for, should this one be killed. */
export const nameGuard = (dataDir: string, guardPid: number | undefined): void => {
  const guard = guardPid === undefined ? {} : { guard: holderOf(guardPid) };
  writeFileSync(fileIn(dataDir), JSON.stringify({ owner: holderOf(process.pid), ...guard }));
};

export const unlockDataDir = (dataDir: string): void => rmSync(fileIn(dataDir), { force: true });
