import { z } from 'zod';
import { requestReply } from '../contract.ts';
import { QUOTA_CONDITIONS } from './updated.ts';

/** Which tenants are wanted; `alert` are those past the alert line, with those beyond their limit. */
export const QUOTA_LISTS = ['all', 'alert', 'exceeded', 'stale'] as const;
/** A page of an answer; tenants' names may be long, and an answer has to fit in a message. */
export const MAX_QUOTAS_ASKED = 200;

const count = z.int().nonnegative();

/** One tenant's quota, as the stream of last values has it. */
export const quotaStanding = z.object({
  tenantId: z.string(),
  limit: z.number(),
  used: z.number(),
  /** Of the limit; null where that is 0. */
  share: z.number().nullable(),
  period: z.string(),
  resetAt: z.string().nullable(),
  lastUpdated: z.string(),
  /** The period is over and nothing newer has come: nobody is refused by it. */
  stale: z.boolean(),
  condition: z.enum(QUOTA_CONDITIONS),
});
export type QuotaStanding = z.output<typeof quotaStanding>;

/** How do the tenants stand with their quotas? Those of the largest share first, those of a period that is over last. */
export const quotaList = requestReply({
  subject: 'quota.v1.list',
  summary: 'List tenants by how much of their quota they have used.',
  owner: 'quota-mirror',
  askedBy: ['config-registry'],
  queue: 'quota-mirror',
  timeoutMs: 2000,
  request: z.object({
    show: z.enum(QUOTA_LISTS),
    /** A part of the tenant's name, in any case of letters. */
    search: z.string().max(256).optional(),
    offset: count.max(10_000_000).default(0),
    limit: z.int().min(1).max(MAX_QUOTAS_ASKED),
  }),
  reply: z.object({
    tenants: z.array(quotaStanding).max(MAX_QUOTAS_ASKED),
    /** How many were found in all; more than `offset` and these: there is another page. */
    found: count,
    /** Of all tenants, whatever was searched for. */
    counts: z.object({ all: count, alert: count, exceeded: count, stale: count }),
    /** Percent, as the mirror is told. */
    alertThreshold: z.number(),
    /** Unix ms. */
    readAt: z.number(),
  }),
  examples: [
    {
      name: 'who is beyond the alert line',
      request: { show: 'alert', limit: 50 },
      reply: {
        tenants: [
          {
            ...{ tenantId: 'tenant-123', limit: 10_000, used: 8532, share: 0.8532, period: 'monthly' },
            ...{ resetAt: '2025-11-01T00:00:00Z', lastUpdated: '2025-10-27T20:00:00Z', stale: false },
            condition: 'alert',
          },
        ],
        found: 1,
        counts: { all: 1000, alert: 1, exceeded: 0, stale: 12 },
        alertThreshold: 80,
        readAt: 1_761_595_200_000,
      },
    },
  ],
});
