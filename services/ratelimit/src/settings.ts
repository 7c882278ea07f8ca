import { redisSettings, sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';

export const Settings = z.object({
  ...sharedSettings,
  ...redisSettings,
  STATUS_PORT: sharedSettings.STATUS_PORT.default(8102),
  COMMAND_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(35)
    .describe(
      'Longest wait for Redis, in ms; below LIMIT_TIMEOUT_MS of the edges, after which they decide alone.',
    ),
  KEY_STYLE: z
    .enum(['kong', 'tagged'])
    .default('kong')
    .describe('Counter keys as Kong writes them, or with the budget in braces for Redis Cluster.'),
});
