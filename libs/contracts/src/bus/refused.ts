import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Most refusals that one process tells of. */
export const MAX_REFUSALS_TOLD = 100;

/**
 * Every process answers with what the server refused it since it last connected: a login that may do less than the
 * contracts say is otherwise seen only in the log of whoever was refused.
 */
export const busRefused = requestReply({
  subject: 'bus.v1.refused',
  summary: 'Collect from every process what its login on NATS was refused.',
  owner: 'config-registry',
  alongside: ['edge-proxy', 'auth', 'ratelimit', 'quota-mirror'],
  askedBy: ['cli'],
  timeoutMs: 500,
  request: z.object({}),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** Whose part it plays on the bus. */
    user: z.string().min(1).max(64),
    refused: z
      .array(
        z.object({
          operation: z.string().max(32),
          subject: z.string().max(512),
          times: z.int().positive(),
          /** Since the last time; clocks of hosts differ, so no instant. */
          agoMs: z.number().nonnegative(),
        }),
      )
      .max(MAX_REFUSALS_TOLD),
  }),
  examples: [
    {
      name: 'a list of users that is older than a contract',
      request: {},
      reply: {
        instance: 'edge-proxy-4311',
        user: 'edge-proxy',
        refused: [{ operation: 'publish', subject: 'decision.recorded', times: 12, agoMs: 340 }],
      },
    },
  ],
});
