import { edgeMetrics } from '@sluice/contracts';
import { startNats } from '@sluice/testkit';
import { expect, test } from 'vitest';
import { federateMetrics } from '../src/federate-metrics.ts';
import { edgesSeen, runEdge, runRegistry } from './registry-world.ts';

const histogram = (count: number) => `# HELP kong_latency_ms Latency
# TYPE kong_latency_ms histogram
kong_latency_ms_bucket{le="1"} ${count}
kong_latency_ms_bucket{le="+Inf"} ${count}
kong_latency_ms_sum 3
kong_latency_ms_count ${count}
# TYPE plain counter
plain{path="/a}b"} 1 1700000000
`;

test('a family appears once, with all samples, each with its instance last', () => {
  const text = federateMetrics([
    { instance: 'a', text: histogram(1) },
    { instance: 'b"', text: histogram(2) },
  ]);

  expect(text).toBe(`# HELP kong_latency_ms Latency
# TYPE kong_latency_ms histogram
kong_latency_ms_bucket{le="1",instance="a"} 1
kong_latency_ms_bucket{le="+Inf",instance="a"} 1
kong_latency_ms_sum{instance="a"} 3
kong_latency_ms_count{instance="a"} 1
kong_latency_ms_bucket{le="1",instance="b\\""} 2
kong_latency_ms_bucket{le="+Inf",instance="b\\""} 2
kong_latency_ms_sum{instance="b\\""} 3
kong_latency_ms_count{instance="b\\""} 2
# TYPE plain counter
plain{path="/a}b",instance="a"} 1 1700000000
plain{path="/a}b",instance="b\\""} 1 1700000000
`);
});

test('given two edges on the bus, when the Admin API is scraped, then their metrics are in it', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using _one = await runEdge(nats.url, 'edge-1', { metrics: histogram(1) });
  await using _two = await runEdge(nats.url, 'edge-2', { metrics: histogram(2) });
  await edgesSeen(registry, 2);

  const answer = await registry.call('/metrics');

  expect(answer.headers.get('content-type')).toBe('text/plain; charset=UTF-8');
  const text = await answer.text();
  expect(text).toContain('kong_latency_ms_count{instance="edge-1"} 1');
  expect(text).toContain('kong_latency_ms_count{instance="edge-2"} 2');
  expect(text.match(/^# TYPE kong_latency_ms /gm)).toHaveLength(1);
  expect(text).toMatch(/^sluice_live_edges\{instance="registry-1"\} 2$/m);
});

test('given an edge whose series are more than a message holds, then all of them are in the scrape', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  const series = Array.from({ length: 30_000 }, (_, n) => `requests{route="a-route-with-a-name-${n}"} ${n}`);
  const metrics = `# TYPE requests counter\n${series.join('\n')}\n`;
  expect(metrics.length).toBeGreaterThan(1024 * 1024);
  await using _edge = await runEdge(nats.url, 'edge-1', { metrics });
  await edgesSeen(registry, 1);

  const text = await (await registry.call('/metrics')).text();

  expect(text.match(/^requests\{/gm)).toHaveLength(30_000);
});

test('given an edge whose metrics cannot be unpacked, then the others are there', async () => {
  await using nats = await startNats();
  await using registry = await runRegistry(nats.url);
  await using _one = await runEdge(nats.url, 'edge-1', { metrics: histogram(1) });
  await using broken = await runEdge(nats.url, 'edge-2');
  broken.bus.answer(edgeMetrics, () => ({ instance: 'edge-2', text: '', zstd: 'bm90IHpzdGQ=' }));
  await edgesSeen(registry, 2);

  const text = await (await registry.call('/metrics')).text();

  expect(text).toContain('kong_latency_ms_count{instance="edge-1"} 1');
});
