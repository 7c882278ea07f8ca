import { z } from 'zod';
import { requestReply } from '../contract.ts';

/** Reads and empties what every edge keeps for `proxy-cache`: each one remembers the answers that it gave. */
export const edgeAnswerCache = requestReply({
  subject: 'edge.v1.answer_cache',
  summary: 'Read or forget answers that the edges keep for proxy-cache.',
  owner: 'edge-proxy',
  askedBy: ['config-registry', 'cli'],
  timeoutMs: 1000,
  request: z.object({
    /** `read` and `drop` are about one key, `clear` about all. */
    action: z.enum(['read', 'drop', 'clear']),
    /** As in `X-Cache-Key`. */
    key: z.string().min(1).max(1024).optional(),
  }),
  reply: z.object({
    instance: z.string().min(1).max(128),
    /** Answers that were read or forgotten. */
    count: z.int().nonnegative(),
    /** What was read. */
    answer: z
      .object({
        status: z.int(),
        headers: z.array(z.tuple([z.string(), z.string()])),
        /** Base64; absent when it is too large for a message. */
        body: z.string().optional(),
        bodyBytes: z.int().nonnegative(),
        /** Unix time in ms. */
        storedAt: z.number(),
        ttlSeconds: z.number(),
      })
      .optional(),
  }),
  examples: [
    {
      name: 'a key this edge has',
      request: { action: 'read', key: '8c2b58a9d1d4bd56b9ed2eb5b2ad0f2c6ae0ad1f8a4f5d6d2b9f3a7b5ad4f1c3' },
      reply: {
        instance: 'edge-proxy-4311',
        count: 1,
        answer: {
          status: 200,
          headers: [['Content-Type', 'text/plain']],
          body: 'aGVsbG8=',
          bodyBytes: 5,
          storedAt: 1_764_000_000_000,
          ttlSeconds: 300,
        },
      },
    },
    {
      name: 'everything is forgotten',
      request: { action: 'clear' },
      reply: { instance: 'edge-proxy-4311', count: 12 },
    },
  ],
});
