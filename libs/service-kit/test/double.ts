import { batchedRequest } from '@sluice/contracts';
import { z } from 'zod';

/** A question for tests, on a subject of their own. */
export const double = (subject: string, timeoutMs = 250) =>
  batchedRequest({
    subject,
    summary: 'Doubles a number.',
    owner: 'auth',
    askedBy: ['edge-proxy'],
    queue: 'double',
    timeoutMs,
    check: z.object({ n: z.int() }),
    verdict: z.object({ outcome: z.enum(['allow', 'deny']), doubled: z.int() }),
    examples: [],
  });
