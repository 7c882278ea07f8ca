import { z } from 'zod';

/** What a tenant may use and has used in its period, as the Redis hash holds it. Numbers are null when unknown. */
export const quotaState = z.object({
  limit: z.number().nullable(),
  used: z.number().nullable(),
  remaining: z.number().nullable(),
  period: z.string().nullable(),
  resetAt: z.string().nullable(),
  lastUpdated: z.string().nullable(),
  /** The period is over and nothing newer has come: `used` says nothing about now. */
  stale: z.boolean(),
});
export type QuotaState = z.output<typeof quotaState>;
