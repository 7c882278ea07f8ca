import { Collector, eventually, freePort } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { call, EdgeWorld, type Entities, plugin, route, service, Upstream } from './edge-world.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SOON = { max_coalescing_delay: 0.01 };
const traced = (to: Collector, config: object = {}) =>
  plugin('opentelemetry', {
    traces_endpoint: `${to.url}/v1/traces`,
    sampling_rate: 1,
    queue: { max_batch_size: 100, ...SOON },
    ...config,
  });
const through = (upstream: { url: string }, plugins: Entities['plugins'] = [], settings = {}) => {
  const to = service('up', upstream.url, { retries: 1 });
  const all = route('all', to, { paths: ['/a'] });
  return EdgeWorld.start({ services: [to], routes: [all], plugins }, settings);
};
const whole = async (collector: Collector, count = 1) => {
  const roots = () => collector.spans().filter(({ name }) => name === 'kong');
  await eventually(() => roots().length >= count);
  return collector.spans();
};

test('given opentelemetry, when a request passes, then one tree reaches the collector and the upstream its end', async () => {
  await using collector = await Collector.start();
  await using upstream = await Upstream.start();
  const logged = plugin('request-transformer', { add: { headers: ['a:b'] } });
  await using world = await through(upstream, [traced(collector), logged]);
  await call(world.port, '/a?token=s-1&b=2', { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });
  const spans = await whole(collector);
  const root = spans.find(({ name }) => name === 'kong');
  const balancer = spans.find(({ name }) => name === 'kong.balancer');
  expect(spans.map(({ name }) => name)).toEqual([
    'kong',
    'kong.router',
    'kong.access.plugin.request-transformer',
    'kong.access.plugin.opentelemetry',
    'kong.header_filter.plugin.opentelemetry',
    'kong.balancer',
  ]);
  expect(root).toMatchObject({
    traceId: TRACE,
    parentId: SPAN,
    attributes: {
      'http.url': 'http://127.0.0.1/a?token=REDACTED&b=2',
      'http.route': '/a',
      'http.status_code': 200,
      'net.peer.ip': '127.0.0.1',
    },
  });
  for (const span of spans.slice(1)) {
    expect(span.parentId).toBe(root?.spanId);
    expect(span.start >= (root?.start ?? 0n) && span.end <= (root?.end ?? 0n) + 1_000_000n).toBe(true);
  }
  expect(balancer?.attributes).toMatchObject({ 'net.peer.ip': '127.0.0.1', 'net.peer.port': upstream.port });
  expect(upstream.received[0]?.headers.traceparent).toBe(`00-${TRACE}-${balancer?.spanId}-01`);
  const [first] = collector.requests();
  expect(first?.headers['content-type']).toBe('application/x-protobuf');
});

test('given a collector that refuses at first, then the spans are sent again', async () => {
  await using collector = await Collector.start();
  await using upstream = await Upstream.start();
  collector.statuses.push(503, 500);
  await using world = await through(upstream, [traced(collector)]);
  await call(world.port, '/a');
  expect((await whole(collector)).filter(({ name }) => name === 'kong')).toHaveLength(1);
});

test('given a dead upstream, then every attempt is a failed span and the root says what the client got', async () => {
  await using collector = await Collector.start();
  const url = `http://127.0.0.1:${await freePort()}`;
  await using world = await through({ url }, [traced(collector)]);
  expect((await call(world.port, '/a')).status).toBe(502);
  const spans = await whole(collector);
  expect(spans.find(({ name }) => name === 'kong')?.attributes['http.status_code']).toBe(502);
  const attempts = spans.filter(({ name }) => name === 'kong.balancer');
  expect(attempts.map(({ status, attributes }) => [status, attributes.try_count])).toEqual([
    [2, 1],
    [2, 2],
  ]);
});

test('given requests that end before the chain, then they are traced all the same', async () => {
  await using collector = await Collector.start();
  await using upstream = await Upstream.start();
  const keyed = plugin('key-auth', {});
  await using world = await through(upstream, [traced(collector), keyed]);
  const headers = { traceparent: `00-${TRACE}-${SPAN}-01` };
  await call(world.port, '/a', { headers });
  await call(world.port, '/nowhere', { headers });
  const roots = (await whole(collector, 2)).filter(({ name }) => name === 'kong');
  expect(roots.map(({ traceId, attributes }) => [traceId, attributes['http.status_code']])).toEqual([
    [TRACE, 401],
    [TRACE, 404],
  ]);
});

test('given zipkin before opentelemetry, then both tell one trace, the second under the first', async () => {
  await using collector = await Collector.start();
  await using upstream = await Upstream.start();
  const zipkin = plugin('zipkin', { http_endpoint: `${collector.url}/api/v2/spans`, sample_ratio: 1 });
  await using world = await through(upstream, [traced(collector), zipkin]);
  await call(world.port, '/a');
  const spans = await whole(collector);
  await eventually(() => collector.zipkinSpans().length === 3);
  const [, proxy, request] = collector.zipkinSpans();
  const root = spans.find(({ name }) => name === 'kong');
  expect(root).toMatchObject({ traceId: request?.traceId, parentId: proxy?.id });
  const { headers } = upstream.received[0] ?? {};
  expect(headers).toMatchObject({ 'x-b3-traceid': request?.traceId });
  expect(headers?.['x-b3-spanid']).toBe(spans.find(({ name }) => name === 'kong.balancer')?.spanId);
});

test('given instruments switched off, then traces go on and no span is sent', async () => {
  await using collector = await Collector.start();
  await using upstream = await Upstream.start();
  const { url } = collector;
  await using world = await through(upstream, [traced(collector, { logs_endpoint: `${url}/v1/logs` })], {
    TRACING_INSTRUMENTATIONS: 'off',
  });
  await call(world.port, '/a', { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });
  await eventually(() => collector.logs().length === 1);
  expect(collector.logs()[0]).toMatchObject({ body: 'GET /a 200', traceId: TRACE, flags: 0 });
  expect(collector.spans()).toEqual([]);
  expect(upstream.received[0]?.headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
});
