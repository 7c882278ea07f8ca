import type { Limit } from '@sluice/contracts';
import { leaseTerms } from '../../services/edge-proxy/src/decide/lease-terms.ts';
import { windowEnd } from '../../services/edge-proxy/src/decide/local-limiter.ts';

/** What happened in one window of one limit. */
export interface Window {
  readonly period: Limit['period'];
  readonly limit: number;
  readonly endsAt: number;
  offered: number;
  admitted: number;
  /** Refused though tokens were left, at edges. */
  early: number;
  /** The longest time, in ms, in which such refusals followed each other within a lease's life. */
  longestEarlyMs: number;
  earlySince: number;
  lastEarlyAt: number;
  /** Admitted by an edge alone. */
  alone: number;
  /** Counted tokens that nobody can spend any more. */
  lost: number;
  /** Counted tokens that a server which took over did not know of. */
  missed: number;
  /** The most tokens that edges held at an early refusal. */
  stranded: number;
}

/** Tokens that somebody could still spend. */
const leftIn = ({ limit, missed, admitted, alone, lost }: Window): number =>
  limit + missed - (admitted - alone) - lost;

/** Who got what, by the true time; it knows everything and decides nothing. */
export class Ledger {
  readonly windows = new Map<string, Window>();
  readonly #limits: readonly Limit[];
  readonly #lifeMs: number;
  requests = 0;

  constructor(limits: readonly Limit[]) {
    this.#limits = limits;
    this.#lifeMs = leaseTerms(limits).lifeMs;
  }

  offered(at: number): void {
    this.requests += 1;
    for (const window of this.#windowsAt(at)) window.offered += 1;
  }

  admitted(at: number, isAlone = false): void {
    for (const window of this.#windowsAt(at)) {
      window.admitted += 1;
      if (isAlone) window.alone += 1;
    }
  }

  /** `held`: tokens at edges now. */
  refused(at: number, held: number): void {
    const windows = this.#windowsAt(at);
    const [window] = windows.toSorted((a, b) => leftIn(a) - leftIn(b));
    if (window === undefined || leftIn(window) <= 0) return; // rightly
    window.early += 1;
    if (at - window.lastEarlyAt > this.#lifeMs) window.earlySince = at;
    window.lastEarlyAt = at;
    window.longestEarlyMs = Math.max(window.longestEarlyMs, at - window.earlySince);
    window.stranded = Math.max(window.stranded, held);
  }

  /** Tokens of a lease that was granted then are gone for all windows that still run. */
  lost(tokens: number, grantedAt: number, now: number): void {
    const then = new Set(this.#windowsAt(grantedAt));
    for (const window of this.#windowsAt(now)) if (then.has(window)) window.lost += tokens;
  }

  /** A server took over whose counter is so far behind; below 0 it has counted tokens that had come back. */
  missed(at: number, period: Limit['period'], tokens: number): void {
    for (const window of this.#windowsAt(at)) {
      if (window.period !== period) continue;
      window.missed += Math.max(0, tokens);
      window.lost += Math.max(0, -tokens);
    }
  }

  #windowsAt(at: number): Window[] {
    return this.#limits.map(({ period, limit }) => {
      const endsAt = windowEnd(period, at);
      const key = `${endsAt}:${period}`;
      const known = this.windows.get(key);
      if (known !== undefined) return known;
      const fresh: Window = {
        ...{
          period,
          limit,
          endsAt,
          offered: 0,
          admitted: 0,
          early: 0,
          alone: 0,
          lost: 0,
          missed: 0,
          stranded: 0,
        },
        ...{ longestEarlyMs: 0, earlySince: 0, lastEarlyAt: Number.NEGATIVE_INFINITY },
      };
      this.windows.set(key, fresh);
      return fresh;
    });
  }
}
