import { z } from 'zod';

/**
 * The platform's R1 event envelope: every event of ours and of the platform carries its payload in it.
 * `tenantId` is `*` for platform-wide events; `occurredAt` is RFC 3339 (the original publisher sends naive UTC).
 */
export const envelopeOf = <P extends z.ZodType>(payload: P) =>
  z.object({
    eventId: z.string().min(1).max(128),
    occurredAt: z.string().min(1).max(64),
    tenantId: z.string().min(1).max(256),
    platformId: z.string().max(256).nullish(),
    correlationId: z.string().max(256).nullish(),
    actor: z.string().max(256).nullish(),
    payload,
  });
