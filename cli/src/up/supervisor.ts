import { Guard } from './guard.ts';
import { type ProcessPlan, type Readiness, Supervised, type SupervisedEvents } from './supervised.ts';

/** Starts processes, keeps them running, and stops exactly these. */
export class Supervisor {
  readonly #guard = new Guard();
  readonly #all: Supervised[] = [];
  readonly #restarts: boolean;
  readonly #events: SupervisedEvents;
  #isStopping = false;

  constructor(options: { restarts: boolean; events: SupervisedEvents }) {
    this.#restarts = options.restarts;
    this.#events = options.events;
  }

  /** Pid of the shell that ends everything should this process be killed. */
  get guardPid(): number | undefined {
    return this.#guard.pid;
  }

  start(plan: ProcessPlan): Promise<Readiness> {
    if (this.#isStopping) return Promise.reject(new Error('stopping'));
    const supervised = new Supervised(plan, this.#guard, this.#restarts, this.#events);
    this.#all.push(supervised);
    return supervised.start();
  }

  /** Pids by kind of process, in the order of the start. */
  pids(): Record<string, number[]> {
    const pids: Record<string, number[]> = {};
    for (const { plan, pid } of this.#all) {
      pids[plan.process] ??= [];
      if (pid !== undefined) pids[plan.process]?.push(pid);
    }
    return pids;
  }

  /** Instances that were never ready. */
  waitingFor(): string[] {
    return this.#all.filter(({ isReady }) => !isReady).map(({ plan }) => plan.instance);
  }

  /** Phase after phase: who depends on others stops first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const phases = [...new Set(this.#all.map(({ plan }) => plan.stopPhase))].sort((a, b) => a - b);
    for (const phase of phases) {
      await Promise.all(
        this.#all.filter(({ plan }) => plan.stopPhase === phase).map((supervised) => supervised.stop()),
      );
    }
    this.#guard.leave();
  }

  /** No drain, no waiting. */
  kill(): void {
    this.#isStopping = true;
    for (const supervised of this.#all) supervised.kill();
    this.#guard.leave();
  }
}
