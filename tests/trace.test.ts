import { once } from 'node:events';
import { createServer } from 'node:http';
import { eventually } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { RunningGateway, r1Headers } from './gateway.ts';

interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

/** A real OTLP/HTTP receiver (JSON) that keeps every span. */
const startReceiver = async () => {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans = [] } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { resource, scopeSpans } of resourceSpans) {
        const attribute = resource.attributes.find((a: { key: string }) => a.key === 'service.name');
        for (const { spans: some } of scopeSpans)
          for (const span of some) spans.push({ service: attribute.value.stringValue, ...span });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    spans,
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () => server.close(),
  };
};

test('given a sampled client, when it asks once, then one trace leads through edge, NATS, auth, ratelimit, Redis and upstream', async () => {
  const receiver = await startReceiver();
  await using gateway = await RunningGateway.start(['--demo'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
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
    traceparent: `00-${traceId}-${clientSpan}-01`,
  });
  expect(answer.status).toBe(200);
  const upstreamSaw = answer.json<{ headers: Record<string, string> }>().headers.traceparent ?? '';
  expect(upstreamSaw.split('-')[1]).toBe(traceId);

  const mine = () => receiver.spans.filter((span) => span.traceId === traceId);
  const find = (service: string, name: RegExp) =>
    mine().find((span) => span.service === service && name.test(span.name));
  await eventually(() => expect(mine().length).toBeGreaterThanOrEqual(7));

  const server = find('edge-proxy', /^GET agent-workflows$/);
  expect(server?.parentSpanId).toBe(clientSpan);
  const children: [string, RegExp, Span | undefined][] = [];
  const askAuth = find('edge-proxy', /^request auth\.v1\.verify$/);
  const askLimit = find('edge-proxy', /^request ratelimit\.v1\.check$/);
  const toUpstream = mine().find(
    (span) => span.service === 'edge-proxy' && span.spanId === upstreamSaw.split('-')[2],
  );
  for (const span of [askAuth, askLimit, toUpstream]) expect(span?.parentSpanId).toBe(server?.spanId);
  children.push(
    ['auth', /^process auth\.v1\.verify$/, askAuth],
    ['ratelimit', /^process ratelimit\.v1\.check$/, askLimit],
  );
  for (const [service, name, parent] of children)
    expect(find(service, name)?.parentSpanId, service).toBe(parent?.spanId);
  const redis = find('ratelimit', /EVALSHA|evalsha/i);
  expect(redis?.parentSpanId).toBe(find('ratelimit', /^process/)?.spanId);
  receiver.close();
});
