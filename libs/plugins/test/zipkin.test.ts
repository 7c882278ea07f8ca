import { expect, test } from 'vitest';
import type { Timeline } from '../src/trace-timeline.ts';
import { zipkin } from '../src/zipkin.ts';
import { seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = '00f067aa0ba902b7';
const CALLED = {
  'x-b3-traceid': TRACE,
  'x-b3-spanid': SPAN,
  'x-b3-parentspanid': PARENT,
  'x-b3-sampled': '1',
};
const ENDPOINT = { http_endpoint: 'http://zipkin.test/api/v2/spans' };
const AT = 1_700_000_000_000;

const timeline: Timeline = {
  from: AT,
  until: AT + 20,
  nodeId: 'edge-1',
  status: 201,
  peerIp: '192.0.2.9',
  peerPort: 5000,
  hostName: 'gateway.test',
  target: '/a?b=1',
  routedAt: AT + 1,
  forwardedAt: AT + 3,
  answeredAt: AT + 15,
  handlers: [],
  attempts: [
    { ip: '127.0.0.1', port: 81, from: AT + 3, until: AT + 5, failure: 'timeout' },
    { ip: '::1', port: 80, from: AT + 5, until: AT + 20, failure: undefined },
  ],
};

type Span = Record<string, never> & { tags: Record<string, string> };
const run = (config: object, headers: Record<string, string> = {}) => {
  const ports = testPorts({ timeline });
  const exchange = testExchange({
    headers,
    target: '/a?b=1',
    identity: { consumer: { id: 'c-1' }, credential: { id: 'k-1', identifier: 'key' } },
  });
  const plugin = instance(zipkin, config);
  void plugin.access(exchange, ports);
  plugin.response(exchange, ports);
  plugin.settle(exchange, ports);
  const spans = ports.sent.map(({ entry }) => JSON.parse(`${entry}`) as Span);
  return { ports, exchange, spans, sent: seen(exchange.toUpstream) };
};
const requestSpan = (config: object, headers = {}) =>
  run({ sample_ratio: 1, ...ENDPOINT, ...config }, headers).spans.at(-1);

test('given a sampled caller, when the request is done, then the spans are Kong’s, the caller’s shared', () => {
  const { spans, sent } = run(ENDPOINT, CALLED);
  const [failed, worked, proxy, request] = spans;
  expect(spans).toHaveLength(4);
  expect(request).toMatchObject({
    traceId: TRACE,
    id: SPAN,
    parentId: PARENT,
    kind: 'SERVER',
    name: 'GET',
    timestamp: AT * 1000,
    duration: 20_000,
    localEndpoint: { serviceName: 'kong' },
    remoteEndpoint: { ipv4: '192.0.2.1', port: 5000 },
    tags: {
      lc: 'kong',
      'http.method': 'GET',
      'http.host': 'gateway.test',
      'http.path': '/a',
      'http.protocol': 'HTTP/1.1',
      'http.status_code': '201',
      'kong.consumer': 'c-1',
      'kong.credential': 'k-1',
      'kong.node.id': 'edge-1',
    },
    annotations: [
      { value: 'krs', timestamp: AT * 1000 },
      { value: 'krf', timestamp: (AT + 1) * 1000 },
    ],
  });
  expect(proxy).toMatchObject({
    traceId: TRACE,
    parentId: SPAN,
    kind: 'CLIENT',
    name: 'GET (proxy)',
    timestamp: (AT + 1) * 1000,
    duration: 19_000,
    remoteEndpoint: { ipv6: '::1', port: 80 },
  });
  const annotations = (proxy?.annotations ?? []) as readonly { value: string }[];
  expect(annotations.map(({ value }) => value)).toEqual(['kas', 'kaf', 'khs', 'khf', 'kbs', 'kbf']);
  expect(failed).toMatchObject({
    name: 'GET (balancer try 1)',
    parentId: SPAN,
    tags: { 'kong.balancer.try': '1', error: 'true', 'http.status_code': '504' },
  });
  expect(worked).toMatchObject({ name: 'GET (balancer try 2)', duration: 15_000 });
  expect(worked?.tags).not.toHaveProperty('error');
  expect(sent).toMatchObject({
    'x-b3-traceid': TRACE,
    'x-b3-spanid': proxy?.id,
    'x-b3-parentspanid': SPAN,
    'x-b3-sampled': '1',
  });
});

test('given a W3C caller, then the request’s span is a new one under the caller’s', () => {
  const span = requestSpan({}, { traceparent: `00-${TRACE}-${SPAN}-01` });
  expect(span).toMatchObject({ traceId: TRACE, parentId: SPAN });
  expect(span?.id).not.toBe(SPAN);
});

test.each([
  ['sample_ratio 0', { sample_ratio: 0 }, {}, false],
  ['sample_ratio 1', { sample_ratio: 1 }, {}, true],
  ['a caller who says yes', { sample_ratio: 0 }, CALLED, true],
  ['a caller who says no', { sample_ratio: 1 }, { ...CALLED, 'x-b3-sampled': '0' }, false],
])('given %s, then sampling follows', (_what, config, headers, isSampled) => {
  const { spans, sent } = run({ ...ENDPOINT, ...config }, headers);
  expect(spans.length > 0).toBe(isSampled);
  expect(sent['x-b3-sampled']).toBe(isSampled ? '1' : '0');
});

test.each([
  ['local_service_name', { local_service_name: 'edge' }, {}, { localEndpoint: { serviceName: 'edge' } }],
  ['default_service_name', { default_service_name: 'x' }, {}, { remoteEndpoint: { serviceName: 'x' } }],
  ['http_span_name', { http_span_name: 'method_path' }, {}, { name: 'GET /a' }],
  ['static_tags', { static_tags: [{ name: 'zone', value: 'z1' }] }, {}, { tags: { zone: 'z1' } }],
  [
    'tags_header',
    {},
    { 'Zipkin-Tags': 'a=1; b = two words ;broken; =c' },
    { tags: { a: '1', b: 'two words' } },
  ],
  ['tags_header of another name', { tags_header: 'X-Tags' }, { 'x-tags': 'a=1' }, { tags: { a: '1' } }],
  [
    'phase_duration_flavor',
    { phase_duration_flavor: 'tags' },
    {},
    { tags: { 'kong.rewrite.duration_ms': '1' } },
  ],
])('given %s, then the request’s span shows it', (_field, config, headers, expected) => {
  expect(requestSpan(config, headers)).toMatchObject(expected);
});

test('given phase durations as tags, then there are no annotations', () => {
  const { spans } = run({ ...ENDPOINT, phase_duration_flavor: 'tags' }, CALLED);
  expect(spans.some((span) => 'annotations' in span)).toBe(false);
  expect(spans.at(-2)?.tags).toMatchObject({
    'kong.access.duration_ms': '2',
    'kong.body_filter.duration_ms': '5',
  });
});

test('given include_credential false, then no credential is told', () => {
  expect(requestSpan({ include_credential: false })?.tags).not.toHaveProperty('kong.credential');
});

test('given traceid_byte_count 8, then a new trace has a short id', () => {
  const { spans, sent } = run({ ...ENDPOINT, sample_ratio: 1, traceid_byte_count: 8 });
  expect(spans[0]?.traceId).toMatch(/^[0-9a-f]{16}$/);
  expect(sent['x-b3-traceid']).toBe(`${'0'.repeat(16)}${spans[0]?.traceId}`);
});

test('given no endpoint, then traces go on and nothing is sent', () => {
  const { ports, sent } = run({}, CALLED);
  expect(ports.sent).toEqual([]);
  expect(sent['x-b3-traceid']).toBe(TRACE);
});

test('given a header for the trace id, then the client is told', () => {
  const { exchange } = run({ ...ENDPOINT, http_response_header_for_traceid: 'X-Trace-Id' }, CALLED);
  expect(exchange.toClient.get('x-trace-id')).toBe(TRACE);
});

test.each([
  [{ http_endpoint: 'x' }, { http_endpoint: 'missing scheme in url' }],
  [{ sample_ratio: 1.5 }, { sample_ratio: 'value should be between 0 and 1' }],
  [{ traceid_byte_count: 12 }, { traceid_byte_count: 'expected one of: 8, 16' }],
  [{ default_header_type: 'preserve' }, { default_header_type: expect.stringContaining('expected one of') }],
  [
    { static_tags: [{ name: 'lc', value: 'x' }] },
    { 'static_tags.0.name': expect.stringContaining('must not be one of: error, http.method') },
  ],
  [
    {
      static_tags: [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ],
    },
    { static_tags: 'repeated tags are not allowed: a' },
  ],
  [{ http_span_name: 'path' }, { http_span_name: 'expected one of: method, method_path' }],
  [{ phase_duration_flavor: 'x' }, { phase_duration_flavor: 'expected one of: annotations, tags' }],
])('given %o, when it is checked, then %o', (config, problems) => {
  expect(problemsOf(zipkin, config)).toEqual(problems);
});
