import { afterAll, beforeAll, expect, test } from 'vitest';
import { validate } from './plugin-cases.ts';
import { type Document, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.shared();
});
afterAll(() => world[Symbol.asyncDispose]());

const OTEL = { traces_endpoint: 'http://collector.test/v1/traces' };
const QUEUE = {
  max_coalescing_delay: 1,
  max_entries: 10_000,
  max_bytes: null,
  initial_retry_delay: 0.01,
  max_retry_time: 60,
  max_retry_delay: 60,
  concurrency_limit: 1,
};
const PROPAGATION = { extract: null, clear: null, inject: null };
const PROTECTED =
  'error, http.method, http.path, http.status_code, kong.balancer.state, kong.balancer.try, kong.consumer, kong.credential, kong.node.id, kong.route, kong.service, lc, peer.hostname';
const INJECTED = 'b3, w3c, jaeger, ot, datadog, aws, gcp, instana, b3-single';

test.each<[string, Document, Document]>([
  [
    'opentelemetry',
    OTEL,
    {
      ...OTEL,
      logs_endpoint: null,
      headers: null,
      resource_attributes: null,
      queue: { max_batch_size: 200, ...QUEUE },
      connect_timeout: 1000,
      send_timeout: 5000,
      read_timeout: 5000,
      http_response_header_for_traceid: null,
      header_type: 'preserve',
      sampling_rate: null,
      propagation: { ...PROPAGATION, default_format: 'w3c' },
    },
  ],
  [
    'zipkin',
    {},
    {
      http_endpoint: null,
      sample_ratio: 0.001,
      local_service_name: 'kong',
      default_service_name: null,
      include_credential: true,
      traceid_byte_count: 16,
      header_type: 'preserve',
      default_header_type: 'b3',
      tags_header: 'Zipkin-Tags',
      static_tags: null,
      http_span_name: 'method',
      connect_timeout: 2000,
      send_timeout: 5000,
      read_timeout: 5000,
      http_response_header_for_traceid: null,
      phase_duration_flavor: 'annotations',
      queue: { max_batch_size: 1, ...QUEUE },
      propagation: { ...PROPAGATION, default_format: 'b3' },
    },
  ],
])(
  'given %s with the least, when it is stored, then every default is Kong’s',
  async (name, config, stored) => {
    const answer = await world.post('/plugins', { name, config });
    expect(answer.status, answer.text).toBe(201);
    expect((JSON.parse(answer.text) as { config: Document }).config).toEqual(stored);
  },
);

const ranged = 'value should be between 0 and 1';
const timed = 'value should be between 0 and 2147483646';
const counted = 'value should be between 1 and 1000000';
test.each<[string, Document, Document]>([
  [
    'opentelemetry',
    {},
    { '@entity': ["at least one of these fields must be non-empty: 'traces_endpoint', 'logs_endpoint'"] },
  ],
  ['opentelemetry', { traces_endpoint: 'collector' }, { traces_endpoint: 'missing scheme in url' }],
  ['opentelemetry', { ...OTEL, logs_endpoint: 'x:1' }, { logs_endpoint: 'missing scheme in url' }],
  ['opentelemetry', { endpoint: 7 }, { endpoint: 'expected a string' }],
  ['opentelemetry', { ...OTEL, headers: 'x' }, { headers: 'expected a map' }],
  ['opentelemetry', { ...OTEL, resource_attributes: [1] }, { resource_attributes: 'expected a map' }],
  ['opentelemetry', { ...OTEL, queue: { max_batch_size: 0 } }, { queue: { max_batch_size: counted } }],
  ['opentelemetry', { ...OTEL, batch_span_count: 'x' }, { batch_span_count: 'expected an integer' }],
  ['opentelemetry', { ...OTEL, batch_flush_delay: 1.5 }, { batch_flush_delay: 'expected an integer' }],
  ['opentelemetry', { ...OTEL, connect_timeout: -1 }, { connect_timeout: timed }],
  ['opentelemetry', { ...OTEL, send_timeout: 2 ** 31 }, { send_timeout: timed }],
  ['opentelemetry', { ...OTEL, read_timeout: 'x' }, { read_timeout: 'expected an integer' }],
  [
    'opentelemetry',
    { ...OTEL, header_type: 'x' },
    { header_type: `expected one of: preserve, ignore, ${INJECTED}` },
  ],
  ['opentelemetry', { ...OTEL, sampling_rate: 1.1 }, { sampling_rate: ranged }],
  [
    'opentelemetry',
    { ...OTEL, propagation: {} },
    { propagation: { default_format: 'required field missing' } },
  ],
  [
    'opentelemetry',
    { ...OTEL, propagation: { default_format: 'preserve' } },
    { propagation: { default_format: `expected one of: ${INJECTED}` } },
  ],
  [
    'opentelemetry',
    { ...OTEL, propagation: { default_format: 'w3c', inject: ['x'] } },
    { propagation: { inject: [`expected one of: preserve, ${INJECTED}`] } },
  ],
  [
    'opentelemetry',
    { ...OTEL, propagation: { default_format: 'w3c', extract: ['b3-single'] } },
    { propagation: { extract: ['expected one of: b3, w3c, jaeger, ot, datadog, aws, gcp, instana'] } },
  ],
  [
    'opentelemetry',
    { ...OTEL, propagation: { default_format: 'w3c', clear: 'x' } },
    { propagation: { clear: 'expected an array' } },
  ],
  ['opentelemetry', { ...OTEL, tracing: true }, { tracing: 'unknown field' }],
  ['zipkin', { http_endpoint: 'x' }, { http_endpoint: 'missing scheme in url' }],
  ['zipkin', { sample_ratio: -0.1 }, { sample_ratio: ranged }],
  ['zipkin', { local_service_name: 1 }, { local_service_name: 'expected a string' }],
  ['zipkin', { default_service_name: 1 }, { default_service_name: 'expected a string' }],
  ['zipkin', { include_credential: 'x' }, { include_credential: 'expected a boolean' }],
  ['zipkin', { traceid_byte_count: 4 }, { traceid_byte_count: 'expected one of: 8, 16' }],
  ['zipkin', { header_type: 'x' }, { header_type: `expected one of: preserve, ignore, ${INJECTED}` }],
  ['zipkin', { default_header_type: 'preserve' }, { default_header_type: `expected one of: ${INJECTED}` }],
  ['zipkin', { tags_header: 1 }, { tags_header: 'expected a string' }],
  [
    'zipkin',
    { static_tags: [{ name: 'lc', value: 'x' }] },
    { static_tags: [{ name: `must not be one of: ${PROTECTED}` }] },
  ],
  [
    'zipkin',
    { static_tags: [1, 2].map((value) => ({ name: 'a', value: `${value}` })) },
    { static_tags: 'repeated tags are not allowed: a' },
  ],
  ['zipkin', { http_span_name: 'x' }, { http_span_name: 'expected one of: method, method_path' }],
  ['zipkin', { phase_duration_flavor: 'x' }, { phase_duration_flavor: 'expected one of: annotations, tags' }],
  ['zipkin', { connect_timeout: -1 }, { connect_timeout: timed }],
  ['zipkin', { queue: { concurrency_limit: 2 } }, { queue: { concurrency_limit: 'expected one of: 1, -1' } }],
  ['zipkin', { propagation: {} }, { propagation: { default_format: 'required field missing' } }],
])('given %s with %o, when it is checked, then the Admin API says %o', async (name, config, problems) => {
  const answer = await validate(world, name, config);
  expect(answer.status).toBe(400);
  expect((JSON.parse(answer.text) as { fields: Document }).fields).toEqual({ config: problems });
});
