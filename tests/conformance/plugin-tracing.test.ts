import { type CallOptions, Collector, eventually, type OtlpSpan } from '@sluice/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { header, routesWith } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SHORT = TRACE.slice(16);
const SPAN = 'b7ad6b7169203331';
const W3C = header('traceparent', `00-${TRACE}-${SPAN}-01`);
const SOON = { max_batch_size: 100, max_coalescing_delay: 0.05 };
const HEX16 = '[0-9a-f]{16}';

let world: World;
let collector: Collector;
/** Where the spans of one route arrive. */
const at = (name: string): string => `${collector.url}/${name}`;
const otel = (name: string, config: Document = {}): Document => ({
  [name]: { traces_endpoint: at(name), sampling_rate: 1, queue: SOON, ...config },
});
const propagation = (over: Document): Document => ({
  propagation: { extract: ['w3c'], default_format: 'w3c', ...over },
});
const zipkin = (name: string, config: Document = {}): Document => ({
  [name]: { http_endpoint: at(name), sample_ratio: 1, queue: SOON, ...config },
});

const HEADER_TYPES = ['b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'gcp', 'datadog', 'instana'];
const otelRoutes = (): Document => ({
  ...otel('plain'),
  ...otel('old-endpoint', { traces_endpoint: null, endpoint: at('old-endpoint') }),
  ...otel('logs', { traces_endpoint: null, logs_endpoint: at('logs') }),
  ...otel('headers', { headers: { 'X-Token': 't-1' } }),
  ...otel('resource', { resource_attributes: { 'service.name': 'edge', zone: 'z1' } }),
  ...otel('tell', { http_response_header_for_traceid: 'X-Trace-Id' }),
  ...otel('never', { sampling_rate: 0 }),
  ...otel('batch', { queue: { max_batch_size: 3, max_coalescing_delay: 600 } }),
  ...otel('old-batch', { batch_span_count: 3, batch_flush_delay: 600 }),
  ...otel('timeouts', { connect_timeout: 500, send_timeout: 500, read_timeout: 500 }),
  ...otel('extract', propagation({ extract: ['b3', 'w3c'], inject: ['preserve'] })),
  ...otel('extract-none', propagation({ extract: [], inject: ['w3c'] })),
  ...otel('clear', propagation({ clear: ['traceparent', 'x-old'], inject: ['b3'] })),
  ...otel('inject', propagation({ inject: ['b3', 'jaeger', 'datadog'] })),
  ...otel('inject-none', propagation({ inject: [] })),
  ...otel('default-format', propagation({ inject: ['preserve'], default_format: 'jaeger' })),
  ...otel('ignore', { header_type: 'ignore' }),
  ...otel('preserve', { header_type: 'preserve' }),
  ...Object.assign({}, ...HEADER_TYPES.map((type) => otel(`as-${type}`, { header_type: type }))),
});
const zipkinRoutes = (): Document => ({
  ...zipkin('z-plain'),
  ...zipkin('z-names', {
    local_service_name: 'edge',
    default_service_name: 'other',
    http_span_name: 'method_path',
    static_tags: [{ name: 'zone', value: 'z1' }],
    tags_header: 'X-Tags',
    phase_duration_flavor: 'tags',
    include_credential: false,
    http_response_header_for_traceid: 'X-Trace-Id',
    connect_timeout: 500,
    send_timeout: 500,
    read_timeout: 500,
  }),
  ...zipkin('z-never', { sample_ratio: 0 }),
  ...zipkin('z-short', { traceid_byte_count: 8 }),
  ...zipkin('z-w3c', { header_type: 'w3c' }),
  ...zipkin('z-ignore', { header_type: 'ignore' }),
  ...zipkin('z-default', { default_header_type: 'jaeger' }),
  ...zipkin('z-propagation', propagation({ inject: ['datadog'] })),
  ...zipkin('z-nowhere', { http_endpoint: null }),
});

beforeAll(async () => {
  collector = await Collector.start();
  // The gateway's own traces go to the same collector, under /v1/traces.
  world = await World.start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' });
  const routes = [
    ...routesWith('opentelemetry', otelRoutes() as Record<string, Document>),
    ...routesWith('zipkin', zipkinRoutes() as Record<string, Document>),
  ];
  await world.load({ services: [world.service('echo', routes)] });
  await world.until('/never', 200);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

/** The spans of one request to a route. */
const spansOf = async (name: string, options: CallOptions = W3C): Promise<readonly OtlpSpan[]> => {
  const before = collector.spans(`/${name}`).length;
  await world.through(`/${name}`, options);
  await eventually(() => collector.spans(`/${name}`).length > before);
  return collector.spans(`/${name}`).slice(before);
};

test('traces_endpoint: given a sampled caller, then Kong’s span tree arrives, under the caller’s trace', async () => {
  const spans = await spansOf('plain');
  const root = spans[0];
  expect(root).toMatchObject({ name: 'kong', kind: 2, traceId: TRACE, parentId: SPAN });
  expect(Object.keys(root?.attributes ?? {}).sort()).toEqual([
    'http.client_ip',
    'http.flavor',
    'http.host',
    'http.method',
    'http.route',
    'http.scheme',
    'http.status_code',
    'http.url',
    'kong.request.id',
    'net.peer.ip',
  ]);
  expect(spans.slice(1).map(({ name, parentId }) => [name, parentId === root?.spanId])).toEqual([
    ['kong.router', true],
    ['kong.access.plugin.opentelemetry', true],
    ['kong.header_filter.plugin.opentelemetry', true],
    ['kong.balancer', true],
  ]);
  const [request] = collector.requests('/plain');
  expect(request?.headers['content-type']).toBe('application/x-protobuf');
  expect(collector.exports('/plain')[0]?.resource).toMatchObject({ 'service.name': 'kong' });
});

test('given the gateway’s own tracing, then its spans have the same trace id', async () => {
  await spansOf('plain');
  await eventually(() => collector.spans('/v1/traces').some(({ traceId }) => traceId === TRACE));
  const own = '1234567890abcdef1234567890abcdef';
  await spansOf('plain', { headers: { b3: `${own}-${SPAN}-1` } });
  await eventually(() => collector.spans('/v1/traces').some(({ traceId }) => traceId === own));
  const before = collector.spans('/plain').length;
  await world.through('/plain'); // no caller's trace at all
  await eventually(() => collector.spans('/plain').length > before);
  const begun = collector.spans('/plain').at(-1)?.traceId;
  await eventually(() => collector.spans('/v1/traces').some(({ traceId }) => traceId === begun));
});

test('endpoint: given the deprecated name, then spans arrive there', async () => {
  expect((await spansOf('old-endpoint'))[0]).toMatchObject({ name: 'kong', traceId: TRACE });
});

test('logs_endpoint: given a request, then a line of it arrives under its trace', async () => {
  await world.through('/logs', W3C);
  await eventually(() => collector.logs('/logs').length === 1);
  expect(collector.logs('/logs')[0]).toMatchObject({ body: 'GET /logs 200', traceId: TRACE, flags: 1 });
});

test('headers: given some, then they are sent along', async () => {
  await spansOf('headers');
  expect(collector.requests('/headers')[0]?.headers['x-token']).toBe('t-1');
});

test('resource_attributes: given some, then they stand over the resource’s own', async () => {
  await spansOf('resource');
  expect(collector.exports('/resource')[0]?.resource).toMatchObject({
    'service.name': 'edge',
    'service.version': '3.9.1',
    zone: 'z1',
  });
});

test('http_response_header_for_traceid: given a name, then the client is told the trace id', async () => {
  expect((await world.ask('/tell', W3C)).headers['x-trace-id']).toBe(TRACE);
});

test('sampling_rate: given 0, then the trace goes on unsampled and nothing arrives', async () => {
  const { seen } = await world.through('/never', W3C);
  expect(seen.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-${HEX16}-00$`));
  await spansOf('plain');
  expect(collector.requests('/never')).toEqual([]);
});

test.each(['batch', 'old-batch'])(
  'queue: given batches of 3 by %s, then five spans make one full batch',
  async (name) => {
    await world.through(`/${name}`, W3C);
    await eventually(() => collector.requests(`/${name}`).length === 1);
    expect(collector.spans(`/${name}`)).toHaveLength(3);
  },
);

test('connect_timeout, send_timeout, read_timeout: given short ones and a receiver in time, then spans arrive', async () => {
  expect(await spansOf('timeouts')).not.toHaveLength(0);
});

test.each([
  ['extract', 'w3c', W3C, { traceparent: `00-${TRACE}-${HEX16}-01` }],
  ['extract', 'b3 in one header', header('b3', `${TRACE}-${SPAN}-1`), { b3: `${TRACE}-${HEX16}-1-${HEX16}` }],
  ['extract-none', 'w3c', W3C, { traceparent: `00-(?!${TRACE})[0-9a-f]{32}-${HEX16}-01` }],
  ['clear', 'w3c', W3C, { traceparent: undefined, 'x-b3-traceid': TRACE }],
  [
    'inject',
    'w3c',
    W3C,
    {
      'x-b3-traceid': TRACE,
      'x-b3-sampled': '1',
      'uber-trace-id': `${TRACE}:${HEX16}:${HEX16}:01`,
      'x-datadog-trace-id': `${BigInt(`0x${SHORT}`)}`,
    },
  ],
  ['inject-none', 'w3c', W3C, { traceparent: `00-${TRACE}-${SPAN}-01` }],
  [
    'default-format',
    'nothing',
    {},
    { traceparent: undefined, 'uber-trace-id': `[0-9a-f]{32}:${HEX16}:.*:01` },
  ],
  ['ignore', 'w3c', W3C, { traceparent: `00-(?!${TRACE})[0-9a-f]{32}-${HEX16}-01` }],
  [
    'preserve',
    'ot',
    header('ot-tracer-traceid', SHORT),
    { 'ot-tracer-traceid': SHORT, 'ot-tracer-sampled': '1' },
  ],
  ['preserve', 'nothing', {}, { traceparent: `00-[0-9a-f]{32}-${HEX16}-01` }],
  [
    'as-b3',
    'w3c',
    W3C,
    { traceparent: `00-${TRACE}-${HEX16}-01`, 'x-b3-traceid': TRACE, 'x-b3-spanid': HEX16 },
  ],
  ['as-b3-single', 'w3c', W3C, { b3: `${TRACE}-${HEX16}-1-${HEX16}` }],
  [
    'as-w3c',
    'b3',
    header('b3', `${TRACE}-${SPAN}-1`),
    { traceparent: `00-${TRACE}-${HEX16}-01`, b3: `${TRACE}-.*` },
  ],
  ['as-jaeger', 'w3c', W3C, { 'uber-trace-id': `${TRACE}:${HEX16}:${HEX16}:01` }],
  ['as-ot', 'w3c', W3C, { 'ot-tracer-traceid': `.*${SHORT}`, 'ot-tracer-sampled': '1' }],
  [
    'as-aws',
    'w3c',
    W3C,
    { 'x-amzn-trace-id': `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${HEX16};Sampled=1` },
  ],
  ['as-gcp', 'w3c', W3C, { 'x-cloud-trace-context': `${TRACE}/\\d+;o=1` }],
  ['as-datadog', 'w3c', W3C, { 'x-datadog-sampling-priority': '1', 'x-datadog-parent-id': '\\d+' }],
  ['as-instana', 'w3c', W3C, { 'x-instana-t': TRACE, 'x-instana-s': HEX16, 'x-instana-l': '1' }],
  [
    'z-plain',
    'nothing',
    {},
    { 'x-b3-traceid': '[0-9a-f]{32}', 'x-b3-parentspanid': HEX16, 'x-b3-sampled': '1' },
  ],
  ['z-short', 'nothing', {}, { 'x-b3-traceid': `0{16}${HEX16}` }],
  ['z-w3c', 'nothing', {}, { traceparent: `00-[0-9a-f]{32}-${HEX16}-01`, 'x-b3-traceid': '[0-9a-f]{32}' }],
  ['z-ignore', 'b3', header('b3', `${TRACE}-${SPAN}-1`), { 'x-b3-traceid': `(?!${TRACE})[0-9a-f]{32}` }],
  ['z-default', 'nothing', {}, { 'uber-trace-id': `[0-9a-f]{32}:${HEX16}:${HEX16}:01` }],
  ['z-propagation', 'w3c', W3C, { 'x-datadog-trace-id': `${BigInt(`0x${SHORT}`)}` }],
  ['z-never', 'nothing', {}, { 'x-b3-sampled': '0' }],
  ['z-nowhere', 'w3c', W3C, { traceparent: `00-${TRACE}-${HEX16}-01` }],
])(
  '%s: given %s, then the upstream sees the trace as configured',
  async (name, _given, options, expected) => {
    const { seen } = await world.through(`/${name}`, options);
    for (const [header, pattern] of Object.entries(expected))
      if (pattern === undefined) expect(seen.headers).not.toHaveProperty(header);
      else expect(seen.headers[header], header).toMatch(new RegExp(`^${pattern}$`));
  },
);

test('http_endpoint: given a B3 caller, then Kong’s three spans arrive as JSON, sharing the caller’s span', async () => {
  await world.through('/z-plain', {
    headers: { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' },
  });
  const mine = () => collector.zipkinSpans('/z-plain').filter(({ traceId }) => traceId === TRACE);
  await eventually(() => mine().length === 3);
  const [attempt, proxy, request] = mine();
  expect(request).toMatchObject({
    id: SPAN,
    kind: 'SERVER',
    name: 'GET',
    localEndpoint: { serviceName: 'kong' },
  });
  expect(request?.tags).toMatchObject({ lc: 'kong', 'http.path': '/z-plain', 'http.status_code': '200' });
  expect(request?.annotations?.map(({ value }) => value)).toEqual(['krs', 'krf']);
  expect(proxy).toMatchObject({ name: 'GET (proxy)', kind: 'CLIENT', parentId: SPAN });
  expect(proxy?.remoteEndpoint).toMatchObject({ serviceName: 'echo', ipv4: '127.0.0.1' });
  expect(attempt).toMatchObject({ name: 'GET (balancer try 1)', parentId: SPAN });
  expect(collector.requests('/z-plain').at(-1)?.headers['content-type']).toBe('application/json');
});

test('zipkin’s other fields: given names, tags and flavours, then the spans show them', async () => {
  const answer = await world.ask('/z-names', header('X-Tags', 'a=1; b = two words'));
  await eventually(() => collector.zipkinSpans('/z-names').length === 3);
  const request = collector.zipkinSpans('/z-names').at(-1);
  expect(request).toMatchObject({
    name: 'GET /z-names',
    localEndpoint: { serviceName: 'edge' },
    remoteEndpoint: { serviceName: 'other' },
    tags: { zone: 'z1', a: '1', b: 'two words', 'kong.rewrite.duration_ms': expect.stringMatching(/^\d+$/) },
  });
  expect(request).not.toHaveProperty('annotations');
  expect(answer.headers['x-trace-id']).toBe(request?.traceId);
});
