import { eventually, GrpcCollector } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { RunningGateway, r1Headers } from './gateway.ts';

const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

/** Every span that came, with the service that made it. */
const spansAt = (receiver: GrpcCollector) =>
  receiver.exports().flatMap(({ resource, entries }) =>
    entries.map((span) => ({
      ...{ service: resource['service.name'], instance: resource['service.instance.id'] },
      ...span,
    })),
  );
type Span = ReturnType<typeof spansAt>[number];

test('given a sampled client, when it asks once, then one trace leads through edge, NATS, auth, ratelimit, Redis and upstream, and comes by gRPC', async () => {
  await using receiver = await GrpcCollector.start();
  await using gateway = await RunningGateway.start(['--demo'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=a%20key',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  const headers = r1Headers(await gateway.token('tenant-traced'), 'tenant-traced');
  // A gateway that has just started on a busy machine may decide without the limiter, which has 50 ms.
  await eventually(async () => {
    const { headers: seen } = await gateway.get('/v1/workflows', { ...headers, traceparent: UNSAMPLED });
    return seen['x-ratelimit-remaining-minute'] !== undefined;
  });
  const traceId = crypto.randomUUID().replaceAll('-', '');
  const clientSpan = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
  const answer = await gateway.get('/v1/workflows', {
    ...r1Headers(await gateway.token('tenant-traced', 'user-457'), 'tenant-traced'), // not verified before
    'x-user-id': 'user-457',
    baggage: 'user=somebody-else',
    traceparent: `00-${traceId}-${clientSpan}-01`,
  });
  expect(answer.status).toBe(200);
  const { traceparent: upstreamSaw = '', baggage } = answer.json<{ headers: Record<string, string> }>()
    .headers;
  expect(baggage).toBeUndefined();
  expect(upstreamSaw.split('-')[1]).toBe(traceId);

  const mine = () => spansAt(receiver).filter((span) => span.traceId === traceId);
  const find = (service: string, name: RegExp) =>
    mine().find((span) => span.service === service && name.test(span.name));
  await eventually(() => expect(mine().length).toBeGreaterThanOrEqual(7));

  const server = find('edge-proxy', /^GET agent-workflows$/);
  expect(server?.parentId).toBe(clientSpan);
  expect(server?.instance).toBe('edge-proxy-1');
  const plugins = server?.events.map(({ attributes }) => attributes['sluice.plugin.name']);
  expect(plugins).toEqual(expect.arrayContaining(['jwt', 'rate-limiting']));
  const children: [string, RegExp, Span | undefined][] = [];
  const askAuth = find('edge-proxy', /^request auth\.v1\.verify$/);
  const askLimit = find('edge-proxy', /^request ratelimit\.v1\.check$/);
  const toUpstream = mine().find(
    (span) => span.service === 'edge-proxy' && span.spanId === upstreamSaw.split('-')[2],
  );
  for (const span of [askAuth, askLimit, toUpstream]) expect(span?.parentId).toBe(server?.spanId);
  children.push(
    ['auth', /^process auth\.v1\.verify$/, askAuth],
    ['ratelimit', /^process ratelimit\.v1\.check$/, askLimit],
  );
  for (const [service, name, parent] of children)
    expect(find(service, name)?.parentId, service).toBe(parent?.spanId);
  const redis = find('ratelimit', /EVALSHA|evalsha/i);
  expect(redis?.parentId).toBe(find('ratelimit', /^process/)?.spanId);
  expect(receiver.calls[0]).toMatchObject({
    ...{ 'content-type': 'application/grpc', 'grpc-encoding': 'gzip', 'x-collector-key': 'a key' },
  });
});
