import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Every edge answers with its metrics, so that one scrape of the Admin API sees the fleet. */
export const edgeMetrics = requestReply({
  subject: 'edge.v1.metrics',
  summary: 'Collect the Prometheus metrics of every edge.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 500,
  request: z.object({}),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** Prometheus text format 0.0.4. */
    text: z.string(),
  }),
  examples: [
    {
      name: 'one counter',
      request: {},
      reply: { instance: 'edge-proxy-4311', text: '# TYPE x counter\nx 1\n' },
    },
  ],
});
