import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Requests that stand for a figure of a histogram. */
const exemplar = z.object({
  /** The bucket as the text has it: name and labels. */
  series: z.string().max(2048),
  traceId: z.string().max(64),
  value: z.number(),
  /** Unix ms. */
  at: z.number().nonnegative(),
});

/** Most exemplars of one answer: what it says has to fit one message. */
export const MAX_EXEMPLARS = 200;

/** Largest text of one edge's metrics, unpacked, in bytes. */
export const MAX_METRICS_BYTES = 128 * 1024 * 1024;

/** Every edge answers with its metrics, so that one scrape of the Admin API sees the fleet. */
export const edgeMetrics = requestReply({
  subject: 'edge.v1.metrics',
  summary: 'Collect the Prometheus metrics of every edge.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 500,
  request: z.object({
    /** Forms in which the asker can read the text beside plain: a thousand routes' series fill many messages. */
    accepts: z.array(z.string().max(16)).max(8).optional(),
  }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** Prometheus text format 0.0.4; empty where `zstd` holds it. */
    text: z.string(),
    /** The text by Zstandard, in base64; only for who accepts `zstd`. */
    zstd: z.base64().optional(),
    /** Of recorded traces, the newest ones. */
    exemplars: z.array(exemplar).max(MAX_EXEMPLARS).optional(),
  }),
  examples: [
    {
      name: 'one counter',
      request: {},
      reply: { instance: 'edge-proxy-4311', text: '# TYPE x counter\nx 1\n' },
    },
    {
      name: 'packed',
      request: { accepts: ['zstd'] },
      reply: { instance: 'edge-proxy-4311', text: '', zstd: 'KLUv/SAVqQAAIyBUWVBFIHggY291bnRlcgp4IDEK' },
    },
    {
      name: 'with the request that a figure stands for',
      request: {},
      reply: {
        instance: 'edge-proxy-4311',
        text: '# TYPE x histogram\nx_bucket{le="+Inf"} 1\nx_sum 3\nx_count 1\n',
        exemplars: [
          {
            series: 'x_bucket{le="+Inf"}',
            traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
            value: 3,
            at: 1767323045000,
          },
        ],
      },
    },
  ],
});
