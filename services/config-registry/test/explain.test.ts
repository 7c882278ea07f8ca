import type { DecisionRecord } from '@sluice/contracts';
import { ConfigState } from '@sluice/gateway-config';
import { expect, test } from 'vitest';
import { explain } from '../src/explain.ts';

const CONFIGURATION = { version: 3, state: ConfigState.fromEntities({}) };

const record = (over: Partial<DecisionRecord>): DecisionRecord => ({
  ...{ requestId: 'r', traceId: 't', instance: 'edge-1', seq: 1, at: 0, method: 'GET', path: '/a' },
  ...{ status: 200, outcome: 'forwarded', version: 3, plugins: [], degraded: [] },
  ...{ timing: { totalUs: 2000 }, bytes: { in: 0, out: 0 } },
  ...over,
});

const refused = (refusal: DecisionRecord['refusal'], over: Partial<DecisionRecord> = {}) =>
  explain(record({ status: 503, outcome: 'refused', ...(refusal && { refusal }), ...over }), CONFIGURATION);

test('given a refusal of a plugin that says its own reason and figures, then these are told', () => {
  const told = refused(
    {
      ...{ code: 'GW_FORBIDDEN', message: 'The tenant does not match', reason: 'tenant_mismatch' },
      facts: { claimed: 'tenant-2', verified: 'tenant-1' },
    },
    { status: 403, plugins: [{ plugin: 'tenant-binding', id: 'p1', verdict: 'refused' }] },
  );

  expect(told).toMatchObject({
    headline: '403: The tenant does not match',
    cause: 'tenant_mismatch',
    decidedBy: { kind: 'plugin', name: 'tenant-binding', id: 'p1' },
  });
  expect(told.because.join('\n')).toContain('claimed: tenant-2');
  expect(told.because.join('\n')).toContain('plugin p1, which is gone by now');
});

test('given the edge shed load, then the figure it measured is the number', () => {
  const shed = (facts: Record<string, number>) =>
    refused({ code: 'GW_OVERLOADED', message: 'overloaded', facts });
  const told = shed({ event_loop_lag_ms: 212, max_lag_ms: 50, allowed_per_second: 20 });

  expect(told).toMatchObject({
    headline: expect.stringContaining('edge-1 could not keep up: its event loop was 212 ms late'),
    cause: 'overloaded',
    decidedBy: { kind: 'gateway' },
    number: { name: 'event_loop_lag_ms', value: 212, limit: 50 },
  });
  expect(told.because.join()).toMatch(/OVERLOAD_LAG_MS=50.*20 requests a second/);
  expect(told.change.join()).toContain('add an edge');

  expect(shed({ event_loop_lag_ms: 212 }).number, 'an older edge').toEqual({
    ...{ name: 'event_loop_lag_ms', value: 212 },
  });
});

test('given a code of a newer edge, then its message is told all the same', () => {
  expect(refused({ code: 'GW_FROM_TOMORROW', message: 'something new' })).toMatchObject({
    headline: '503: something new',
    cause: 'from_tomorrow',
  });
});

test('given the limiter was gone, then the share of the edge is named, not a window', () => {
  const told = refused(
    { code: 'GW_RATE_LIMITED', message: 'API rate limit exceeded' },
    {
      ...{ status: 429, degraded: ['ratelimit'] },
      plugins: [
        { plugin: 'rate-limiting', id: 'p1', verdict: 'refused', source: 'local', bucket: 'ratelimit:r:s:t' },
      ],
    },
  );

  expect(told.cause).toBe('rate_limit_degraded');
  expect(told.change[0]).toContain('sluice doctor');
});

test('given an older configuration served it, then that is said', () => {
  const { because } = explain(record({ version: 2 }), CONFIGURATION);

  expect(because.join('\n')).toContain('the configuration in force now is r3');
});

test('given a plugin answered in the upstream’s place, then it is named', () => {
  const told = explain(
    record({
      ...{ status: 403, outcome: 'answered' },
      plugins: [{ plugin: 'request-termination', id: 'p1', verdict: 'passed', reason: 'answered' }],
    }),
    CONFIGURATION,
  );

  expect(told).toMatchObject({
    headline: '403: request-termination answered in the upstream’s place',
    decidedBy: { kind: 'plugin', id: 'p1' },
  });
});

test('the waterfall holds what was asked, the upstream, and the rest of the answer', () => {
  const { waterfall } = explain(
    record({
      timing: { totalUs: 2000, gatewayUs: 500, upstreamUs: 1200 },
      plugins: [{ plugin: 'jwt', id: 'p1', verdict: 'passed', source: 'service', us: 300 }],
      upstream: { target: 'up:80', status: 200, tries: 1 },
    }),
    CONFIGURATION,
  );

  expect(waterfall).toEqual([
    { name: 'gateway', fromUs: 0, us: 500 },
    { name: 'jwt (asked)', fromUs: 0, us: 300 },
    { name: 'upstream up:80', fromUs: 500, us: 1200 },
    { name: 'answer to the client', fromUs: 1700, us: 300 },
  ]);
});
