import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CLIENT,
  formatTraceparent,
  isTraced,
  parseTraceparent,
  SERVER,
  startTelemetry,
  type Telemetry,
  traceparentOf,
  withSpan,
} from '../src/index.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test.each([
  [`00-${TRACE}-${SPAN}-01`, true],
  [`00-${TRACE}-${SPAN}-00`, false],
  [`00-${TRACE}-${SPAN}-03`, true],
  [`00-${TRACE}-${SPAN}-fe`, false],
  // Versions to come: what they begin with is known.
  [`01-${TRACE}-${SPAN}-01`, true],
  [`cc-${TRACE}-${SPAN}-00-and-more`, false],
])('given the traceparent %s, then it is read, sampled: %s', (header, sampled) => {
  expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
});

test.each([
  [undefined],
  [''],
  [`00-${TRACE}-${SPAN}`],
  [`00-${TRACE}-${SPAN}-1`],
  [`00-${TRACE}-${SPAN}-01-extra`],
  [`ff-${TRACE}-${SPAN}-01`],
  [`cc-${TRACE}-${SPAN}-01more`],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`],
  [`00-${'0'.repeat(32)}-${SPAN}-01`],
  [`00-${TRACE}-${'0'.repeat(16)}-01`],
  [`00-${TRACE.slice(1)}-${SPAN}-01`],
  [`00-${TRACE}-${SPAN}g-01`],
  [` 00-${TRACE}-${SPAN}-01`],
  [`00-${TRACE}-${SPAN}-01\r\n`],
])('given the traceparent %j, then it is ignored', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

test.each([true, false])('a traceparent that is written is read the same, sampled: %s', (sampled) => {
  expect(parseTraceparent(formatTraceparent(TRACE, SPAN, sampled))).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    sampled,
  });
});

test.each([
  [{}],
  [{ OTEL_TRACES_EXPORTER: 'none' }],
  [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }],
  [{ OTEL_TRACES_EXPORTER: '', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  [{ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }],
])('given %j, then nothing is recorded', async (env) => {
  expect((await startTelemetry('test', env)).enabled).toBe(false);
});

test.each([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/xml', 'grpc, http/protobuf, http/json'],
  ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'gRPC', 'grpc, http/protobuf, http/json'],
  ['OTEL_TRACES_EXPORTER', 'otlp,jaeger', 'otlp, zipkin, console, none'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'always_on, always_off, traceidratio'],
])('given %s=%s, then the start fails and names it and what may be set', async (name, value, known) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', [name]: value };
  await expect(startTelemetry('test', env)).rejects.toThrow(`  ${name}: not supported; set one of ${known}`);
});

describe('given an exporter', () => {
  const exporter = new InMemorySpanExporter();
  const processor = new SimpleSpanProcessor({ exporter });
  let telemetry: Telemetry;
  beforeAll(async () => {
    telemetry = await startTelemetry('test', {}, { processors: [processor] });
  });
  afterEach(() => exporter.reset());
  afterAll(() => telemetry.shutdown());

  const options = { kind: SERVER, attributes: {} };
  const spans = async () => {
    await processor.forceFlush();
    return exporter.getFinishedSpans();
  };
  const spanNamed = async (name: string) => (await spans()).find((span) => span.name === name);

  test('when spans are opened inside each other, then each is the child of the one around it', async () => {
    const answer = await withSpan('outer', options, () =>
      withSpan('middle', options, async () => {
        await Promise.resolve();
        return withSpan('inner', { kind: CLIENT, attributes: { a: 1 } }, async () => isTraced());
      }),
    );

    expect(answer).toBe(true);
    const [inner, middle, outer] = await Promise.all(['inner', 'middle', 'outer'].map(spanNamed));
    expect(outer?.parentSpanContext).toBeUndefined();
    expect(middle?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(inner?.parentSpanContext?.spanId).toBe(middle?.spanContext().spanId);
    expect(inner?.attributes).toEqual({ a: 1 });
    expect(new Set([inner, middle, outer].map((span) => span?.spanContext().traceId)).size).toBe(1);
  });

  test('when a traceparent came with the message, then the span continues that trace', async () => {
    const remote = formatTraceparent(TRACE, SPAN, true);

    const next = await withSpan('process', { ...options, traceparent: remote }, async (span) =>
      traceparentOf(span),
    );

    expect((await spanNamed('process'))?.parentSpanContext).toMatchObject({
      traceId: TRACE,
      spanId: SPAN,
      isRemote: true,
    });
    expect(parseTraceparent(next)).toMatchObject({ traceId: TRACE, sampled: true });
    expect(isTraced()).toBe(false);
  });

  test('when the remote parent is not sampled, then nothing is recorded', async () => {
    await withSpan(
      'process',
      { ...options, traceparent: formatTraceparent(TRACE, SPAN, false) },
      async () => 1,
    );

    expect(await spans()).toEqual([]);
  });

  test('when the work fails, then its span ends, failed by name, without the message, and the error goes on', async () => {
    const failure = new TypeError('secret text');

    await expect(withSpan('process', options, () => Promise.reject(failure))).rejects.toBe(failure);

    const span = await spanNamed('process');
    expect(span?.status).toEqual({ code: 2, message: 'TypeError' });
    expect(span?.attributes).toEqual({ 'error.type': 'TypeError' });
    expect(span?.events).toEqual([]);
  });
});
