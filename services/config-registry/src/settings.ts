import { sharedSettings } from '@sluice/service-kit';
import { z } from 'zod';
import { readAdminTokens } from './admin-access/admin-tokens.ts';

const port = z.coerce.number().int().min(0).max(65_535);

/** Settings of the config-registry process. */
export const Settings = z.object({
  ...sharedSettings,
  STATUS_PORT: sharedSettings.STATUS_PORT.default(8104),
  ADMIN_HOST: z.string().default('127.0.0.1').describe('Address of the Admin API.'),
  ADMIN_TOKENS: z
    .string()
    .default('')
    .transform((text, context) => {
      try {
        return readAdminTokens(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .describe(
      'Who may use the Admin API: name:role:token, separated by commas; roles viewer, operator, admin. Unset: everybody, and ADMIN_HOST has to be a loopback address.',
    ),
  ADMIN_PORT: port.default(8001).describe('Port of the Admin API; 0 takes a free one.'),
  ADMIN_TLS_PORT: port
    .optional()
    .describe('Port of the Admin API by TLS (Kong: 8444); 0 takes a free one, unset is off.'),
  ADMIN_TLS_CERT: z
    .string()
    .optional()
    .describe('PEM file of the certificate of the TLS port, with its chain; unset: a self-signed one.'),
  ADMIN_TLS_KEY: z.string().optional().describe('PEM file of the key of ADMIN_TLS_CERT.'),
  ACK_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(2000)
    .describe('Longest wait of a write for the acknowledgements of all live edges, in ms.'),
  ADMIN_WRITES: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe(
      'false: single entities can be read only, as in Kong without a database; POST /config works in both.',
    ),
  API_KEY_PEPPER: z
    .string()
    .min(32, 'at least 32 characters: openssl rand -base64 32')
    .optional()
    .describe(
      'Secret that tenants’ API keys are hashed with, the same in auth and config-registry; unset: there are no such keys. Another one voids every key.',
    ),
  PLUGINS_DIR: z
    .string()
    .optional()
    .describe('Folder of your own plugins, the same as the edges have; unset: only the built-in ones.'),
  NATS_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('Replicas of the configuration streams.'),
  HISTORY_GENERATIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('So many of the newest versions can be shown whole, compared and brought back.'),
  HISTORY_MAX_MIB: z.coerce
    .number()
    .int()
    .min(1)
    .default(512)
    .describe('Largest size of the snapshots kept for that, in MiB; beyond it the oldest versions go first.'),
  DECLARATIVE_CONFIG: z
    .string()
    .optional()
    .describe('Path of a declarative configuration that is applied at the start.'),
  DECLARATIVE_CONFIG_WHEN: z
    .enum(['changed', 'always'])
    .default('changed')
    .describe(
      'changed: a file that was applied before does not undo what was accepted since; always: it does.',
    ),
});
export type Settings = z.output<typeof Settings>;
