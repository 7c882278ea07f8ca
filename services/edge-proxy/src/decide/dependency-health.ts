import { type Logger, limitLines } from '@sluice/service-kit';
import type { EdgeMetrics } from '../observe/metrics.ts';
import { failureKind } from './failure-kind.ts';

export type Dependency = 'auth' | 'ratelimit';

/** A failure is spoken of for so long when nobody asked again, in ms. */
const REMEMBERED_MS = 10_000;

interface Failure {
  readonly reason: string;
  readonly at: number;
}

/**
 * What the services behind did last: every decision that this edge made alone is counted, told of in a line a second
 * at most, and named at the status port until the service answers again.
 */
export class DependencyHealth {
  readonly #metrics: EdgeMetrics;
  readonly #now: () => number;
  readonly #say: (dependency: Dependency, reason: string) => void;
  readonly #failures = new Map<Dependency, Failure>();

  constructor(metrics: EdgeMetrics, logger: Logger, now: () => number = () => performance.now()) {
    this.#metrics = metrics;
    this.#now = now;
    // By the service alone: an outage of one may have several reasons in turn.
    const write = limitLines<{ dependency: Dependency; reason: string }>((line, leftOut) =>
      logger.warn({ ...line, left_out: leftOut }, 'decided without a service'),
    );
    this.#say = (dependency, reason) => write(dependency, { dependency, reason });
  }

  failed(dependency: Dependency, error: unknown): void {
    const reason = failureKind(error);
    this.#metrics.dependencyFailed(dependency, reason);
    this.#failures.set(dependency, { reason, at: this.#now() });
    this.#say(dependency, reason);
  }

  answered(dependency: Dependency): void {
    if (this.#failures.size > 0) this.#failures.delete(dependency);
  }

  /** Why a service gives no answers now, by its name. */
  get problems(): Readonly<Record<string, string>> {
    const oldest = this.#now() - REMEMBERED_MS;
    const recent = [...this.#failures].filter(([, { at }]) => at > oldest);
    return Object.fromEntries(
      recent.map(([dependency, { reason }]) => [dependency, REASONS[reason] ?? reason]),
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  disconnected: 'the bus is away',
  'no-responders': 'nobody answers',
  timeout: 'no answer in time',
  malformed: 'an answer that breaks the contract',
  open: 'no answer in time, asked once a second',
  failed: 'it could not decide: what it needs is away',
};
