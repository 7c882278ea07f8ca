import { redisSettings, sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';

const IS_CLUSTER = /^rediss?\+cluster:/;
/** What Redis Cluster hashes: the text in the first braces, where there is one. */
const HAS_TAG = /^[^{]*\{[^}]+\}/;

/** What the quota-mirror process reads from its environment. The NATS_* and REDIS_* names are the original's. */
export const Settings = z
  .object({
    ...sharedSettings,
    ...redisSettings,
    STATUS_PORT: sharedSettings.STATUS_PORT.default(8103),
    NATS_STREAM: z.string().default('QUOTAS').describe('Stream of the quota events.'),
    NATS_SUBJECT: z.string().default('quota.updated').describe('Subject of the quota events.'),
    NATS_CONSUMER: z
      .string()
      .default('quota-mirror')
      .describe('Durable consumer; processes with the same name share the work.'),
    NATS_REPLICAS: z.coerce
      .number()
      .int()
      .min(1)
      .max(5)
      .default(1)
      .describe('Copies of each stream; 3 in a cluster of three servers.'),
    NATS_SYNC: z
      .enum(['os', 'always'])
      .default('os')
      .describe('How the NATS servers are set (`sync_interval`); clients cannot ask them. Only reported.'),
    REDIS_KEY_PREFIX: z
      .string()
      .default('quota:tenant:')
      .describe(
        'Before the tenant id in the key of its quota; on Redis Cluster with a tag: {quota}:tenant:.',
      ),
    MAX_DELIVERIES: z.coerce
      .number()
      .int()
      .min(1)
      .default(200)
      .describe('Deliveries after which an event that Redis refuses goes to the dead letters.'),
    ALERT_THRESHOLD_PERCENT: z.coerce
      .number()
      .min(0)
      .max(100)
      .default(80)
      .describe('Share of the limit from which a tenant is in alert, in percent.'),
  })
  .refine(
    ({ REDIS_URL = '', REDIS_KEY_PREFIX }) => !IS_CLUSTER.test(REDIS_URL) || HAS_TAG.test(REDIS_KEY_PREFIX),
    {
      path: ['REDIS_KEY_PREFIX'],
      error:
        'quotas are written by scripts over many tenants, which a Redis Cluster takes only where all keys have one tag: set it, and the plugin quota-mirror, to {quota}:tenant:',
    },
  );
export type Settings = z.output<typeof Settings>;
