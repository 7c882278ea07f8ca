import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What one step costs, in µs of CPU, as `npm run bench -- scale --measure` found it. */
export const Figures = z.object({
  on: z.string(),
  /** The edge alone, for a request through the full chain of config/kong.yml: from docs/performance.md. */
  edgeLeasedUs: z.number().positive(),
  edgeExactUs: z.number().positive(),
  edgePlainUs: z.number().positive(),
  /** A token that the edge has no verdict on: edge and auth, without NATS. From docs/performance.md. */
  newTokenUs: z.number().positive(),
  /** nats-server, for one question with one check in it and its answer; and for a check among 16 in a message. */
  natsQuestionUs: z.number().positive(),
  natsBatchedCheckUs: z.number().positive(),
  /** redis-server, for a check of three windows; for a lease and its return. */
  redisCheckUs: z.number().positive(),
  redisLeaseUs: z.number().positive(),
  /** ratelimit, for one of either. */
  limiterUs: z.number().positive(),
  /** What a question and its answer put on the wire, with NATS's own lines, in bytes. */
  questionBytes: z.number().positive(),
});
export type Figures = z.infer<typeof Figures>;

export const FIGURES_FILE = join(import.meta.dirname, 'figures.json');
export const readFigures = (): Figures => Figures.parse(JSON.parse(readFileSync(FIGURES_FILE, 'utf8')));
