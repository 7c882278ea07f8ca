import { expect, test } from 'vitest';
import { opentelemetry } from '../src/opentelemetry.ts';
import { TRACE_FORMATS } from '../src/trace-context.ts';
import { extractTrace } from '../src/trace-extract.ts';
import { injectTrace } from '../src/trace-inject.ts';
import { propagationOf } from '../src/trace-propagation.ts';
import { zipkin } from '../src/zipkin.ts';
import { headerList, seen } from './exchange.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = '00f067aa0ba902b7';
const SHORT = '8448eb211c80319c';
const PADDED = SHORT.padStart(32, '0');
const both = { traceId: TRACE, spanId: SPAN };

test.each([
  ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01` }, { ...both, isSampled: true }],
  ['w3c', { traceparent: `00-${TRACE}-${SPAN}-00` }, { ...both, isSampled: false }],
  [
    'b3',
    { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-parentspanid': PARENT, 'x-b3-sampled': '1' },
    { ...both, parentId: PARENT, isSampled: true, sharesSpan: true, isSingleHeader: false },
  ],
  ['b3', { 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN }, { traceId: PADDED, traceDigits: 16, spanId: SPAN }],
  [
    'b3',
    { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
    { isSampled: true, isDebug: true },
  ],
  [
    'b3',
    { b3: `${TRACE}-${SPAN}-1-${PARENT}` },
    { ...both, parentId: PARENT, isSampled: true, isSingleHeader: true },
  ],
  ['b3', { b3: `${TRACE}-${SPAN}-d` }, { ...both, isSampled: true, isDebug: true }],
  ['b3', { b3: '0' }, { traceId: undefined, isSampled: false, isSingleHeader: true }],
  ['b3', { tracestate: `b3=${TRACE}-${SPAN}-1` }, { ...both, isSampled: true }],
  ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0:1` }, { ...both, isSampled: true, parentId: undefined }],
  [
    'jaeger',
    { 'uber-trace-id': `${SHORT}:${SPAN}:${PARENT}:0`, 'uberctx-user': 'a%20b' },
    { traceId: PADDED, traceDigits: 16, parentId: PARENT, isSampled: false, baggage: { user: 'a b' } },
  ],
  [
    'ot',
    { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': SPAN, 'ot-tracer-sampled': '1', 'ot-baggage-x': 'y' },
    { ...both, isSampled: true, baggage: { x: 'y' } },
  ],
  [
    'datadog',
    {
      'x-datadog-trace-id': `${BigInt(`0x${SHORT}`)}`,
      'x-datadog-parent-id': `${BigInt(`0x${SPAN}`)}`,
      'x-datadog-sampling-priority': '2',
    },
    { traceId: PADDED, spanId: SPAN, isSampled: true },
  ],
  [
    'aws',
    { 'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${SPAN};Sampled=0` },
    { ...both, isSampled: false },
  ],
  ['gcp', { 'x-cloud-trace-context': `${TRACE}/${BigInt(`0x${SPAN}`)};o=1` }, { ...both, isSampled: true }],
  ['gcp', { 'x-cloud-trace-context': `${TRACE}/${BigInt(`0x${SPAN}`)}` }, { ...both, isSampled: false }],
  [
    'instana',
    { 'x-instana-t': TRACE, 'x-instana-s': SPAN, 'x-instana-l': '1' },
    { ...both, isSampled: true },
  ],
  ['instana', { 'x-instana-l': '0' }, { traceId: undefined, isSampled: false }],
])('given %s headers %o, when they are read, then the context is theirs', (format, headers, context) => {
  expect(extractTrace(headerList(headers), TRACE_FORMATS)).toMatchObject({ format, context });
});

test.each([
  { traceparent: `01-${TRACE}-${SPAN}-01` },
  { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` },
  { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` },
  { traceparent: [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-00`] },
  { tracestate: 'vendor=1' },
  { b3: 'nonsense' },
  { b3: `${TRACE}1-${SPAN}-1` },
  { 'x-b3-traceid': 'short', 'x-b3-spanid': SPAN },
  { 'uber-trace-id': `${TRACE}:0:0:1` },
  { 'ot-tracer-traceid': TRACE, 'ot-tracer-spanid': 'x' },
  { 'x-datadog-trace-id': '-5' },
  { 'x-datadog-trace-id': '5', 'x-datadog-sampling-priority': '7' },
  { 'x-amzn-trace-id': 'Root=1-xyz' },
  { 'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=1` },
  { 'x-cloud-trace-context': `${TRACE.toUpperCase()}/1` },
  { 'x-instana-t': 'x', 'x-instana-s': SPAN },
])('given headers %o that say nothing valid, when they are read, then there is no trace', (headers) => {
  expect(extractTrace(headerList(headers), TRACE_FORMATS)).toBeUndefined();
});

const outgoing = {
  traceId: TRACE,
  traceDigits: undefined,
  spanId: SPAN,
  parentId: PARENT,
  isSampled: true,
  isDebug: false,
  baggage: { user: 'a b' },
};

test.each([
  ['w3c', {}, { traceparent: `00-${TRACE}-${SPAN}-01` }, TRACE],
  ['w3c', { isSampled: false }, { traceparent: `00-${TRACE}-${SPAN}-00` }, TRACE],
  [
    'b3',
    {},
    { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-parentspanid': PARENT, 'x-b3-sampled': '1' },
    TRACE,
  ],
  [
    'b3',
    { isDebug: true, parentId: undefined, traceDigits: 16 },
    { 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' },
    SHORT,
  ],
  ['b3-single', {}, { b3: `${TRACE}-${SPAN}-1-${PARENT}` }, TRACE],
  ['b3-single', { isDebug: true }, { b3: `${TRACE}-${SPAN}-d-${PARENT}` }, TRACE],
  ['jaeger', {}, { 'uber-trace-id': `${TRACE}:${SPAN}:${PARENT}:01`, 'uberctx-user': 'a%20b' }, TRACE],
  [
    'ot',
    { isSampled: false },
    {
      'ot-tracer-traceid': SHORT,
      'ot-tracer-spanid': SPAN,
      'ot-tracer-sampled': '0',
      'ot-baggage-user': 'a%20b',
    },
    SHORT,
  ],
  [
    'datadog',
    {},
    {
      'x-datadog-trace-id': `${BigInt(`0x${SHORT}`)}`,
      'x-datadog-parent-id': `${BigInt(`0x${SPAN}`)}`,
      'x-datadog-sampling-priority': '1',
    },
    `${BigInt(`0x${SHORT}`)}`,
  ],
  [
    'aws',
    {},
    { 'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${SPAN};Sampled=1` },
    TRACE,
  ],
  ['gcp', {}, { 'x-cloud-trace-context': `${TRACE}/${BigInt(`0x${SPAN}`)};o=1` }, TRACE],
  ['instana', {}, { 'x-instana-t': TRACE, 'x-instana-s': SPAN, 'x-instana-l': '1' }, TRACE],
] as const)(
  'given a trace, when it goes on as %s with %o, then the headers are %o',
  (format, over, headers, id) => {
    const list = headerList();
    const ids = injectTrace({ ...outgoing, ...over }, [format], list);
    expect(seen(list)).toEqual(headers);
    expect(Object.values(ids)).toEqual([id]);
  },
);

const otel = (config: object) =>
  propagationOf(opentelemetry.config.parse({ traces_endpoint: 'http://c', ...config }) as never);
const zip = (config: object) => propagationOf(zipkin.config.parse(config) as never);

test.each([
  ['opentelemetry', otel({}), { extract: TRACE_FORMATS, inject: ['preserve'], defaultFormat: 'w3c' }],
  ['zipkin', zip({}), { extract: TRACE_FORMATS, inject: ['preserve'], defaultFormat: 'b3' }],
  ['header_type ignore', otel({ header_type: 'ignore' }), { extract: [], inject: ['w3c'] }],
  [
    'header_type b3',
    otel({ header_type: 'b3' }),
    { extract: TRACE_FORMATS, inject: ['preserve', 'b3'], clear: [] },
  ],
  [
    'default_header_type',
    zip({ default_header_type: 'w3c' }),
    { inject: ['preserve'], defaultFormat: 'w3c' },
  ],
  [
    'header_type ignore and default_header_type',
    zip({ header_type: 'ignore', default_header_type: 'jaeger' }),
    { extract: [], inject: ['jaeger'] },
  ],
  [
    'propagation over header_type',
    otel({ header_type: 'ignore', propagation: { extract: ['w3c'], default_format: 'b3' } }),
    { extract: ['w3c'], inject: [], defaultFormat: 'b3' },
  ],
  [
    'propagation with nothing but its default',
    otel({ propagation: { default_format: 'ot' } }),
    { extract: TRACE_FORMATS, inject: ['preserve'], defaultFormat: 'ot' },
  ],
])('given %s, when the settings are read, then Kong’s meaning is theirs', (_what, propagation, expected) => {
  expect(propagation).toMatchObject(expected);
});
