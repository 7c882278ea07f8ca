import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Guard } from './guard.ts';

/** What a process says when it is ready, over its IPC channel. */
const ReadyMessage = z.object({
  event: z.literal('ready'),
  ports: z.record(z.string(), z.int()).default({}),
  detail: z.string().default(''),
});

export interface Readiness {
  readonly ports: Readonly<Record<string, number>>;
  /** For the terminal line. */
  readonly detail: string;
}

export interface ProcessPlan {
  /** Its kind: `edge-proxy`. */
  readonly process: string;
  /** Its own name: `edge-proxy-1`. */
  readonly instance: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  /** Lower phases stop first. */
  readonly stopPhase: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopWithinMs: number;
  /** For a program that does not speak our protocol: resolves when it is ready. Without it: the IPC message. */
  readonly probe?: (signal: AbortSignal) => Promise<Readiness>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedEvents {
  readonly onReady: (plan: ProcessPlan, pid: number, readiness: Readiness, isFirst: boolean) => void;
  /** `retryMs` is undefined when it stays down. */
  readonly onExit: (
    plan: ProcessPlan,
    pid: number | undefined,
    exit: Exit,
    retryMs: number | undefined,
  ) => void;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
const STEADY_MS = 1_000; // ready for so long: the next crash is a first crash
const MAX_FAILED_STARTS = 5;

const readyByMessage = (child: ChildProcess, signal: AbortSignal): Promise<Readiness> =>
  new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const ready = ReadyMessage.safeParse(message);
      if (ready.success) resolve(ready.data);
    });
    signal.addEventListener('abort', () => reject(new Error('ended before it was ready')));
  });

/** One process that is kept running until it is told to stop. */
export class Supervised {
  readonly plan: ProcessPlan;
  readonly #guard: Guard;
  readonly #events: SupervisedEvents;
  readonly #restarts: boolean;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #isReady = false;
  #readySince: number | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(plan: ProcessPlan, guard: Guard, restarts: boolean, events: SupervisedEvents) {
    this.plan = plan;
    this.#guard = guard;
    this.#restarts = restarts;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** True when it was ready at least once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when it is ready for the first time; rejects when it never will be. */
  start(): Promise<Readiness> {
    return new Promise((resolve, reject) => {
      this.#ended = this.#keepRunning(resolve).then(
        () => reject(new Error(`${this.plan.instance} did not start`)),
        reject,
      );
    });
  }

  async #keepRunning(onFirstReady: (readiness: Readiness) => void): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      this.#readySince = undefined;
      const exit = await this.#runOnce(onFirstReady);
      if (this.#stopping.signal.aborted) return;
      const wasSteady = this.#readySince !== undefined && performance.now() - this.#readySince >= STEADY_MS;
      failures = wasSteady ? 1 : failures + 1;
      const isHopeless = !this.#isReady && failures >= MAX_FAILED_STARTS;
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
      const goesOn = this.#restarts && !isHopeless;
      this.#events.onExit(this.plan, exit.pid, exit, goesOn ? retryMs : undefined);
      if (!goesOn) return;
      await delay(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => {}); // stopped: the loop ends
    }
  }

  async #runOnce(onFirstReady: (readiness: Readiness) => void): Promise<Exit & { pid: number | undefined }> {
    const child = this.#spawn();
    this.#child = child;
    const { pid } = child;
    if (pid !== undefined) this.#guard.add(pid);
    const gone = new AbortController();
    this.#announceReady(child, gone.signal, onFirstReady);
    const exit = await new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', () => pid === undefined && resolve({ code: null, signal: null }));
    });
    gone.abort();
    if (pid !== undefined) this.#guard.drop(pid);
    this.#child = undefined;
    return { ...exit, pid };
  }

  #announceReady(
    child: ChildProcess,
    signal: AbortSignal,
    onFirstReady: (readiness: Readiness) => void,
  ): void {
    const ready = this.plan.probe === undefined ? readyByMessage(child, signal) : this.plan.probe(signal);
    ready.then(
      (readiness) => {
        const isFirst = !this.#isReady;
        this.#isReady = true;
        this.#readySince = performance.now();
        if (child.pid !== undefined) this.#events.onReady(this.plan, child.pid, readiness, isFirst);
        if (isFirst) onFirstReady(readiness);
      },
      () => {}, // it ended first, and onExit says so
    );
  }

  #spawn(): ChildProcess {
    const { command, args, env, cwd, logFile, probe } = this.plan;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a', 0o600);
    try {
      return spawn(command, args, {
        env,
        cwd,
        detached: true, // a group of its own: Ctrl-C reaches us alone, and we end whatever it starts
        stdio: ['ignore', log, log, ...(probe === undefined ? (['ipc'] as const) : [])],
      });
    } finally {
      closeSync(log);
    }
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      this.#child.kill(name); // the group is gone, or not made yet
    }
  }

  /** SIGTERM, and SIGKILL for what is still there when the time is over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child !== undefined) {
      const exited = once(child, 'exit').catch(() => {}); // 'error': it never ran
      this.signal('SIGTERM');
      this.signal('SIGCONT'); // a process held by SIGSTOP can end in good order, too
      const inTime = new AbortController();
      void delay(this.plan.stopWithinMs, undefined, { signal: inTime.signal }).then(
        () => this.signal('SIGKILL'),
        () => {},
      );
      await exited;
      inTime.abort();
    }
    await this.#ended;
  }

  /** At once and for good. */
  kill(): void {
    this.#stopping.abort();
    this.signal('SIGKILL');
  }
}
