import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Sets how much every edge writes to its log, until it is set again or the edge restarts. */
export const edgeLogLevel = requestReply({
  subject: 'edge.v1.log_level',
  summary: 'Set the log level of every edge.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  request: z.object({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']) }),
  reply: z.object({ instance: z.string().min(1).max(128) }),
  examples: [{ name: 'debug', request: { level: 'debug' }, reply: { instance: 'edge-proxy-4311' } }],
});
