import type { z } from 'zod';
import { flag, record } from './fields.ts';
import { definePlugin } from './plugin.ts';

const off = (what: string) => flag().default(false).describe(what);

const Config = record({
  per_consumer: off('Label requests and bandwidth with the consumer.'),
  status_code_metrics: off('Count requests by status.'),
  latency_metrics: off('Measure latencies.'),
  bandwidth_metrics: off('Count bytes in both directions.'),
  upstream_health_metrics: off('Show the health of targets.'),
  ai_metrics: off('Accepted as in Kong.'),
  wasm_metrics: off('Accepted as in Kong.'),
});
/** Which metrics an instance asks for; the edge reads it where it records a request. */
export type PrometheusConfig = z.output<typeof Config>;

/** Kong's `prometheus`. The edge itself measures; this plugin's configuration says what. */
export const prometheus = definePlugin({
  name: 'prometheus',
  priority: 13,
  reads: {},
  summary: 'Exposes metrics of requests.',
  streams: true,
  config: Config,
  settle: () => undefined,
});
