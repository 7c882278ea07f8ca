import type { IncomingMessage } from 'node:http';
import { startTelemetry, type Telemetry } from '@sluice/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProxyExchange } from '../src/exchange.ts';
import { beginTrace, endRequestSpan, foreignParent } from '../src/observe/tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };

/** Records, and remembers the last one. */
let ended: { readonly name: string; readonly attributes: Record<string, unknown> } | undefined;
const processor = {
  onStart: () => undefined,
  onEnd: (span: NonNullable<typeof ended>) => {
    ended = span;
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
let telemetry: Telemetry;
beforeAll(async () => {
  telemetry = await startTelemetry('test', env, { processors: [processor], choosesRoots: true });
});
afterAll(() => telemetry.shutdown());

const isRecorded = (header?: string, tracing: Pick<Telemetry, 'enabled' | 'rootShare'> = telemetry) => {
  const { span } = beginTrace(tracing, 'GET', header);
  span?.end();
  return span !== undefined;
};

test('given a ratio for traces that begin here, then that share of them is recorded', () => {
  const recorded = Array.from({ length: 2000 }, () => isRecorded()).filter(Boolean).length;

  expect(recorded / 2000).toBeGreaterThan(0.18); // seven standard deviations
  expect(recorded / 2000).toBeLessThan(0.32);
});

test('given a caller that decided, then its word counts, whatever the ratio', () => {
  const none = { enabled: true, rootShare: 0 };

  expect(isRecorded(`00-${TRACE}-${SPAN}-01`, none)).toBe(true);
  expect(isRecorded(`00-${TRACE}-${SPAN}-00`, { enabled: true, rootShare: 1 })).toBe(false);
  expect(isRecorded(`00-${TRACE}-${SPAN}-01`, { enabled: false, rootShare: 0 })).toBe(false);
});

test('given a trace that is not recorded, then it has ids of its own, and says so upstream', () => {
  const { traceId, traceparent } = beginTrace({ enabled: true, rootShare: 0 }, 'GET', undefined);

  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
});

test('given a traceparent of a version to come, then its trace is gone on with in the version that is known here', () => {
  const { traceId, traceparent } = beginTrace(
    { enabled: false, rootShare: 0 },
    'GET',
    `cc-${TRACE}-${SPAN}-01-more`,
  );

  expect(traceId).toBe(TRACE);
  expect(traceparent).toBe(`00-${TRACE}-${SPAN}-01`);
});

test.each([
  ['b3', `${TRACE}-${SPAN}-1`],
  ['tracestate', `b3=${TRACE}-${SPAN}-1`],
  ['uber-trace-id', `${TRACE}:${SPAN}:0:1`],
  ['x-cloud-trace-context', `${TRACE}/${BigInt(`0x${SPAN}`)};o=1`],
  ['x-amzn-trace-id', `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${SPAN};Sampled=1`],
])('given a trace in %s, then it is gone on with', (name, value) => {
  const request = { headers: { [name]: value }, rawHeaders: [name, value] } as unknown as IncomingMessage;

  expect(foreignParent(request)).toBe(`00-${TRACE}-${SPAN}-01`);
});

test('given no trace in any format, then there is no parent', () => {
  const request = { headers: { host: 'a' }, rawHeaders: ['host', 'a'] } as unknown as IncomingMessage;

  expect(foreignParent(request)).toBeUndefined();
});

test('given HTTP/2 over TLS, then its span has the scheme and the version of what the client spoke', () => {
  const { span } = beginTrace(telemetry, 'GET', `00-${TRACE}-${SPAN}-01`);
  if (span === undefined) throw new Error('it is sampled');
  const exchange = { method: 'GET', status: 200, scheme: 'https', httpVersion: '2.0', loggedPath: '/a' };
  endRequestSpan(span, exchange as unknown as ProxyExchange);

  expect(ended?.attributes).toMatchObject({ 'url.scheme': 'https', 'network.protocol.version': '2' });
});
