/** What a peer did since it last changed its state, one counter per kind (kong-compat 2.3). */
export interface Counters {
  successes: number;
  httpFailures: number;
  tcpFailures: number;
  timeouts: number;
}

export const noCounts = (): Counters => ({ successes: 0, httpFailures: 0, tcpFailures: 0, timeouts: 0 });

/** What an attempt or a probe says about a peer. */
export type Outcome =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'connected' }
  | { readonly kind: 'tcp-failure' }
  | { readonly kind: 'timeout' };

/** The limits of the passive or of the active check; 0 turns a transition off. */
export interface HealthLimits {
  readonly healthy: { readonly successes: number; readonly http_statuses: readonly number[] };
  readonly unhealthy: {
    readonly http_failures: number;
    readonly tcp_failures: number;
    readonly timeouts: number;
    readonly http_statuses: readonly number[];
  };
}

interface Counted {
  isHealthy: boolean;
  counters: Counters;
}

/**
 * Counts an outcome for or against a peer and changes its state when a limit is reached. A failure clears the
 * successes; a success clears the failures only where successes are counted at all, as in Kong: without a limit
 * for them, failures add up over time.
 * @returns whether the state changed.
 */
export const countOutcome = (
  peer: Counted,
  outcome: Outcome,
  { healthy, unhealthy }: HealthLimits,
): boolean => {
  if (outcome.kind === 'timeout') return fail(peer, 'timeouts', unhealthy.timeouts);
  if (outcome.kind === 'tcp-failure') return fail(peer, 'tcpFailures', unhealthy.tcp_failures);
  if (outcome.kind === 'connected' || healthy.http_statuses.includes(outcome.status))
    return succeed(peer, healthy.successes);
  if (unhealthy.http_statuses.includes(outcome.status))
    return fail(peer, 'httpFailures', unhealthy.http_failures);
  return false;
};

const fail = (peer: Counted, kind: Exclude<keyof Counters, 'successes'>, limit: number): boolean => {
  if (limit === 0 || !peer.isHealthy) return false;
  peer.counters.successes = 0;
  peer.counters[kind] += 1;
  if (peer.counters[kind] < limit) return false;
  peer.isHealthy = false;
  peer.counters = noCounts();
  return true;
};

const succeed = (peer: Counted, limit: number): boolean => {
  if (limit === 0) return false;
  if (peer.isHealthy) {
    peer.counters = noCounts();
    return false;
  }
  peer.counters.successes += 1;
  if (peer.counters.successes < limit) return false;
  peer.isHealthy = true;
  peer.counters = noCounts();
  return true;
};
