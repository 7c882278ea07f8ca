import { z } from 'zod';
import { batchedRequest } from '../contract.ts';
import { budgetKey, limit, windowState } from './windows.ts';

const leaseId = z.string().min(1).max(64);

/** Take tokens of a budget in advance. They count as used at once, so the sum of leases never exceeds the limit. */
export const ratelimitLease = batchedRequest({
  subject: 'ratelimit.v1.lease',
  summary: 'Grant an edge part of a budget for a short time; tokens not spent come back by settle.',
  owner: 'ratelimit',
  askedBy: ['edge-proxy'],
  queue: 'ratelimit',
  timeoutMs: 45,
  check: z.object({
    key: budgetKey,
    leaseId,
    wants: z.int().positive(),
    /** Edges that share the budget now. */
    edges: z.int().positive(),
    /** Longest life of the lease, in ms; the answer never passes the nearest window's end. */
    ttlMs: z.int().positive().max(10_000),
    limits: z.array(limit).min(1).max(6),
  }),
  verdict: z.object({
    outcome: z.enum(['allow', 'deny']),
    granted: z.int().nonnegative(),
    ttlMs: z.int().nonnegative(),
    windows: z.array(windowState),
  }),
  examples: [
    {
      name: 'a fifth of what is left, shared by two edges',
      check: {
        key: 'ratelimit:r1:s1:tenant-123',
        leaseId: 'e1-1',
        wants: 500,
        edges: 2,
        ttlMs: 2000,
        limits: [{ period: 'minute', limit: 1000 }],
      },
      verdict: {
        outcome: 'allow',
        granted: 100,
        ttlMs: 2000,
        windows: [{ period: 'minute', limit: 1000, remaining: 900, resetMs: 12_000 }],
      },
    },
  ],
});

/** Give back what a lease did not spend. A second settle of the same lease does nothing. */
export const ratelimitSettle = batchedRequest({
  subject: 'ratelimit.v1.settle',
  summary: 'Return the unspent tokens of a lease; idempotent.',
  owner: 'ratelimit',
  askedBy: ['edge-proxy'],
  queue: 'ratelimit',
  timeoutMs: 45,
  check: z.object({ key: budgetKey, leaseId, unused: z.int().nonnegative() }),
  verdict: z.object({ outcome: z.enum(['allow']), returned: z.int().nonnegative() }),
  examples: [
    {
      name: 'a lease nobody knows',
      check: { key: 'ratelimit:r1:s1:tenant-123', leaseId: 'gone', unused: 3 },
      verdict: { outcome: 'allow', returned: 0 },
    },
  ],
});
