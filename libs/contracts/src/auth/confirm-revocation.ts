import { z } from 'zod';
import { requestReply } from '../contract.ts';
import { revocation } from './revoked.ts';

/** Is this revocation in force where you are? Every edge and every auth process answers as soon as it is. */
export const authConfirmRevocation = requestReply({
  subject: 'auth.v1.confirm_revocation',
  summary: 'Answer when a revocation is in force in this process; every auth process and every edge does.',
  owner: 'auth',
  alongside: ['edge-proxy'],
  askedBy: ['config-registry'],
  timeoutMs: 2000,
  request: revocation,
  reply: z.object({
    process: z.string().max(64),
    instance: z.string().min(1).max(128),
    /** False: it is not, although there was time for it. */
    isInForce: z.boolean(),
  }),
  examples: [
    {
      name: 'an edge that refuses the token',
      request: { by: 'jti', value: 'b1f7c2d0-5b3a', notBeforeMs: 1_767_323_045_000 },
      reply: { process: 'edge-proxy', instance: 'edge-proxy-4311', isInForce: true },
    },
  ],
});
