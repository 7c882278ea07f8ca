import { z } from 'zod';
import { batchedRequest } from '../contract.ts';
import { quotaState } from '../quota/state.ts';
import { budgetKey, limit, windowState } from './windows.ts';

/** Spend from a budget, exactly: admitted in every window or in none, and a refusal spends nothing. */
export const ratelimitCheck = batchedRequest({
  subject: 'ratelimit.v1.check',
  summary:
    'Spend from a budget in all its windows at once and report what is left; report the tenant quota with it.',
  owner: 'ratelimit',
  askedBy: ['edge-proxy'],
  queue: 'ratelimit',
  timeoutMs: 45, // past it the edge decides alone, and answers within 50 ms: the limiter must not be an outage
  check: z.object({
    key: budgetKey,
    cost: z.int().positive().default(1),
    /** Empty: nothing is spent, only the quota is read. */
    limits: z.array(limit).max(6),
    /** Redis key of the quota hash to report with the verdict (`quota:tenant:<id>`). */
    quotaKey: z.string().max(1024).optional(),
  }),
  verdict: z.object({
    outcome: z.enum(['allow', 'deny']),
    windows: z.array(windowState),
    /** The window that refused. */
    violated: windowState.shape.period.optional(),
    /** Absent: not asked for, or unreadable; `null`: the tenant has none. */
    quota: quotaState.nullable().optional(),
  }),
  examples: [
    {
      name: 'first request of the minute',
      check: { key: 'ratelimit:r1:s1:tenant-123', limits: [{ period: 'minute', limit: 100 }] },
      verdict: {
        outcome: 'allow',
        windows: [{ period: 'minute', limit: 100, remaining: 99, resetMs: 12_000 }],
      },
    },
    {
      name: 'last unit is gone',
      check: { key: 'ratelimit:r1:s1:tenant-124', cost: 2, limits: [{ period: 'hour', limit: 1 }] },
      verdict: {
        outcome: 'deny',
        violated: 'hour',
        windows: [{ period: 'hour', limit: 1, remaining: 1, resetMs: 12_000 }],
      },
    },
    {
      name: 'only the quota of a tenant without one',
      check: { key: 'quota', limits: [], quotaKey: 'quota:tenant:tenant-none' },
      verdict: { outcome: 'allow', windows: [], quota: null },
    },
  ],
});
