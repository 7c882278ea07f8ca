import type { IncomingMessage } from 'node:http';
import { silentLogger } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { TrustedPeers } from '../../src/client-address.ts';
import type { ProxyExchange } from '../../src/exchange.ts';
import { Callers } from '../../src/overload/callers.ts';
import { OverloadGate } from '../../src/overload/gate.ts';

const TICK_MS = 20;

const requestOf = (token: string, address = '10.0.0.1') =>
  ({ headers: { authorization: `Bearer ${token}` }, socket: { remoteAddress: address } }) as IncomingMessage;

/** What a refusal costs, as a share of what an admitted request does. */
const REFUSAL_COST = 0.1;
/** What is left for requests when the loop does nothing but them and the refusals of three times as many. */
const BEST_OF_THREE = (1 - 3 * REFUSAL_COST) / (1 - REFUSAL_COST);

/**
 * An event loop that does `capacity` requests per ms: each turn it takes what waits, and is as late for its tick as
 * that takes.
 */
class Loop {
  readonly shed: number[] = [];
  readonly gate: OverloadGate;
  readonly #costMs: number;
  #now = 0;
  #arrivedUntil = 0;
  /** Parts of requests that are still to come, by token. */
  readonly #rest = new Map<string, number>();

  constructor(
    capacity: number,
    cpuShare = 1,
    callers = new Callers({ trustedPeers: new TrustedPeers([]), realIpHeader: 'x-real-ip' }),
  ) {
    this.#costMs = 1 / capacity;
    this.gate = new OverloadGate({
      maxLagMs: 50,
      callers,
      logger: silentLogger(),
      onShed: (requests) => this.shed.push(requests),
      now: () => this.#now,
      cpuMs: () => this.#now * cpuShare,
    });
    this.gate.close(); // this loop ticks it
  }

  /** Nothing happens for so long. */
  stall(forMs: number): void {
    this.#now += forMs;
    this.gate.tick();
  }

  /** Runs for `forMs`; `demand` is in requests per ms, by token. @returns the share of each that was admitted. */
  run(forMs: number, demand: Readonly<Record<string, number>>): Record<string, number> {
    const asked: Record<string, number> = {};
    const admitted: Record<string, number> = {};
    const until = this.#now + forMs;
    while (this.#now < until) {
      const tickAt = this.#now + TICK_MS;
      for (const token of this.#arrivals(demand)) {
        asked[token] = (asked[token] ?? 0) + 1;
        const isAdmitted = this.#handle(token);
        this.#now += this.#costMs * (isAdmitted ? 1 : REFUSAL_COST);
        if (isAdmitted) admitted[token] = (admitted[token] ?? 0) + 1;
      }
      this.#now = Math.max(this.#now, tickAt);
      this.gate.tick();
    }
    return Object.fromEntries(Object.entries(asked).map(([token, n]) => [token, (admitted[token] ?? 0) / n]));
  }

  #handle(token: string): boolean {
    if (!this.gate.isActive) return true;
    const request = requestOf(token);
    if (!this.gate.admits(request)) return false;
    this.gate.learn({ request, identity: { tenantId: token.split('.')[0] } } as ProxyExchange);
    return true;
  }

  /** What came since the last turn, as mixed as it comes. */
  #arrivals(demand: Readonly<Record<string, number>>): string[] {
    const elapsed = this.#now - this.#arrivedUntil;
    this.#arrivedUntil = this.#now;
    const arrivals = Object.entries(demand).flatMap(([token, perMs]) => {
      const due = perMs * elapsed + (this.#rest.get(token) ?? 0);
      const whole = Math.floor(due);
      this.#rest.set(token, due - whole);
      return Array.from({ length: whole }, (_, i) => ({ token, at: (i + 0.5) / whole }));
    });
    return arrivals.sort((one, other) => one.at - other.at).map(({ token }) => token);
  }
}

test('given less than the loop can do, then no request has to ask', () => {
  const loop = new Loop(10);
  loop.run(2000, { a: 8 });
  expect(loop.gate.isActive).toBe(false);
  expect(loop.shed).toEqual([]);
});

test('given one stall and no more, then nobody is refused', () => {
  const loop = new Loop(10);
  loop.run(1000, { a: 5 });
  loop.stall(500);
  loop.run(3000, { a: 5 });
  expect(loop.shed).toEqual([]);
  expect(loop.gate.state).toBe('normal');
});

test('given a process that others hold up, then nobody is refused', () => {
  const loop = new Loop(10, 0.1);
  for (let i = 0; i < 20; i++) {
    loop.stall(100 + 10 * i);
    loop.run(20, { a: 5 });
  }
  expect(loop.gate.state).toBe('normal');
});

test('given three times what it can do, then what it can do beside refusing is admitted and the loop is not late', () => {
  const loop = new Loop(10);
  loop.run(3000, { a: 30 });
  expect(loop.gate.state).toBe('shedding');
  const { a } = loop.run(5000, { a: 30 });
  expect((a ?? 0) * 3).toBeGreaterThan(0.95 * BEST_OF_THREE);
  expect((a ?? 0) * 3).toBeLessThan(1.05 * BEST_OF_THREE);
  expect(loop.gate.lagMs).toBeLessThan(50);
});

test('given the overload ends, then within 5 s requests need not ask any more', () => {
  const loop = new Loop(10);
  loop.run(3000, { a: 40 });
  expect(loop.gate.state).toBe('shedding');
  loop.run(1500, { a: 5 });
  expect(loop.run(1000, { a: 5 }).a).toBe(1);
  loop.run(2500, { a: 5 });
  expect(loop.gate.isActive).toBe(false);
});

/** Everybody is the same caller: nothing is shared by tenant. */
class OneCaller extends Callers {
  override of(): string {
    return 'everybody';
  }
}

/** One tenant asks ten times as often as each of five, by two tokens. @returns the shares that were admitted. */
const besideNoisy = (loop: Loop): { readonly quiet: readonly number[]; readonly noisyPerMs: number } => {
  const quiet = { b: 1, c: 1, d: 1, e: 1, f: 1 };
  const noisy = { 'a.1': 5, 'a.2': 5 };
  loop.run(3000, { ...quiet, ...noisy });
  const admitted = loop.run(5000, { ...quiet, ...noisy });
  return {
    quiet: Object.keys(quiet).map((tenant) => admitted[tenant] ?? 0),
    noisyPerMs: (admitted['a.1'] ?? 0) * 5 + (admitted['a.2'] ?? 0) * 5,
  };
};

test('given one tenant asks ten times as often as each of five, also by many tokens, then those five are not refused', () => {
  const { quiet, noisyPerMs } = besideNoisy(new Loop(10));
  for (const share of quiet) expect(share).toBeGreaterThan(0.999);
  expect(noisyPerMs).toBeGreaterThan(4);
});

test('given shares by tenant are taken away, then those five are refused, too', () => {
  const { quiet } = besideNoisy(
    new Loop(10, 1, new OneCaller({ trustedPeers: new TrustedPeers([]), realIpHeader: 'x-real-ip' })),
  );
  for (const share of quiet) expect(share).toBeLessThan(0.95);
});

test('given a flood of forged tokens from one address, then it shares the place of that address', () => {
  const loop = new Loop(10);
  loop.run(3000, { b: 1, a: 30 });
  expect(loop.gate.state).toBe('shedding');
  let admitted = 0;
  for (let i = 0; i < 5000; i++) if (loop.gate.admits(requestOf(`forged-${i}`, '10.9.9.9'))) admitted += 1;
  expect(admitted).toBeLessThan(4000);
  expect(admitted).toBeGreaterThan(0);
});
