import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** An operator says how a target is; every edge believes it until its own checks say otherwise. */
export const edgeTargetHealth = requestReply({
  subject: 'edge.v1.target_health',
  summary: 'Mark a target of an upstream as healthy or unhealthy on every edge.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  request: z.object({
    /** Id of the upstream entity. */
    upstreamId: z.string().min(1).max(64),
    /** `host:port` as configured. */
    target: z.string().min(1).max(300),
    /** `ip:port`: this address of the target alone; absent: all of them. */
    address: z.string().min(1).max(64).optional(),
    health: z.enum(['HEALTHY', 'UNHEALTHY']),
  }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** `unchecked`: the upstream has no checks; `absent`: the edge has no such target or address (yet). */
    outcome: z.enum(['set', 'unchecked', 'absent']),
  }),
  examples: [
    {
      name: 'all addresses of a target',
      request: {
        upstreamId: '4e13f54a-bbf1-47a8-8777-255fed7116f2',
        target: 'agents.internal:8083',
        health: 'UNHEALTHY',
      },
      reply: { instance: 'edge-proxy-4311', outcome: 'set' },
    },
    {
      name: 'an address the edge does not have',
      request: {
        upstreamId: '4e13f54a-bbf1-47a8-8777-255fed7116f2',
        target: 'agents.internal:8083',
        address: '10.0.0.9:8083',
        health: 'HEALTHY',
      },
      reply: { instance: 'edge-proxy-4311', outcome: 'absent' },
    },
  ],
});
