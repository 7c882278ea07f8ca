import { expect, test } from 'vitest';
import { countOutcome, noCounts, type Outcome } from '../../src/upstream/health/health-counters.ts';

const limits = (successes: number, http: number, tcp = 0, timeouts = 0) => ({
  healthy: { successes, http_statuses: [200] },
  unhealthy: { http_failures: http, tcp_failures: tcp, timeouts, http_statuses: [500] },
});
const status = (code: number): Outcome => ({ kind: 'status', status: code });
const states = (outcomes: readonly Outcome[], by: ReturnType<typeof limits>) => {
  const peer = { isHealthy: true, counters: noCounts() };
  return outcomes.map((outcome) => {
    countOutcome(peer, outcome, by);
    return peer.isHealthy;
  });
};

test('given no limit for successes, then failures add up although successes come between', () => {
  const outcomes = [500, 200, 500, 200, 500].map(status);
  expect(states(outcomes, limits(0, 3))).toEqual([true, true, true, true, false]);
});

test('given a limit for successes, then a success clears the failures, and enough of them heal', () => {
  const outcomes = [500, 200, 500, 500, 200, 200].map(status);
  expect(states(outcomes, limits(2, 2))).toEqual([true, true, true, false, false, true]);
});

test('given a status in neither list, then nothing is counted; a limit of 0 never trips', () => {
  expect(states([404, 404, 404].map(status), limits(1, 1))).toEqual([true, true, true]);
  expect(states([500, 500].map(status), limits(1, 0))).toEqual([true, true]);
});

test('each kind of failure has a counter of its own', () => {
  const mixed: Outcome[] = [{ kind: 'tcp-failure' }, { kind: 'timeout' }, status(500), { kind: 'timeout' }];
  expect(states(mixed, limits(0, 2, 2, 2))).toEqual([true, true, true, false]);
});
