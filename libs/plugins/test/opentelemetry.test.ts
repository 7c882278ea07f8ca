import { decodeLogs, decodeTraces } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { opentelemetry } from '../src/opentelemetry.ts';
import type { Timeline } from '../src/trace-timeline.ts';
import { seen, testExchange, testPorts } from './exchange.ts';
import { instance, problemsOf } from './run.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const CALLED = { traceparent: `00-${TRACE}-${SPAN}-01` };
const ENDPOINT = { traces_endpoint: 'http://collector.test/v1/traces' };
const SENDER = { nodeId: 'edge-1', version: '3.9.1' };

const timeline: Timeline = {
  from: 1_700_000_000_000.25,
  until: 1_700_000_000_012.5,
  nodeId: 'edge-1',
  status: 200,
  peerIp: '192.0.2.9',
  peerPort: 5000,
  hostName: 'gateway.test',
  target: '/a?b=1',
  routedAt: 1_700_000_000_001,
  forwardedAt: 1_700_000_000_002,
  answeredAt: 1_700_000_000_010,
  handlers: [
    { plugin: 'jwt', phase: 'access', from: 1_700_000_000_001, until: 1_700_000_000_002 },
    { plugin: 'cors', phase: 'response', from: 1_700_000_000_010, until: 1_700_000_000_011 },
  ],
  attempts: [
    { ip: undefined, port: 81, from: 1_700_000_000_002, until: 1_700_000_000_003, failure: 'refused' },
    { ip: '127.0.0.1', port: 80, from: 1_700_000_000_003, until: 1_700_000_000_012, failure: undefined },
  ],
};

/** Runs a request through all phases. */
const run = (config: object, headers = {}, tracing = {}) => {
  const ports = testPorts({ timeline, tracing });
  const exchange = testExchange({ headers, target: '/a?b=1', answered: { date: 'x' } });
  const plugin = instance(opentelemetry, config);
  void plugin.access(exchange, ports);
  plugin.response(exchange, ports);
  plugin.settle(exchange, ports);
  const to = (name: string) => ports.sent.filter(({ sinkKey }) => sinkKey.endsWith(name));
  const exported = (name: string): Buffer => {
    const [first] = to(name);
    if (first?.sink.kind !== 'http' || first.sink.compose === undefined) throw new Error('nothing was sent');
    const entries = to(name).map(({ entry }) => entry);
    return first.sink.compose(entries, SENDER) as Buffer;
  };
  return { ports, exchange, exported, sent: seen(exchange.toUpstream) };
};

test('given a sampled caller, when the request is done, then its spans are one tree under the caller', () => {
  const { exported, sent } = run(ENDPOINT, CALLED);
  const { resource, scope, entries } = decodeTraces(exported(':traces'));
  expect(resource).toEqual({
    'service.name': 'kong',
    'service.version': '3.9.1',
    'service.instance.id': 'edge-1',
  });
  expect(scope).toBe('kong-internal');
  const [root, ...children] = entries;
  expect(root).toMatchObject({
    name: 'kong',
    kind: 2,
    traceId: TRACE,
    parentId: SPAN,
    start: 1_700_000_000_000_250_000n,
    end: 1_700_000_000_012_500_000n,
    status: 0,
    attributes: {
      'http.method': 'GET',
      'http.url': 'http://gateway.test/a?b=1',
      'http.host': 'gateway.test',
      'http.scheme': 'http',
      'http.flavor': '1.1',
      'http.client_ip': '192.0.2.1',
      'net.peer.ip': '192.0.2.9',
      'kong.request.id': '0'.repeat(32),
      'http.status_code': 200,
    },
  });
  expect(children.map(({ name, kind, status }) => [name, kind, status])).toEqual([
    ['kong.router', 1, 0],
    ['kong.access.plugin.jwt', 1, 0],
    ['kong.header_filter.plugin.cors', 1, 0],
    ['kong.balancer', 3, 2],
    ['kong.balancer', 3, 0],
  ]);
  for (const child of children) expect(child).toMatchObject({ traceId: TRACE, parentId: root?.spanId });
  expect(new Set(entries.map(({ spanId }) => spanId)).size).toBe(entries.length);
  expect(children.at(-2)?.attributes).toMatchObject({ try_count: 1, 'http.status_code': 502 });
  expect(children.at(-1)?.attributes).toMatchObject({ try_count: 2, 'net.peer.ip': '127.0.0.1' });
  expect(sent.traceparent).toBe(`00-${TRACE}-${children.at(-1)?.spanId}-01`);
});

test('given no caller’s trace, then the gateway’s own is continued and told to the edge', () => {
  const { ports, sent } = run(ENDPOINT);
  expect(sent.traceparent).toMatch(/^00-1{32}-[0-9a-f]{16}-01$/);
  expect(ports.adopted).toMatchObject([
    { traceId: '1'.repeat(32), isSampled: true, ids: { w3c: '1'.repeat(32) } },
  ]);
});

test.each([
  ['the caller says no', ENDPOINT, { traceparent: `00-${TRACE}-${SPAN}-00` }, {}, false],
  ['the configured rate is 0', { ...ENDPOINT, sampling_rate: 0 }, CALLED, {}, false],
  ['the setting’s rate is 0', ENDPOINT, CALLED, { rate: 0 }, false],
  ['the configuration overrules the setting', { ...ENDPOINT, sampling_rate: 1 }, {}, { rate: 0 }, true],
  ['spans are off', ENDPOINT, CALLED, { instruments: [] }, false],
])('given that %s, then sampling follows', (_why, config, headers, tracing, isSampled) => {
  const { ports, sent } = run(config, headers, tracing);
  expect(ports.sent.length > 0).toBe(isSampled);
  expect(sent.traceparent?.endsWith(isSampled ? '-01' : '-00')).toBe(true);
});

test('given a rate of a quarter, when many traces pass, then about a quarter is recorded, by their ids', () => {
  const config = { ...ENDPOINT, sampling_rate: 0.25 };
  const ids = Array.from(
    { length: 256 },
    (_, i) => `${'0'.repeat(19)}${i.toString(16).padStart(2, '0')}${'7'.repeat(11)}`,
  );
  const isSampled = (id: string) => run(config, { traceparent: `00-${id}-${SPAN}-01` }).ports.sent.length > 0;
  const sampled = ids.filter(isSampled);
  expect(sampled).toHaveLength(64);
  expect(sampled.every(isSampled)).toBe(true);
});

test('given only some instruments, then only their spans are made and the root is the upstream’s parent', () => {
  const { exported, sent } = run(ENDPOINT, CALLED, { instruments: ['request', 'router'] });
  const { entries } = decodeTraces(exported(':traces'));
  expect(entries.map(({ name }) => name)).toEqual(['kong', 'kong.router']);
  expect(sent.traceparent).toBe(`00-${TRACE}-${entries[0]?.spanId}-01`);
});

test('given resource attributes, headers, timeouts and a queue, then the sink has them', () => {
  const config = {
    ...ENDPOINT,
    resource_attributes: { 'service.name': 'edge', zone: 'z1' },
    headers: { 'X-Token': 't' },
    connect_timeout: 11,
    send_timeout: 12,
    read_timeout: 13,
    queue: { max_batch_size: 3 },
  };
  const { ports, exported } = run(config, CALLED);
  expect(decodeTraces(exported(':traces')).resource).toMatchObject({ 'service.name': 'edge', zone: 'z1' });
  expect(ports.sent[0]?.sink).toMatchObject({
    url: ENDPOINT.traces_endpoint,
    method: 'POST',
    headers: { 'X-Token': 't', 'Content-Type': 'application/x-protobuf' },
    timeoutMs: 13,
    connectTimeoutMs: 11,
    sendTimeoutMs: 12,
    queue: { maxBatchSize: 3, maxCoalescingDelay: 1 },
  });
});

test.each([
  [{}, { maxBatchSize: 200, maxCoalescingDelay: 1 }],
  [{ queue: { max_coalescing_delay: 2 } }, { maxBatchSize: 1, maxCoalescingDelay: 2 }],
  [
    { batch_span_count: 50, batch_flush_delay: 4 },
    { maxBatchSize: 50, maxCoalescingDelay: 4 },
  ],
])('given %o, then the queue is %o', (config, queue) => {
  expect(run({ ...ENDPOINT, ...config }, CALLED).ports.sent[0]?.sink.queue).toMatchObject(queue);
});

test('given a logs_endpoint, then each request leaves a line under its trace, sampled or not', () => {
  const { exported } = run({ logs_endpoint: 'http://collector.test/v1/logs', sampling_rate: 0 }, CALLED);
  expect(decodeLogs(exported(':logs')).entries).toMatchObject([
    {
      severity: 'INFO',
      body: 'GET /a 200',
      traceId: TRACE,
      flags: 0,
      at: 1_700_000_000_012_500_000n,
      attributes: { 'http.status_code': 200, 'request.id': '0'.repeat(32), duration_ms: 12.25 },
    },
  ]);
});

test('given a header for the trace id, then the client is told', () => {
  const { exchange } = run({ ...ENDPOINT, http_response_header_for_traceid: 'X-Trace-Id' }, CALLED);
  expect(exchange.toClient.get('x-trace-id')).toBe(TRACE);
});

test('given clear and inject, then the caller’s headers go and others come', () => {
  const propagation = {
    extract: ['w3c'],
    clear: ['traceparent', 'x-old'],
    inject: ['b3', 'datadog'],
    default_format: 'w3c',
  };
  const { sent } = run({ ...ENDPOINT, propagation }, { ...CALLED, 'X-Old': '1' });
  expect(sent).toMatchObject({ 'x-b3-traceid': TRACE, 'x-datadog-sampling-priority': '1' });
  expect(sent).not.toHaveProperty('traceparent');
  expect(sent).not.toHaveProperty('x-old');
});

test('given that nothing may be extracted, then the caller’s trace is not continued', () => {
  const { sent } = run(
    { ...ENDPOINT, header_type: 'ignore' },
    { traceparent: `00-${'1'.repeat(32)}-${SPAN}-01` },
  );
  expect(sent.traceparent).not.toContain('1'.repeat(32));
});

test.each([
  [{}, { '@entity': "at least one of these fields must be non-empty: 'traces_endpoint', 'logs_endpoint'" }],
  [{ traces_endpoint: 'collector' }, { traces_endpoint: 'missing scheme in url' }],
  [{ ...ENDPOINT, sampling_rate: 2 }, { sampling_rate: 'value should be between 0 and 1' }],
  [{ ...ENDPOINT, headers: { 'a b': 'c' } }, { 'headers.a b': expect.stringContaining('bad header name') }],
  [{ ...ENDPOINT, resource_attributes: { a: '' } }, { 'resource_attributes.a': expect.any(String) }],
  [{ ...ENDPOINT, connect_timeout: -1 }, { connect_timeout: 'value should be between 0 and 2147483646' }],
  [{ ...ENDPOINT, header_type: 'x' }, { header_type: expect.stringContaining('expected one of: preserve') }],
  [{ ...ENDPOINT, batch_span_count: 1.5 }, { batch_span_count: 'expected an integer' }],
  [
    { ...ENDPOINT, propagation: { extract: ['b3-single'], default_format: 'w3c' } },
    { 'propagation.extract.0': expect.stringContaining('expected one of: b3, w3c') },
  ],
  [{ ...ENDPOINT, propagation: {} }, { 'propagation.default_format': 'required field missing' }],
  [
    { ...ENDPOINT, propagation: { clear: ['a b'], default_format: 'w3c' } },
    { 'propagation.clear.0': expect.any(String) },
  ],
])('given %o, when it is checked, then %o', (config, problems) => {
  expect(problemsOf(opentelemetry, config)).toEqual(problems);
});

test('deprecated fields are warned about', () => {
  const config = opentelemetry.config.parse({ endpoint: 'http://c', batch_span_count: 5 });
  expect(opentelemetry.warnings?.(config, { environment: {} })).toHaveLength(2);
});
