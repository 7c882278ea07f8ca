import { expect, test } from 'vitest';
import { createMetrics, histogram, openMetrics, startStatusServer } from '../src/index.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TEXT = `# HELP asked_total Questions "asked"
# TYPE asked_total counter
asked_total{who="a b"} 2

# HELP kong_bandwidth_bytes Bytes
# TYPE kong_bandwidth_bytes counter
kong_bandwidth_bytes 7

# TYPE ms histogram
ms_bucket{le="1",to="a 1"} 0
ms_bucket{le="+Inf",to="a 1"} 1
ms_sum{to="a 1"} 3
ms_count{to="a 1"} 1
`;

test('each series keeps its name in OpenMetrics; a counter that it would rename is of unknown type', () => {
  const exemplar = {
    series: 'ms_bucket{le="+Inf",to="a 1"}',
    traceId: TRACE,
    value: 3,
    at: 1_767_323_045_250,
  };

  expect(openMetrics(TEXT, [exemplar])).toBe(`# TYPE asked counter
# HELP asked Questions \\"asked\\"
asked_total{who="a b"} 2
# TYPE kong_bandwidth_bytes unknown
# HELP kong_bandwidth_bytes Bytes
kong_bandwidth_bytes 7
# TYPE ms histogram
ms_bucket{le="1",to="a 1"} 0
ms_bucket{le="+Inf",to="a 1"} 1 # {trace_id="${TRACE}"} 3 1767323045.250
ms_sum{to="a 1"} 3
ms_count{to="a 1"} 1
# EOF
`);
});

test('given a scraper that takes OpenMetrics, then /metrics has exemplars, and for others it is as ever', async () => {
  const metrics = createMetrics('auth', '0.1.0');
  histogram(metrics, 'ms', 'Took', [] as const, [1]).observe(3);
  const at = { host: '127.0.0.1', port: 0, metrics, problems: () => ({}) };
  const server = await startStatusServer({
    ...at,
    exemplars: () => [{ series: 'ms_bucket{le="+Inf"}', traceId: TRACE, value: 3, at: 1000 }],
  });
  const get = async (accept: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { accept } });
    return { type: answer.headers.get('content-type'), text: await answer.text() };
  };

  const open = await get('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
  expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(open.text).toContain(`ms_bucket{le="+Inf"} 1 # {trace_id="${TRACE}"} 3 1.000\n`);
  expect(open.text).toMatch(/\n# EOF\n$/);
  const plain = await get('*/*');
  expect(plain.type).toContain('version=0.0.4');
  expect(plain.text).not.toContain(TRACE);
  await server.close();
});
