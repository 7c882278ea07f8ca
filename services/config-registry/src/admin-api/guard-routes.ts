import { scan } from '@sluice/plugins';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { toldElsewhere } from '../audit/told.ts';
import { endpoint } from './endpoint.ts';
import { invalid } from './own-refusal.ts';
import { readBody } from './read-body.ts';

/** It is judged between two other requests to this API. */
const MAX_CHARS = 20_000;

export const GuardBody = z.object({
  text: z.string().trim().min(1).max(MAX_CHARS),
  sensitivity: z.enum(['balanced', 'strict']).default('balanced'),
});

/** `POST /sluice/guard`: judges a text as prompt-guard judges a message. The text is neither kept nor told to anybody. */
export const guardRoutes = (app: FastifyInstance): void => {
  endpoint(app, '/sluice/guard', {
    POST: async (request, reply) => {
      toldElsewhere(reply); // it changes nothing
      const body = await readBody(request);
      const asked = GuardBody.safeParse(body.kind === 'json' ? body.value : undefined);
      if (!asked.success) return invalid(reply, asked.error);
      const { text, sensitivity } = asked.data;
      const { score, hits } = scan(text, sensitivity);
      return { attack: score >= 1, score, sensitivity, hits };
    },
  });
};
