import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LISTENS_WITHIN_MS = 15_000;
const STOPS_WITHIN_MS = 3000;
const POLL_MS = 25;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM'); // nginx would leave its worker behind if it were killed
});

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Takes both outputs. */
  readonly logFile: string;
  /** The process is there when something listens here. */
  readonly port: number;
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const untilOpen = async (child: ChildProcess, { command, port, logFile }: Command): Promise<void> => {
  const until = performance.now() + LISTENS_WITHIN_MS;
  while (!(await isOpen(port))) {
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (isGone || performance.now() > until)
      throw new Error(`${command} does not listen on ${port}: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    await sleep(POLL_MS);
  }
};

/** A process of the bench; it ends with `stop`, or with the bench. */
export interface Child {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a process and waits until its port is open. */
export const startChild = async (what: Command): Promise<Child> => {
  const log = openSync(what.logFile, 'a');
  const child = spawn(what.command, what.args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...what.env },
  });
  closeSync(log);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  await Promise.race([untilOpen(child, what), failed]);
  return { pid: child.pid ?? 0, stop: () => stop(child) };
};

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const isLate = await Promise.race([exited.then(() => false), sleep(STOPS_WITHIN_MS, true, { ref: false })]);
  if (isLate) child.kill('SIGKILL');
  await exited;
};
