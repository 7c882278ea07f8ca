import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Every edge answers with what it knows of an upstream's targets: each one judges by its own traffic. */
export const edgeUpstreamHealth = requestReply({
  subject: 'edge.v1.upstream_health',
  summary: 'Collect the health of an upstream’s targets from every edge.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 500,
  /** Id of the upstream entity; any UUID that Kong takes, so no version is asked for. */
  request: z.object({ upstreamId: z.string().min(1).max(64) }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** Empty when the edge does not have the upstream (yet). Targets of weight 0 are not listed. */
    targets: z.array(
      z.object({
        /** `host:port` as configured. */
        target: z.string(),
        /** `ip:port`; empty while the target's name has no address. */
        address: z.string(),
        health: z.enum(['HEALTHY', 'UNHEALTHY', 'HEALTHCHECKS_OFF', 'DNS_ERROR']),
        /** The address's share of the traffic; absent: an edge of an earlier release. */
        weight: z.int().nonnegative().optional(),
      }),
    ),
  }),
  examples: [
    {
      name: 'one of two targets is out',
      request: { upstreamId: '4e13f54a-bbf1-47a8-8777-255fed7116f2' },
      reply: {
        instance: 'edge-proxy-4311',
        targets: [
          { target: 'agents.internal:8083', address: '10.0.0.7:8083', health: 'HEALTHY', weight: 100 },
          { target: '10.0.0.8:8083', address: '10.0.0.8:8083', health: 'UNHEALTHY', weight: 100 },
        ],
      },
    },
    {
      name: 'an upstream the edge does not have',
      request: { upstreamId: '00000000-0000-4000-8000-000000000000' },
      reply: { instance: 'edge-proxy-4311', targets: [] },
    },
  ],
});
