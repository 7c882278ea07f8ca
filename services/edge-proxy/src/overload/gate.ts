import type { IncomingMessage } from 'node:http';
import type { Logger } from '@sluice/service-kit';
import type { ProxyExchange } from '../exchange.ts';
import type { Callers } from './callers.ts';
import { FairShare } from './fair-share.ts';

const TICK_MS = 20;
/** Requests of the same ms are judged by one look at the clocks: asking for the CPU time is half of it. */
const LOOK_EVERY_MS = 1;
/** A burst that is over by then (a start, a page of many parts) is none of our business, in ms. */
const SETTLE_MS = 300;
/** So many times the limit is too late also when the turn before was later. */
const LATE_IN_ANY_CASE = 10;
/** While requests are refused the loop is held at this share of the lag that began it. */
const AIM = 0.5;
/** The allowance follows the lag at once between these bounds, and what it swings about follows slowly. */
const SWING_MIN = 0.3;
const SWING_MAX = 1.1;
const FOLLOW = 0.1;
/** Of the largest demand, what every caller keeps if nothing helps: then it is not the requests. */
const FLOOR_SHARE = 0.02;
const FLOOR_PER_MS = 0.001;
/** Nothing refused for so long: back to counting. Nothing late for so long: back to normal. In ms. */
const QUIET_MS = 1000;
const LINE_EVERY_MS = 1000;

export type GateState = 'normal' | 'counting' | 'shedding';

export interface GateOptions {
  /** Lag of the event loop that counts as late, in ms; 0: the gate is off. */
  readonly maxLagMs: number;
  readonly callers: Callers;
  readonly logger: Logger;
  /** Called at each tick with the number of requests refused since the last. */
  readonly onShed: (requests: number) => void;
  /** Monotonic, in ms, and the CPU time of this process, in ms; for tests. */
  readonly now?: () => number;
  readonly cpuMs?: () => number;
}

/**
 * Refuses requests while the event loop cannot keep up, so that those it admits are answered in time: an edge that
 * takes everything answers nothing. Three states: normal costs a request one comparison; when the loop was late,
 * requests are counted by caller and credentials learnt; when it falls further behind, each caller gets the same
 * allowance, lowered and raised by the lag until what is admitted fits. A single stall (a garbage collection, a
 * large configuration) refuses nobody.
 */
export class OverloadGate {
  readonly #options: GateOptions;
  readonly #share = new FairShare();
  readonly #now: () => number;
  readonly #cpuMs: () => number;
  readonly #timer: NodeJS.Timeout | undefined;
  #state: GateState = 'normal';
  #lastTick: number;
  #cpuAtTick: number;
  #quietSince = 0;
  #countingSince = 0;
  #floor = FLOOR_PER_MS;
  /** Requests per ms and caller that the loop has kept up with. */
  #middle = 0;
  #shed = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #shedSinceLine = 0;
  #lastLine = 0;
  /** Requests have to ask `admits`. */
  isActive = false;
  /** Of the last tick, in ms. */
  lagMs = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#cpuMs = options.cpuMs ?? ownCpuMs;
    this.#cpuAtTick = this.#cpuMs();
    this.#lastTick = this.#now();
    if (options.maxLagMs === 0) return;
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  get state(): GateState {
    return this.#state;
  }

  /** Lag of the event loop that counts as late, in ms. */
  get maxLagMs(): number {
    return this.#options.maxLagMs;
  }

  /** Requests per second that each caller may make; undefined while nobody is refused. */
  get allowancePerSecond(): number | undefined {
    return this.#state === 'shedding' ? this.#share.allowance * 1000 : undefined;
  }

  /** Callers that it counts. */
  get callers(): number {
    return this.#share.size;
  }

  /** Asked only while active. */
  admits(request: IncomingMessage): boolean {
    const now = this.#now();
    if (now - this.#lookedAt >= LOOK_EVERY_MS) this.#look(now);
    const isAdmitted = this.#share.admits(this.#options.callers.of(request), now);
    if (!isAdmitted) this.#shed += 1;
    return isAdmitted;
  }

  #look(now: number): void {
    this.#lookedAt = now;
    const lateMs = this.#lateBy(now);
    if (this.#state === 'counting' && this.#isGrowing(now, lateMs)) this.#beginShedding(now, lateMs);
    if (this.#state === 'shedding') this.#share.allowance = this.#allowanceAt(Math.max(lateMs, this.lagMs));
  }

  /** Told of every exchange that began while active, when it has ended. */
  learn(exchange: ProxyExchange): void {
    this.#options.callers.learn(exchange);
  }

  /** Judges the time since the last tick. */
  tick(): void {
    const now = this.#now();
    this.lagMs = this.#lateBy(now);
    this.#lastTick = now;
    this.#cpuAtTick = this.#cpuMs();
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    const isLate = this.lagMs > this.#options.maxLagMs;
    if (this.#state === 'shedding') this.#adjust(now);
    else if (isLate) this.#count(now);
    else if (this.#state === 'counting' && now - this.#quietSince > QUIET_MS) this.#enter('normal');
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Only what is our own doing: a process that others hold up is not helped by refusing requests. */
  #lateBy(now: number): number {
    const lateMs = Math.max(0, now - this.#lastTick - TICK_MS);
    return lateMs > this.#options.maxLagMs * AIM ? Math.min(lateMs, this.#cpuMs() - this.#cpuAtTick) : lateMs;
  }

  #count(now: number): void {
    this.#quietSince = now;
    if (this.#state === 'counting') return;
    this.#share.restart(now);
    this.#countingSince = now;
    this.#enter('counting');
  }

  /** What waits takes longer than the turn in which it came: after a stall it takes less and less. */
  #isGrowing(now: number, lateMs: number): boolean {
    const { maxLagMs } = this.#options;
    if (now - this.#countingSince < SETTLE_MS) return false;
    return lateMs > Math.max(maxLagMs, Math.min(this.lagMs, maxLagMs * LATE_IN_ANY_CASE));
  }

  #beginShedding(now: number, lateMs: number): void {
    const demand = this.#share.highestDemand(now);
    this.#floor = Math.max(FLOOR_PER_MS, demand * FLOOR_SHARE);
    this.#middle = Math.max(this.#floor, demand);
    this.#quietSince = now;
    this.#lastLine = now;
    this.#enter('shedding');
    this.#options.logger.warn({ lag_ms: Math.round(lateMs) }, 'overloaded: requests are refused');
  }

  #adjust(now: number): void {
    this.#middle = Math.max(this.#floor, this.#middle * (1 + (this.#swing(this.lagMs) - 1) * FOLLOW));
    if (this.#shed > 0) this.#quietSince = now;
    this.#report(now);
    if (now - this.#quietSince < QUIET_MS) return;
    this.#share.restart(now);
    this.#quietSince = now;
    this.#enter('counting');
    this.#options.logger.info('no longer overloaded');
  }

  #allowanceAt(lagMs: number): number {
    return Math.max(this.#floor, this.#middle * this.#swing(lagMs));
  }

  #swing(lagMs: number): number {
    return Math.max(SWING_MIN, Math.min(SWING_MAX, 2 - lagMs / (this.#options.maxLagMs * AIM)));
  }

  #report(now: number): void {
    if (this.#shed > 0) this.#options.onShed(this.#shed);
    this.#shedSinceLine += this.#shed;
    this.#shed = 0;
    if (this.#shedSinceLine === 0 || now - this.#lastLine < LINE_EVERY_MS) return;
    this.#options.logger.warn(
      { refused: this.#shedSinceLine, lag_ms: Math.round(this.lagMs) },
      'overloaded: requests were refused',
    );
    this.#shedSinceLine = 0;
    this.#lastLine = now;
  }

  #enter(state: GateState): void {
    this.#state = state;
    this.isActive = state !== 'normal';
  }
}

const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
