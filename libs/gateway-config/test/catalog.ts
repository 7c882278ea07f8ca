import { z } from 'zod';
import type { PluginCatalog, PluginRules } from '../src/index.ts';

const count = z.number().positive().nullable().default(null);
const text = z.string().nullable().default(null);

const rules: Record<string, PluginRules> = {
  'rate-limiting': {
    consumerScope: true,
    config: z
      .strictObject({
        second: count,
        minute: count,
        hour: count,
        day: count,
        limit_by: z.enum(['consumer', 'credential', 'ip', 'service', 'header', 'path']).default('consumer'),
        header_name: text,
        policy: z.enum(['local', 'redis']).default('local'),
        fault_tolerant: z.boolean().default(true),
        hide_client_headers: z.boolean().default(false),
        redis: z
          .strictObject({
            host: text,
            port: z.int().min(0).max(65_535).default(6379),
            database: z.int().default(0),
            timeout: z.int().default(2000),
            password: text,
            keepalive_pool_size: z.unknown().optional(),
            keepalive_backlog: z.unknown().optional(),
          })
          .prefault({}),
      })
      .superRefine((config, context) => {
        if (config.minute === null && config.hour === null && config.day === null && config.second === null)
          context.addIssue({
            code: 'custom',
            message: "at least one of these fields must be non-empty: 'config.second', 'config.minute'",
          });
      }),
    warnings: (config, { environment }) => {
      const { redis } = config as { redis: { host: string | null } };
      const used = environment.REDIS_URL ?? '';
      return redis.host !== null && !used.includes(redis.host)
        ? ['its redis block is ignored, counters live where REDIS_URL says']
        : [];
    },
  },
  jwt: {
    consumerScope: false,
    config: z.strictObject({
      uri_param_names: z.array(z.string()).default(['jwt']),
      cookie_names: z.array(z.string()).default([]),
      claims_to_verify: z
        .array(z.enum(['exp', 'nbf']))
        .nullable()
        .default(null),
      key_claim_name: z.string().default('iss'),
      secret_is_base64: z.boolean().default(false),
      run_on_preflight: z.boolean().default(true),
      maximum_expiration: z.number().min(0).max(31_536_000).default(0),
    }),
  },
  'http-log': {
    consumerScope: true,
    config: z.strictObject({
      http_endpoint: z.url(),
      method: z.enum(['POST', 'PUT']).default('POST'),
      headers: z
        .record(z.string().regex(/^[a-z-]+$/), z.string())
        .nullable()
        .default(null),
      queue: z.strictObject({ max_entries: z.int().min(1).default(10) }).prefault({}),
      custom: z.string({ error: 'a sentence of its own' }).optional(),
      id: z.uuid().optional(),
      prefix: z.string().startsWith('/').min(1).optional(),
      name: z.string().min(3).optional(),
      steps: z.array(z.strictObject({ weight: z.number().positive() })).default([]),
    }),
  },
};

const anything: PluginRules = { consumerScope: true, config: z.looseObject({}) };
const loose = [
  'correlation-id',
  'request-id',
  'prometheus',
  'cors',
  'request-transformer',
  'quota-mirror',
  'key-auth',
];

/** A few plugins with schemas like the real ones; the real ones live in another package. */
export const catalog: PluginCatalog = {
  get: (name) => (Object.hasOwn(rules, name) ? rules[name] : loose.includes(name) ? anything : undefined),
  names: () => [...Object.keys(rules), ...loose],
};
